"""Which purchase model is used: the one that forecasts best where that can be tested, else the one that fits best."""

from collections.abc import Collection, Mapping
from typing import Literal

import pandas as pd

from perennial.analysis.purchase_model import Name, PurchaseModel

SAME = 0.005  # of the smallest error: within it, errors per customer are equally small
Ground = Literal["declared", "holdout", "fit"]


def order_of(scores: pd.DataFrame, fitted: Collection[Name]) -> list[Name]:
    """The models by their hold-out, best first.

    The smallest root mean square error comes first; among those within half a percent of it, the one whose total is
    nearest to what came.

    Parameters
    ----------
    scores : ``forecaster, rmse, bias``; other forecasters than the models are left out.
    """
    judged = scores[scores["forecaster"].isin(list(fitted))]
    near = judged["rmse"] <= (1 + SAME) * judged["rmse"].min()
    ranked = judged.assign(far=~near, error=judged["bias"].abs().where(near, judged["rmse"]))
    return ranked.sort_values(["far", "error"], kind="stable")["forecaster"].tolist()


def by_fit(models: Mapping[Name, PurchaseModel]) -> list[Name]:
    """The models by Schwarz's criterion, best first: it asks more of a parameter than Akaike's."""
    return sorted(models, key=lambda name: models[name].bic)
