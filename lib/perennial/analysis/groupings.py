"""Ways to part customers into groups: by a column of the customers table, or by the time of the first purchase."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.analysis.censoring import Beginning, new_since
from perennial.analysis.cohorts import FREQUENCY
from perennial.analysis.fitters import MINIMUM_REPEATERS
from perennial.analysis.purchase_model import KEYS
from perennial.parameters import COHORT
from perennial.schema import TABLES

# groups that are not the client's words
ALL, OTHERS, UNKNOWN, EARLIER = "(all)", "(others)", "(not stated)", "(before the data)"
MOST_GROUPS = 12  # of one grouping; the smaller ones are pooled
MOST_LEVELS = 20  # an attribute with more is no grouping but a description
MOST_HALF_YEARS = 8  # of first purchase; beyond, cohorts are years
_FIRST = ("segment", "source", "region")


@dataclass(frozen=True)
class Grouping:
    """One way to part the customers.

    Attributes
    ----------
    name : a column of the customers table, or ``"cohort"``.
    members : Ibis table ``customer_id, group``, every customer of the summary once.
    sizes : ``group, customers, repeaters``, largest first, after pooling.
    pooled : names of the groups too small to stand alone, now together in ``"(others)"``.
    """

    name: str
    members: ir.Table
    sizes: pd.DataFrame
    pooled: tuple[str, ...] = ()

    @property
    def groups(self) -> list[str]:
        """Names of the groups, largest first; customers there before the data begins are in none."""
        return [str(group) for group in self.sizes["group"] if group != EARLIER]

    def only(self, summary: ir.Table) -> "Grouping":
        """The same groups, of the customers of another summary; sizes are counted anew."""
        members = self.members.semi_join(summary, "customer_id")
        return Grouping(self.name, members, _sizes(summary, members), self.pooled)


def possible_columns(customers: ir.Table | None) -> list[str]:
    """Columns of the customers table with two to twenty known levels: segment, source, region, then attributes."""
    if customers is None:
        return []
    attributes = [name for name in customers.columns if name not in TABLES["customers"].columns]
    names = [name for name in (*_FIRST, *attributes) if name in customers.columns]
    if not names:
        return []
    levels = customers.agg(**{name: customers[name].nunique() for name in names}).to_pandas().iloc[0]
    return [name for name in names if levels[name] >= 2 and (name in _FIRST or levels[name] <= MOST_LEVELS)]


def group_by_column(
    summary: ir.Table, customers: ir.Table, column: str, minimum: int, repeaters: int = MINIMUM_REPEATERS
) -> Grouping:
    """Customers by a column of the customers table; those it does not know form the group ``"(not stated)"``.

    Parameters
    ----------
    minimum, repeaters : customers, and those among them who came back, of a group that stands alone.
    """
    known = customers.select("customer_id", group=customers[column].cast("string").strip().nullif(""))
    both = summary.select("customer_id").left_join(known, "customer_id")
    return _pool(column, summary, both.select("customer_id", group=both.group.fill_null(UNKNOWN)), minimum, repeaters)


def group_by_cohort(summary: ir.Table, beginning: Beginning, unit: str, minimum: int) -> Grouping:
    """Customers by half-year of their first purchase, by year where there are more than eight half-years.

    Those who were, or may have been, there before the data begins are a group ``"(before the data)"`` that is never
    compared: their first purchase here is not their first.

    Parameters
    ----------
    beginning, unit : what :func:`perennial.analysis.censoring.beginning_of` says of periods of this unit.
    """
    first = summary.first_on
    year, half = first.year().cast("string"), ibis.ifelse(first.month() <= 6, "-H1", "-H2")
    halves = summary.select(half=year + half).distinct().count().to_pyarrow().as_py()
    label = year + half if halves <= MOST_HALF_YEARS else year
    since = new_since(beginning.cohorts, FREQUENCY[unit])
    if since is not None:
        label = ibis.ifelse(first < ibis.literal(since), EARLIER, label)
    return _pool(COHORT, summary, summary.select("customer_id", group=label), minimum)


def _pool(
    name: str, summary: ir.Table, members: ir.Table, minimum: int, repeaters: int = MINIMUM_REPEATERS
) -> Grouping:
    """Groups under the minimum, and those beyond the twelve largest, become one."""
    sizes = _sizes(summary, members)
    enough = (sizes["customers"] >= minimum) & (sizes["repeaters"] >= repeaters)
    kept = sizes.loc[enough, "group"].tolist()[:MOST_GROUPS]
    small = tuple(str(g) for g in sizes["group"] if g not in kept and g != EARLIER)
    if not small:
        return Grouping(name, members, sizes)
    stays = members.group.isin([*kept, EARLIER])
    members = members.mutate(group=ibis.ifelse(stays, members.group, OTHERS))
    return Grouping(name, members, _sizes(summary, members), small)


def _sizes(summary: ir.Table, members: ir.Table) -> pd.DataFrame:
    both = summary.select("customer_id", "frequency").inner_join(members, "customer_id")
    counted = both.group_by("group").agg(customers=both.count(), repeaters=(both.frequency > 0).sum())
    return counted.to_pandas().sort_values(["customers", "group"], ascending=[False, True], ignore_index=True)


def grouped_rows(summary: ir.Table, members: ir.Table) -> pd.DataFrame:
    """Distinct ``group, frequency, recency, T, monetary_value`` with ``weight`` customers each, in a fixed order."""
    keys = ["group", *KEYS]
    both = summary.select("customer_id", *KEYS).inner_join(members, "customer_id")
    return both.group_by(keys).agg(weight=both.count()).to_pandas().sort_values(keys, ignore_index=True)
