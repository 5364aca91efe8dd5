"""Do groups of customers buy differently enough to be modelled apart? One model for all, against one for each group.

Groupings come from the customers table (segment, source, region, attributes with few levels) and from the time of the
first purchase. Three questions, in this order: does a likelihood-ratio test tell the groups apart, corrected for the
number of groupings tried; is the gain worth its parameters (BIC); and do the separate models forecast unseen days no
worse than the pooled one. The first two look at the data the models were fitted on, the third does not.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from perennial.analysis.censoring import Beginning, new_since
from perennial.analysis.clv import draw_parameters_of
from perennial.analysis.cohorts import FREQUENCY
from perennial.analysis.fitters import MINIMUM_REPEATERS, fit_gamma_gamma, fit_purchases, or_reason
from perennial.analysis.purchase_model import HISTORY, Name, PurchaseModel
from perennial.analysis.purchases.formulas import Floats
from perennial.analysis.spend_model import PARAMETERS as SPEND_PARAMETERS
from perennial.analysis.spend_model import SpendModel
from perennial.errors import ModelError
from perennial.formats import number
from perennial.language import _
from perennial.parameters import COHORT
from perennial.schema import TABLES
from perennial.tables.summary import customer_summary, purchase_days

OTHERS, UNKNOWN, EARLIER = "(others)", "(not stated)", "(before the data)"  # groups that are not the client's words
FEWEST_CUSTOMERS = 100  # of a group with a model of its own; it needs MINIMUM_REPEATERS as well
MOST_GROUPS = 12  # of one grouping; the smaller ones are pooled
MOST_LEVELS = 20  # an attribute with more is no grouping but a description
MOST_HALF_YEARS = 8  # of first purchase; beyond, cohorts are years
SIGNIFICANT = 0.05  # after correction for the number of groupings tried
DRAWS = 400  # of the parameters
SOUND_SHARE = 0.95  # of parameter draws, without which no interval is stated
YEAR_DAYS = 365.25
_KEYS = [*HISTORY, "monetary_value"]
_FIRST = ("segment", "source", "region")

Ground = Literal["declared", "tested", "not supported", "not tested", "switched off"]


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


@dataclass(frozen=True)
class GroupModels:
    """The models of each group of a grouping; where a group carries none, the pooled one stands in, with the reason.

    Attributes
    ----------
    grouping : its name; ``members`` : ``customer_id, group``, every customer once.
    purchase, spend : by group, for every group of ``members``; ``spend`` is empty without a pooled spend model.
    pooled_purchase, pooled_spend : by group, why the pooled model stands in there.
    """

    grouping: str
    members: ir.Table
    purchase: dict[str, PurchaseModel]
    spend: dict[str, SpendModel]
    pooled_purchase: dict[str, str] = field(default_factory=dict)
    pooled_spend: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> list[str]:
        """Groups with a purchase model of their own."""
        return [group for group in self.purchase if group not in self.pooled_purchase]


@dataclass(frozen=True)
class Decision:
    """Which grouping is modelled apart (empty: none) and on what ground."""

    grouping: str
    ground: Ground


@dataclass(frozen=True)
class Segmentation:
    """Every grouping tried, the models of each, and which is used.

    Attributes
    ----------
    tests : one row per grouping; see :func:`likelihood_ratio` and :func:`judge_grouping`. Further ``p_holm`` (corrected
        for the number of groupings), ``supported`` (p_holm under .05 and a lower BIC) and ``not_worse`` (the hold-out;
        False without one).
    models : by grouping.
    untested : by grouping, why it could not be compared.
    decision : see :func:`decide`.
    """

    tests: pd.DataFrame
    groupings: dict[str, Grouping]
    models: dict[str, GroupModels]
    untested: dict[str, str]
    decision: Decision

    @property
    def used(self) -> GroupModels | None:
        """The models by which customers are to be predicted; None where the pooled ones are."""
        return self.models.get(self.decision.grouping)


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
    keys = ["group", *_KEYS]
    both = summary.select("customer_id", *_KEYS).inner_join(members, "customer_id")
    return both.group_by(keys).agg(weight=both.count()).to_pandas().sort_values(keys, ignore_index=True)


def fit_groups(
    rows: pd.DataFrame, grouping: Grouping, purchase: PurchaseModel, spend: SpendModel | None, minimum: int
) -> GroupModels:
    """Each group's own models, of the same kind as the pooled ones.

    Parameters
    ----------
    rows : as :func:`grouped_rows`.
    purchase, spend : the pooled models; they stand in, with the reason, for a group that is small or has no sound fit.
    minimum : customers of a group with models of its own.
    """
    bought: dict[str, PurchaseModel] = {}
    spent: dict[str, SpendModel] = {}
    without: dict[str, str] = {}
    unspent: dict[str, str] = {}
    for group, own in rows.groupby("group", sort=True):
        name, people = str(group), int(own["weight"].sum())
        few = _("{n} customers, fewer than {least}", n=number(people), least=number(minimum))
        model, why = (None, few) if people < minimum else or_reason(lambda own=own: _fit(own, purchase.name))
        bought[name] = model or purchase
        without |= {} if model else {name: why}
        if spend is not None:
            paid, why = (None, few) if people < minimum else or_reason(lambda own=own: fit_gamma_gamma(own))
            spent[name] = paid or spend
            unspent |= {} if paid else {name: why}
    return GroupModels(grouping.name, grouping.members, bought, spent, without, unspent)


def _fit(rows: pd.DataFrame, name: Name) -> PurchaseModel:
    return fit_purchases(rows.groupby(HISTORY, sort=True)["weight"].sum().reset_index(), name)


def likelihood_ratio(
    rows: pd.DataFrame, models: GroupModels, purchase: PurchaseModel, spend: SpendModel | None
) -> dict[str, Any]:
    """Likelihood-ratio test of one model per group against one for all of them, on exactly the same customers.

    Twice the gain in log-likelihood is χ² with k·(G − 1) degrees of freedom where the groups are alike (Wilks), k
    parameters and G groups. Groups without a sound fit of their own are left out on both sides: the pooled model is
    refitted to the others. Purchases and spend are independent in the models, so that their statistics add up.

    Returns
    -------
    ``grouping, groups, customers, left_out``; ``lr, df, p`` of both together and ``_purchases`` and ``_spend`` of each
    (missing where not compared); ``bic_gain``: BIC of the pooled model less that of the separate ones.

    Raises
    ------
    ModelError : fewer than two groups carry a model of their own, or the pooled one cannot be fitted to them.
    """
    own = [group for group in models.own if group != EARLIER]
    if len(own) < 2:
        raise ModelError(_("fewer than two groups carry a model of their own"))
    used = rows[rows["group"].isin(own)]
    n = int(used["weight"].sum())
    whole = purchase if n == purchase.n_customers else _fit(used, purchase.name)
    lr = 2 * (sum(models.purchase[g].loglik for g in own) - whole.loglik)
    df = len(whole.names) * (len(own) - 1)
    found: dict[str, Any] = {
        "grouping": models.grouping, "groups": len(own), "customers": n,
        "left_out": int(rows["weight"].sum()) - n,
        "lr_purchases": lr, "df_purchases": df, "p_purchases": chance_of(lr, df),
    }  # fmt: skip
    gain = lr - df * np.log(n)
    lr_spend, df_spend, people = _test_spend(rows, models, spend)
    found |= {"lr_spend": lr_spend, "df_spend": df_spend, "p_spend": chance_of(lr_spend, df_spend)}
    if df_spend:
        lr, df, gain = lr + lr_spend, df + df_spend, gain + lr_spend - df_spend * np.log(people)
    return found | {"lr": lr, "df": df, "p": chance_of(lr, df), "bic_gain": float(gain)}


def _test_spend(rows: pd.DataFrame, models: GroupModels, spend: SpendModel | None) -> tuple[float, int, int]:
    """Statistic, degrees of freedom and repeat customers of the spend models; no degrees where not compared."""
    own = [group for group in models.spend if group not in models.pooled_spend and group != EARLIER]
    if spend is None or len(own) < 2:
        return float("nan"), 0, 0
    people = sum(models.spend[g].n_customers for g in own)
    whole: SpendModel | None = spend
    if people != spend.n_customers:
        whole, _why = or_reason(lambda: fit_gamma_gamma(rows[rows["group"].isin(own)]))
    if whole is None:
        return float("nan"), 0, 0
    lr = 2 * (sum(models.spend[g].loglik for g in own) - whole.loglik)
    return lr, len(SPEND_PARAMETERS) * (len(own) - 1), people


def chance_of(lr: float, df: int) -> float:
    """Chance of a statistic this large where all groups are alike; missing without degrees of freedom."""
    from scipy.special import chdtrc

    return float(chdtrc(df, lr)) if df else float("nan")


def holm(p: ArrayLike) -> Floats:
    """p-values corrected for their number (Holm 1979, Scandinavian Journal of Statistics 6): the family's error holds.

    The i-th smallest of m is multiplied by m − i + 1; none may fall below a smaller one's, nor above 1.
    """
    values = np.asarray(p, float)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    out = np.empty(len(values))
    out[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return out


def judge_grouping(
    transactions: ir.Table,
    calibration: ir.Table,
    grouping: Grouping,
    purchase: PurchaseModel,
    spend: SpendModel | None,
    end: dt.date,
    cut: dt.date,
    minimum: int,
) -> dict[str, float]:
    """How models per group, fitted up to a cut, forecast the days after it, against the pooled ones.

    Every customer acquired up to the cut is forecast by both; a group that carries no model there by the pooled one
    on both sides. Memberships are those of the customers table today.

    Parameters
    ----------
    calibration : customer summary at ``cut``.
    purchase, spend : pooled models fitted up to ``cut``.

    Returns
    -------
    ``rmse, bias`` of purchase days per customer (bias: of the total, share of actual), ``rmse_money`` of what they
    spent (currency, missing without spend models), each also with ``_pooled``; and ``rmse_z``, by how many standard
    errors the squared errors of purchase days are larger than the pooled ones (paired by customer).
    """
    held = grouping.only(calibration)
    models = fit_groups(grouped_rows(calibration, held.members), held, purchase, spend, minimum)
    rows = _outcomes(transactions, calibration, held.members, cut)
    days = (end - cut).days
    pooled = GroupModels(grouping.name, held.members, dict.fromkeys(models.purchase, purchase),
                         dict.fromkeys(models.spend, spend) if spend else {})  # fmt: skip
    (own, own_money), (all_of_them, all_money) = _forecasts(rows, models, days), _forecasts(rows, pooled, days)
    bought = rows["weight"].to_numpy(float), rows["bought"].to_numpy(float), rows["bought_squared"].to_numpy(float)
    paid = bought[0], rows["paid"].to_numpy(float), rows["paid_squared"].to_numpy(float)
    return {
        "rmse": _rmse(own, *bought),
        "rmse_pooled": _rmse(all_of_them, *bought),
        "rmse_z": _beyond_chance(own, all_of_them, *bought),
        "bias": _bias(own, *bought),
        "bias_pooled": _bias(all_of_them, *bought),
        "rmse_money": _rmse(own_money, *paid),
        "rmse_money_pooled": _rmse(all_money, *paid),
    }


def _outcomes(transactions: ir.Table, calibration: ir.Table, members: ir.Table, cut: dt.date) -> pd.DataFrame:
    """Distinct group and history with sums and sums of squares of purchase days and money after the cut."""
    bought = purchase_days(transactions)
    bought = bought.filter(bought.ordered_on > cut)
    each = bought.group_by("customer_id").agg(bought=bought.count(), paid=bought.amount.sum().cast("float64"))
    known = calibration.select("customer_id", *_KEYS).inner_join(members, "customer_id")
    both = known.select("customer_id", "group", *_KEYS).left_join(each, "customer_id")
    both = both.mutate(bought=both.bought.fill_null(0).cast("float64"), paid=both.paid.fill_null(0.0))
    keys = ["group", *_KEYS]
    sums = both.group_by(keys).agg(
        weight=both.count(),
        bought=both.bought.sum(),
        bought_squared=(both.bought**2).sum(),
        paid=both.paid.sum(),
        paid_squared=(both.paid**2).sum(),
    )
    return sums.to_pandas().sort_values(keys, ignore_index=True)


def _forecasts(rows: pd.DataFrame, models: GroupModels, days: int) -> tuple[Floats, Floats]:
    """Purchase days and money of each row's customer over the next ``days``; no money without spend models."""
    forecast, money = np.zeros(len(rows)), np.full(len(rows), np.nan)
    for group, place in rows.groupby("group").indices.items():
        own = rows.iloc[place]
        forecast[place] = models.purchase[str(group)].expected_purchases(days, *(own[key] for key in HISTORY))
        if models.spend:
            order = models.spend[str(group)].expected_order_value(own["frequency"], own["monetary_value"])
            money[place] = forecast[place] * order
    return forecast, money


