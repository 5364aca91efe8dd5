"""Customers grouped by the period of their first purchase, and what each group did in every later period.

Retention here means: ordered again in that calendar period, on any day of it. A customer who skips a period and
returns counts again in the period of return, so a row may rise.
"""

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from perennial.tables.summary import purchase_days

FREQUENCY = {"week": "W-SUN", "month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}
PERIODS_A_YEAR = {"week": 52, "month": 12, "quarter": 4}
ENOUGH_COHORTS, ENOUGH_CUSTOMERS = 3, 50  # behind every point of an averaged curve
_TRUNCATE = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}


def period_start(day: ir.DateValue, unit: str) -> ir.DateValue:
    """The first day of the week (Monday), month, quarter or year that a day lies in."""
    return day.truncate(_TRUNCATE[unit]).cast("date")


def cohort_sizes(summary: ir.Table, unit: str) -> pd.DataFrame:
    """``cohort`` (first day of the period), ``size``: customers by the period of their first purchase."""
    cohorts = summary.select(cohort=period_start(summary.first_on, unit))
    sizes = cohorts.group_by("cohort").agg(size=cohorts.count()).order_by("cohort").to_pandas()
    return sizes.assign(cohort=_dates(sizes["cohort"]), size=sizes["size"].astype("int64"))


def customer_counts(transactions: ir.Table, summary: ir.Table, unit: str) -> pd.DataFrame:
    """``cohort, period, customers``: those of each cohort who bought in each period (one query)."""
    days = _with_cohort(purchase_days(transactions), summary, unit)
    cells = days.group_by("cohort", "period").agg(customers=days.customer_id.nunique()).to_pandas()
    return cells.assign(cohort=_dates(cells["cohort"]), period=_dates(cells["period"]))


def revenue_sums(transactions: ir.Table, summary: ir.Table, unit: str) -> pd.DataFrame:
    """``cohort, period, revenue``: net revenue of each cohort in each period (one query).

    A return booked before its customer's first purchase counts in the cohort's own period, so that the cells add
    up to the revenue of all customers in the summary.
    """
    lines = _with_cohort(transactions, summary, unit)
    sums = lines.group_by("cohort", "period").agg(revenue=lines.amount.sum().cast("float64")).to_pandas()
    return sums.assign(cohort=_dates(sums["cohort"]), period=_dates(sums["period"]))


def moved_returns(transactions: ir.Table, summary: ir.Table, unit: str) -> float:
    """Money of the returns that :func:`revenue_sums` moves: booked in a period before that of the first purchase."""
    first = summary.select("customer_id", cohort=period_start(summary.first_on, unit))
    lines = transactions.inner_join(first, "customer_id")
    early = lines.filter(period_start(lines.ordered_on, unit) < lines.cohort)
    return float(early.amount.sum().to_pyarrow().as_py() or 0)


def _with_cohort(rows: ir.Table, summary: ir.Table, unit: str) -> ir.Table:
    first = summary.select("customer_id", cohort=period_start(summary.first_on, unit))
    rows = rows.inner_join(first, "customer_id")
    return rows.mutate(period=ibis.greatest(period_start(rows.ordered_on, unit), rows.cohort))


def _dates(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column).astype("datetime64[s]")


def cohort_cells(
    transactions: ir.Table, summary: ir.Table, as_of: dt.date, unit: str, minimum_group: int = 1
) -> pd.DataFrame:
    """Every cohort in every period from its first to the period of ``as_of``.

    Returns
    -------
    Frame ``cohort, age`` (periods since the first; 0 is the period of the first purchase), ``period, size``
    (customers in the cohort), ``customers`` (who bought in the period), ``revenue``, ``rate`` (customers ÷ size),
    ``finished`` (the whole period lies within the data) and ``small`` (size under ``minimum_group``). Cells without
    a purchase hold 0; cells that are not finished hold what was seen so far and must be masked.
    """
    sizes = cohort_sizes(summary, unit)
    grid = _grid(sizes, as_of, unit)
    keys = ["cohort", "period"]
    grid = grid.merge(customer_counts(transactions, summary, unit), on=keys, how="left")
    grid = grid.merge(revenue_sums(transactions, summary, unit), on=keys, how="left")
    grid = grid.assign(
        customers=grid["customers"].fillna(0).astype("int64"),
        revenue=grid["revenue"].fillna(0.0),
        finished=_period_end(grid["period"], unit) <= pd.Timestamp(as_of),
        small=grid["size"] < minimum_group,
    )
    grid.insert(6, "rate", grid["customers"] / grid["size"])
    return grid


def _grid(sizes: pd.DataFrame, as_of: dt.date, unit: str) -> pd.DataFrame:
    last = pd.Period(pd.Timestamp(as_of), FREQUENCY[unit])
    rows = []
    for cohort, size in zip(sizes["cohort"], sizes["size"], strict=True):
        periods = pd.period_range(pd.Period(cohort, FREQUENCY[unit]), last, freq=FREQUENCY[unit])
        rows += [(cohort, age, period.start_time, size) for age, period in enumerate(periods)]
    grid = pd.DataFrame(rows, columns=["cohort", "age", "period", "size"])
    return grid.assign(cohort=_dates(grid["cohort"]), period=_dates(grid["period"]))


