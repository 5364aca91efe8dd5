"""P(alive) and expected purchases by how often customers came back and how long they have been silent."""

import numpy as np
import pandas as pd

from perennial.analysis.purchase_model import PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.uncertainty import reach, share_interval, standard_error

SILENT_DAYS = (0, 7, 14, 30, 60, 90, 180, 270, 365, 545, 730, 1095, 1460, 2190)  # where columns begin
MOST_ROWS = 9  # of repeat customers
MOST_SINGLE = 8  # up to this frequency every count has a row of its own
TOP_SHARE = 0.99  # of repeat customers lie below the last row's first count


def matrix(rows: pd.DataFrame, model: PurchaseModel, days: float, interval: float, minimum_group: int) -> pd.DataFrame:
    """What the model says of each cell: repeat purchase days by days since the last purchase.

    A cell is computed at the middle of its days and at the median frequency of its row, for a customer first seen the
    median time ago; who bought once has been silent since the first purchase, so that their time is their silence.

    Parameters
    ----------
    rows : distinct histories (days) with ``weight``.
    days : horizon of the expected purchases.
    minimum_group : cells with fewer customers are not ``shown``: the model speaks there of people who are not there.

    Returns
    -------
    frame, one row per cell: ``first, last`` (repeat purchase days; last missing: and more), ``from_day, to_day``,
    ``customers`` (of any age), ``frequency, silence, T`` (where computed), ``p_alive, p_alive_low, p_alive_high``
    (missing where the model cannot judge), ``expected_purchases, expected_low, expected_high``, ``shown``.
    """
    age = float(np.floor(_median(rows["T"], rows["weight"])))
    counts, columns = _counts(rows), _columns(age)
    silent = np.floor(rows["T"] - rows["recency"])
    lines = []
    for first, last in counts:
        group = rows["frequency"].between(first, np.inf if np.isnan(last) else last)
        typical = float(_median(rows.loc[group, "frequency"], rows.loc[group, "weight"])) if group.any() else first
        for begin, end in columns:
            inside = group & silent.between(begin, end)
            lines.append((first, last, begin, end, float(rows.loc[inside, "weight"].sum()), typical, (begin + end) / 2))
    names = ["first", "last", "from_day", "to_day", "customers", "frequency", "silence"]
    frame = pd.DataFrame(lines, columns=names)
    frame["T"] = np.where(frame["frequency"] == 0, frame["silence"], age)
    possible = (frame["frequency"] == 0) | (frame["T"] - frame["silence"] >= frame["frequency"])  # one day each
    return _filled(frame, model, days, interval).assign(shown=possible & (frame["customers"] >= max(minimum_group, 1)))


def _filled(frame: pd.DataFrame, model: PurchaseModel, days: float, interval: float) -> pd.DataFrame:
    x, age = frame["frequency"].to_numpy(float), frame["T"].to_numpy(float)
    last = np.where(x > 0, np.maximum(age - frame["silence"].to_numpy(float), 0), 0.0)

    def alive(theta: Floats) -> Floats:
        return model.p_alive(x, last, age, theta)

    def expected(theta: Floats) -> Floats:
        return model.at(theta).expected_purchases(days, x, last, age)

    p, bought = alive(model.theta), expected(model.theta)
    low, high = share_interval(p, standard_error(model.theta, model.covariance, alive), interval)
    wide = reach(interval) * standard_error(model.theta, model.covariance, expected)
    judged = np.full(len(frame), model.lets_leave) & ((x > 0) | model.knows_one_time_buyers)
    return frame.assign(
        p_alive=np.where(judged, p, np.nan),
        p_alive_low=np.where(judged, low, np.nan),
        p_alive_high=np.where(judged, high, np.nan),
        expected_purchases=bought,
        expected_low=np.maximum(bought - wide, 0),
        expected_high=bought + wide,
    )


def _counts(rows: pd.DataFrame) -> list[tuple[float, float]]:
    """Bands of repeat purchase days: singly where they are few, else growing; the last is open."""
    back = rows[rows["frequency"] > 0]
    top = float(_median(back["frequency"], back["weight"], TOP_SHARE)) if len(back) else 1.0
    if top <= MOST_SINGLE:
        starts = np.arange(1, int(top) + 1)
    else:
        starts = np.unique(np.round(np.geomspace(1, top, MOST_ROWS))).astype(int)
    ends = [*(starts[1:] - 1).astype(float), np.nan]
    return [(0.0, 0.0), *((float(first), float(last)) for first, last in zip(starts, ends, strict=True))]


def _columns(age: float) -> list[tuple[float, float]]:
    starts = [float(day) for day in SILENT_DAYS if day < age] or [0.0]
    ends = [*(start - 1 for start in starts[1:]), max(age, starts[-1])]
    return list(zip(starts, ends, strict=True))


def _median(values: pd.Series, weight: pd.Series, share: float = 0.5) -> float:
    order = np.argsort(values.to_numpy(float), kind="stable")
    people = np.cumsum(weight.to_numpy(float)[order])
    return float(values.to_numpy(float)[order][min(int(np.searchsorted(people, share * people[-1])), len(order) - 1)])