def _rmse(forecast: Floats, weight: Floats, sums: Floats, squares: Floats) -> float:
    """Of customers who share a forecast, from the sum and the sum of squares of what they did."""
    total = weight * forecast**2 - 2 * forecast * sums + squares
    return float(np.sqrt(max(total.sum(), 0.0) / weight.sum())) if np.isfinite(total).all() else float("nan")


def _bias(forecast: Floats, weight: Floats, sums: Floats, _squares: Floats) -> float:
    return float(weight @ forecast / sums.sum() - 1) if sums.sum() else float("nan")


def _beyond_chance(one: Floats, other: Floats, weight: Floats, sums: Floats, squares: Floats) -> float:
    """By how many standard errors one forecast's squared errors are larger than the other's, customer by customer."""
    level, slope = one**2 - other**2, -2 * (one - other)  # of a customer who did y: level + slope · y
    n = weight.sum()
    mean = float((weight * level + slope * sums).sum() / n)
    square = float((weight * level**2 + 2 * level * slope * sums + slope**2 * squares).sum() / n)
    spread = np.sqrt(max(square - mean**2, 0.0) / n)
    return float(mean / spread) if spread else 0.0


def decide(tests: pd.DataFrame, purchase_by: str = "auto", fitted: Mapping[str, GroupModels] | None = None) -> Decision:
    """Which grouping is modelled apart.

    ``"none"`` none; a named one wherever it carries any model of its own; ``"auto"`` the supported one (Holm's p under
    .05 and a lower BIC than the pooled model) whose hold-out errors are not larger than the pooled ones, the largest
    gain in BIC first. Without a hold-out none is supported: the tests alone look at the days the models were fitted on.
    """
    if purchase_by == "none":
        return Decision("", "switched off")
    if purchase_by != "auto":
        own = fitted[purchase_by].own if fitted and purchase_by in fitted else []
        return Decision(purchase_by, "declared") if own else Decision("", "not tested")
    if not len(tests):
        return Decision("", "not tested")
    good = tests[tests["supported"] & tests["not_worse"]]
    if not len(good):
        return Decision("", "not supported")
    return Decision(str(good.sort_values("bic_gain", ascending=False, kind="stable")["grouping"].iloc[0]), "tested")