def _period_end(period: pd.Series, unit: str) -> pd.Series:
    return period.dt.to_period(FREQUENCY[unit]).dt.end_time.dt.normalize()


def as_matrix(cells: pd.DataFrame, value: str, masked: bool = True) -> pd.DataFrame:
    """Cohorts down, ages across; ``masked`` blanks the cells that are not finished."""
    column = cells[value].where(cells["finished"]) if masked else cells[value]
    return cells.assign(shown=column).pivot(index="cohort", columns="age", values="shown")


def retention_curve(cells: pd.DataFrame, level: float = 0.90) -> pd.DataFrame:
    """Share of customers who bought in the period, by age, over all finished cells of that age.

    Each cohort weighs by its size. Interval: Wilson's for a proportion (statsmodels ``proportion_confint``).

    Returns
    -------
    Frame ``age, cohorts, customers, size`` (customers whose period of that age is finished), ``rate, low, high``.
    """
    from statsmodels.stats.proportion import proportion_confint

    finished = cells[cells["finished"]]
    curve = finished.groupby("age", as_index=False).agg(
        cohorts=("cohort", "size"), customers=("customers", "sum"), size=("size", "sum")
    )
    low, high = proportion_confint(curve["customers"], curve["size"], alpha=1 - level, method="wilson")
    return curve.assign(rate=curve["customers"] / curve["size"], low=low, high=high)


def supported(curve: pd.DataFrame, minimum_group: int = 1) -> pd.DataFrame:
    """A retention curve up to the last age at which enough is observed; later points would follow a few old cohorts.

    Enough: three cohorts (all of them where there are fewer), and 50 customers or half of those of age 0, never
    under ``minimum_group``. Age 0 stays.
    """
    if not len(curve):
        return curve
    cohorts, size = int(curve["cohorts"].max()), int(curve["size"].max())
    people = max(minimum_group, min(ENOUGH_CUSTOMERS, size / 2))
    enough = (curve["cohorts"] >= min(ENOUGH_COHORTS, cohorts)) & (curve["size"] >= people)
    return curve[enough | (curve["age"] == 0)].reset_index(drop=True)


def same_cohorts(cells: pd.DataFrame, age: int, level: float = 0.90) -> pd.DataFrame:
    """The retention curve from age 1 to ``age`` of the cohorts observed at every one of these ages.

    The same customers stand behind each point (``size`` is constant), so that a difference between two ages is no
    change of cohorts. Columns as in :func:`retention_curve`.
    """
    finished = cells[cells["finished"]]
    reached = finished.loc[finished["age"] == age, "cohort"]
    inside = finished["cohort"].isin(reached) & finished["age"].between(1, age)
    return retention_curve(finished[inside], level)


def change(curve: pd.DataFrame, level: float = 0.90) -> tuple[float, float]:
    """Newcombe's interval of last less first rate of a curve of the same customers.

    The two shares are taken for independent, which makes the interval too wide where those who buy early also buy
    late, as they mostly do.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    first, last = curve.iloc[0], curve.iloc[-1]
    low, high = confint_proportions_2indep(
        last["customers"], last["size"], first["customers"], first["size"],
        method="newcomb", compare="diff", alpha=1 - level,
    )  # fmt: skip
    return float(low), float(high)


def mean_revenue(cells: pd.DataFrame, last_age: int) -> pd.DataFrame:
    """``age, size, revenue`` up to ``last_age``: mean revenue per customer of all cohorts that finished that age."""
    inside = cells[cells["finished"] & (cells["age"] <= last_age)]
    sums = inside.groupby("age", as_index=False).agg(size=("size", "sum"), revenue=("revenue", "sum"))
    return sums.assign(revenue=sums["revenue"] / sums["size"])


def layers(cells: pd.DataFrame, unit: str, known: frozenset[pd.Timestamp] = frozenset(), most: int = 8) -> pd.DataFrame:
    """Revenue by group of cohorts and period, at most ``most`` groups: months, quarters or years of first purchase.

    Parameters
    ----------
    known : cohorts that were customers before the data begins (:func:`perennial.analysis.censoring.judge_beginning`);
        they form a group of their own, whose ``group`` is missing.

    Returns
    -------
    Frame ``group`` (first day; NaT for known customers), ``group_unit, period, revenue, finished``.
    """
    new = cells.loc[~cells["cohort"].isin(known), "cohort"].drop_duplicates()
    group_unit = layer_unit(new, unit, most - bool(known))
    starts = cells["cohort"].dt.to_period(FREQUENCY[group_unit]).dt.start_time.astype("datetime64[s]")
    oldest = sorted(starts[cells["cohort"].isin(new)].unique())[-(most - bool(known)) :][:1]
    starts = starts.clip(lower=oldest[0]) if oldest else starts
    grouped = cells.assign(group=starts.mask(cells["cohort"].isin(known)), group_unit=group_unit)
    keys = ["group", "group_unit", "period", "finished"]
    return grouped.groupby(keys, as_index=False, dropna=False).agg(revenue=("revenue", "sum"))


def layer_unit(cohorts: pd.Series, unit: str, most: int) -> str:
    """The finest of week, month, quarter and year that makes at most ``most`` groups (year if none does)."""
    names = list(FREQUENCY)
    for name in names[names.index(unit) :]:
        if cohorts.dt.to_period(FREQUENCY[name]).nunique() <= most:
            return name
    return "year"
