"""A result in which one purchase and one spend model value every customer, made from one of groups valued apart."""

from dataclasses import replace
from typing import Any

import pandas as pd

from perennial.analysis.groupings import ALL
from perennial.analysis.segments import Decision
from perennial.analysis.value import ValueResult


def by_one_model(result: ValueResult, **changes: Any) -> ValueResult:
    """The same rows under the models of all customers, with fields replaced by ``changes``."""
    plain = replace(
        result,
        segmentation=replace(result.segmentation, decision=Decision("", "not supported")),
        rows=result.rows.assign(group=ALL),
        draws=result.draws.assign(group=ALL),
        groups=pd.DataFrame(),
    )
    return replace(plain, **changes)