def compare_groupings(
    transactions: ir.Table,
    summary: ir.Table,
    customers: ir.Table | None,
    beginning: Beginning,
    purchase: PurchaseModel,
    spend: SpendModel | None,
    cut: dt.date | None,
    parameters: Any,
) -> Segmentation:
    """Try every grouping that the client has, or the one asked for, and decide.

    Parameters
    ----------
    customers : the customers table; None where there is none, and then only cohorts are tried.
    beginning : in periods of ``parameters.cohort_period``.
    purchase, spend : the pooled models of all customers.
    cut : last day of the calibration; None where the client has no hold-out.
    parameters : ``as_of, cohort_period, minimum_group, purchase_by``.
    """
    asked, minimum = parameters.purchase_by, max(FEWEST_CUSTOMERS, parameters.minimum_group)
    names = [*possible_columns(customers), COHORT]
    names = names if asked == "auto" else [name for name in names if name == asked]
    groupings: dict[str, Grouping] = {}
    for name in names:
        if name == COHORT:
            groupings[name] = group_by_cohort(summary, beginning, parameters.cohort_period, minimum)
        else:
            assert customers is not None
            groupings[name] = group_by_column(summary, customers, name, minimum)
    tests, models, untested = _test_all(summary, groupings, purchase, spend, minimum)
    held = _judge_all(transactions, groupings, tests, cut, parameters.as_of, purchase.name, spend, minimum)
    tests = _supported(tests, held)
    return Segmentation(tests, groupings, models, untested, decide(tests, asked, models))


def _test_all(
    summary: ir.Table, groupings: dict[str, Grouping], purchase: PurchaseModel, spend: SpendModel | None, minimum: int
) -> tuple[list[dict[str, Any]], dict[str, GroupModels], dict[str, str]]:
    tests, models, untested = [], {}, {}
    for name, grouping in groupings.items():
        if len(grouping.groups) < 2:
            untested[name] = _("fewer than two groups carry a model of their own")
            continue
        rows = grouped_rows(summary, grouping.members)
        models[name] = fit_groups(rows, grouping, purchase, spend, minimum)
        test, why = or_reason(lambda rows=rows, own=models[name]: likelihood_ratio(rows, own, purchase, spend))
        tests += [test] if test else []
        untested |= {} if test else {name: why}
    return tests, models, untested


def _judge_all(
    transactions: ir.Table,
    groupings: dict[str, Grouping],
    tests: list[dict[str, Any]],
    cut: dt.date | None,
    end: dt.date,
    name: Name,
    spend: SpendModel | None,
    minimum: int,
) -> dict[str, dict[str, float]]:
    """The hold-out of each grouping that was tested; nothing without a cut or a pooled model up to it."""
    if cut is None or not tests:
        return {}
    calibration = customer_summary(transactions, cut).cache()
    rows = calibration.group_by(_KEYS).agg(weight=calibration.count()).to_pandas()
    rows = rows.sort_values(_KEYS, ignore_index=True)
    pooled, _why = or_reason(lambda: _fit(rows, name))
    if pooled is None:
        return {}
    paid, _why = or_reason(lambda: fit_gamma_gamma(rows)) if spend else (None, "")
    return {
        test["grouping"]: judge_grouping(
            transactions, calibration, groupings[test["grouping"]], pooled, paid, end, cut, minimum
        )
        for test in tests
    }


def _supported(tests: list[dict[str, Any]], held: dict[str, dict[str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame([test | held.get(test["grouping"], {}) for test in tests])
    if not len(frame):
        return frame
    frame["p_holm"] = holm(frame["p"])
    frame["supported"] = (frame["p_holm"] < SIGNIFICANT) & (frame["bic_gain"] > 0)
    frame["not_worse"] = _not_worse(frame, "rmse") & (
        _not_worse(frame, "rmse_money") | frame.get("rmse_money", pd.Series(np.nan, frame.index)).isna()
    )
    return frame


def _not_worse(frame: pd.DataFrame, score: str) -> pd.Series:
    """False where either side was not judged."""
    if score not in frame:
        return pd.Series(False, frame.index)
    return frame[score] <= frame[f"{score}_pooled"]


def expected_of_new(model: PurchaseModel, days: ArrayLike, thetas: Floats) -> Floats:
    """Expected repeat purchase days of a new customer under each parameter draw: draws × ``days``."""
    theta, ahead = thetas.T[:, :, None], np.atleast_1d(np.asarray(days, float))
    zero = np.zeros((1, 1))
    return model.p_alive(zero, zero, zero, theta) * model.purchases_if_alive(ahead, zero, zero, theta)


def sound(draws: Floats) -> Floats:
    """The draws (rows) in which everything is a number; one row of missing values where over a twentieth is not.

    A badly determined parameter is now and then drawn so large that the formulas leave the range of numbers.
    """
    good = np.isfinite(draws).all(axis=1)
    return draws[good] if good.mean() >= SOUND_SHARE else np.full((1, draws.shape[1]), np.nan)


def first_year(models: GroupModels, interval: float, seed: int) -> pd.DataFrame:
    """Repeat purchase days expected of a new customer in the first year, by group: the size of the difference.

    Returns
    -------
    frame ``group, purchases, low, high, own`` (whether from a model of the group's own), most first. The interval
    holds uncertain parameters, for the mean of many new customers.
    """
    lines = []
    for group, model in models.purchase.items():
        if group == EARLIER:
            continue
        low = high = float("nan")
        if model.has_covariance:
            drawn = draw_parameters_of(model, DRAWS, np.random.default_rng(seed))
            tails = [(1 - interval) / 2, (1 + interval) / 2]
            low, high = np.quantile(sound(expected_of_new(model, YEAR_DAYS, drawn)), tails)
        lines.append({"group": group, "purchases": float(model.expected_of_new(YEAR_DAYS)), "low": low, "high": high,
                      "own": group not in models.pooled_purchase})  # fmt: skip
    return pd.DataFrame(lines).sort_values("purchases", ascending=False, kind="stable", ignore_index=True)
