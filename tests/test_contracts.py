"""Contracts: rhythm and renewals against dates by hand, value against simulation, hold-out, the chapter's part."""

import calendar
import datetime as dt
import json
import math

import matplotlib

matplotlib.use("Agg")

import ibis
import numpy as np
import pandas as pd
import pytest

from perennial.analysis import contract_holdout, contract_value, renewal_fit, renewals
from perennial.analysis import shifted_beta_geometric as sbg
from perennial.analysis.contract_holdout import CONSTANT, LAST, MODEL
from perennial.analysis.contract_setting import choose_setting, fees_in_orders
from perennial.analysis.contract_value import Plan
from perennial.analysis.renewals import Rhythm
from perennial.chapters import contract_words, value_contracts
from perennial.charts import contracts as charts
from perennial.charts import theme
from perennial.simulate import contracts as simulated

AS_OF = dt.date(2025, 12, 31)
MONTHLY, YEARLY = Rhythm("m", "month", 1), Rhythm("y", "month", 12)
TRUTH = {plan.name: plan for plan in simulated.PLANS}


def later(day: dt.date, months: int) -> dt.date:
    """The same day so many months on, the month's last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def table(rows: list[tuple[str, str, dt.date, dt.date | None, dt.date | None, float | None]]) -> ibis.Table:
    names = ["customer_id", "plan", "started_at", "ended_at", "renews_at", "price_per_month"]
    kinds = ["string", "string", "date", "date", "date", "float64"]
    return ibis.memtable(
        [dict(zip(names, row, strict=True)) for row in rows], schema=dict(zip(names, kinds, strict=True))
    )


def contracts_every(months: int, n: int, plan: str = "p", seed: int = 1) -> list:
    """Contracts on any day of the month, some ended at a renewal, the others with their next one."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n):
        start = dt.date(2022, 1, 1) + dt.timedelta(days=int(rng.integers(0, 1400)))
        end = later(start, months * int(rng.integers(1, 12)))
        following = next(d for k in range(1, 100) if (d := later(start, months * k)) > AS_OF)
        rows.append((str(i), plan, start, end if end <= AS_OF else None, None if end <= AS_OF else following, 10.0))
    return rows


@pytest.mark.parametrize("months", [1, 2, 3, 6, 12, 24])
def test_rhythm_of_months_is_found_from_any_day_of_the_month(months):
    """Also from the 31st, whose renewal in February is on the 28th or 29th."""
    found = renewals.find_rhythms(table(contracts_every(months, 80)), AS_OF)
    assert [(r.unit, r.length, r.reason) for r in found] == [("month", months, "")]
    assert found[0].fitting == 1 and found[0].dates == found[0].contracts == 80


@pytest.mark.parametrize("days", [7, 14, 28, 30])
def test_rhythm_of_days(days):
    rng = np.random.default_rng(4)
    starts = [dt.date(2024, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 300, 60)]
    rows = [(str(i), "p", s, s + dt.timedelta(days=days * (2 + i % 9)), None, 5.0) for i, s in enumerate(starts)]
    found = renewals.find_rhythms(table(rows), AS_OF)[0]
    assert (found.unit, found.length) == ("day", days)


def test_ends_a_day_before_the_renewal_are_on_the_rhythm():
    """A year from 1 March to 28 February is a year."""
    rows = [(str(i), "p", dt.date(2022, 3, 1 + i), dt.date(2023 + i % 2, 3, 1 + i) - dt.timedelta(days=1), None, 9.0)
            for i in range(12)]  # fmt: skip
    found = renewals.find_rhythms(table(rows), AS_OF)
    assert (found[0].unit, found[0].length) == ("month", 12)
    ended = renewals.renewal_counts(table(rows), found, AS_OF)
    assert ended.groupby("time")["count"].sum().to_dict() == {1: 6, 2: 6} and ended["ended"].all()


def test_plans_without_rhythm_are_left_out_with_a_reason():
    rng = np.random.default_rng(2)
    start = dt.date(2024, 1, 10)
    random = [(str(i), "any day", start, start + dt.timedelta(days=int(d)), None, 5.0)
              for i, d in enumerate(rng.integers(20, 700, 60))]  # fmt: skip
    few = [("f", "few", start, later(start, 1), None, 5.0)]
    open_ended = [(f"o{i}", "open", start, None, None, 5.0) for i in range(20)]
    both = contracts_every(1, 40, "both", 3) + contracts_every(12, 40, "both", 5)
    found = {r.plan: r for r in renewals.find_rhythms(table(random + few + open_ended + both), AS_OF)}
    reasons = {name: r.reason for name, r in found.items()}
    assert reasons == {"any day": "irregular", "few": "few", "open": "few", "both": "mixed"}
    assert not any(r.recognised for r in found.values())
    assert renewals.renewal_counts(table(random), [found["any day"]], AS_OF).empty


def test_renewals_by_hand():
    """At 31 December 2025; a contract that ends between renewals counts at the later one, once that has come."""
    rows = [
        ("a", "m", dt.date(2025, 1, 31), dt.date(2025, 2, 28), None, 1.0),  # first renewal, at the month's end
        ("b", "m", dt.date(2025, 10, 31), None, dt.date(2026, 1, 31), 1.0),  # 30 November, 31 December: 2 behind it
        ("c", "m", dt.date(2025, 10, 15), dt.date(2025, 11, 25), None, 1.0),  # between the first and second: 2
        (
            "d",
            "m",
            dt.date(2025, 10, 15),
            dt.date(2025, 12, 24),
            None,
            1.0,
        ),  # the third is to come: running after 2
        ("e", "m", dt.date(2025, 12, 20), None, None, 1.0),  # none yet
        ("f", "m", dt.date(2026, 1, 1), None, None, 1.0),  # begins later: not counted
        ("g", "y", dt.date(2023, 12, 31), dt.date(2026, 12, 31), None, 1.0),  # end known, to come: running after 2
        ("h", "y", dt.date(2024, 1, 1), dt.date(2025, 1, 1), None, 1.0),
        ("i", "m", dt.date(2025, 6, 1), dt.date(2025, 6, 1), None, 1.0),  # cancelled at once: not renewed
    ]
    counts = renewals.renewal_counts(table(rows), [MONTHLY, YEARLY], AS_OF)
    found = {(r.plan, r.time, bool(r.ended)): r.count for r in counts.drop(columns="cohort").itertuples(index=False)}
    assert found == {
        ("m", 0, False): 1, ("m", 1, True): 2, ("m", 2, False): 2, ("m", 2, True): 1, ("y", 1, True): 1,
        ("y", 2, False): 1,
    }  # fmt: skip
    assert set(counts.loc[counts["plan"] == "y", "cohort"]) == {2023, 2024}
    odd = renewals.oddities(table([*rows, ("k", "m", dt.date(2025, 5, 1), None, dt.date(2025, 7, 1), 1.0)]), AS_OF)
    assert odd == {"notice": 1, "overdue": 1, "backwards": 0}


def test_renewals_of_the_demo_equal_a_count_of_its_rows(shipped):
    """Each contract's months from start to end, counted in pandas; followed from a cut likewise."""
    client = shipped("demo")
    rows = client.table("subscriptions").to_pandas()
    rhythms = renewals.find_rhythms(client.table("subscriptions"), AS_OF)
    assert {r.plan: (r.unit, r.length) for r in rhythms} == {"monthly": ("month", 1), "yearly": ("month", 12)}
    start, end = pd.to_datetime(rows["started_at"]), pd.to_datetime(rows["ended_at"])
    length = rows["plan"].map({"monthly": 1, "yearly": 12})

    def passed(day: pd.Series) -> pd.Series:
        months = (day.dt.year - start.dt.year) * 12 + day.dt.month - start.dt.month
        return (months - (day.dt.day < start.dt.day)) // length

    def on(day: dt.date) -> pd.Series:
        return passed(pd.Series(pd.Timestamp(day), index=rows.index))

    expected = pd.DataFrame(
        {"plan": rows["plan"], "time": on(AS_OF).where(end.isna(), passed(end)).astype(int), "ended": end.notna()}
    )
    counts = renewals.renewal_counts(client.table("subscriptions"), rhythms, AS_OF)
    found = counts.groupby(["plan", "time", "ended"])["count"].sum()
    pd.testing.assert_series_equal(found, expected.value_counts().sort_index(), check_dtype=False)

    cut = dt.date(2024, 12, 31)
    held = (start <= pd.Timestamp(cut)) & ~(end <= pd.Timestamp(cut))
    followed = renewals.renewal_counts(client.table("subscriptions"), rhythms, cut, AS_OF)
    assert followed["count"].sum() == held.sum()
    assert followed.loc[followed["survived"], "count"].sum() == (held & end.isna()).sum()
    assert (followed["due"] * followed["count"]).sum() == (on(AS_OF) - on(cut))[held].sum()


def test_estimates_of_the_demo_agree_with_its_truth(shipped):
    """The parameters it was drawn from (docs/simulation.md) lie in the 99 % likelihood region: chi-squared, 2 df."""
    client = shipped("demo")
    subscriptions = client.table("subscriptions")
    for plan in contract_value.fit_plans(subscriptions, renewals.find_rhythms(subscriptions, AS_OF), AS_OF, 10):
        truth, counts = TRUTH[plan.name], plan.counts
        assert plan.model.name == "sBG"
        at_truth = sbg.log_likelihood((truth.alpha, truth.beta), counts["time"].to_numpy(float), counts["ended"])
        assert 0 <= 2 * (plan.model.loglik - float(counts["count"] @ at_truth)) < 9.21


def test_value_of_the_demo_holds_the_value_at_its_true_parameters(shipped):
    """90 % intervals of the two totals; truth by the same sums at the simulation's own alpha and beta."""
    client, p = shipped("demo"), shipped("demo").parameters
    subscriptions = client.table("subscriptions")
    rhythms = renewals.find_rhythms(subscriptions, AS_OF)
    plans = contract_value.fit_plans(subscriptions, rhythms, AS_OF, 10)
    running = renewals.running_contracts(subscriptions, rhythms, AS_OF, 12, p.discount_rate)
    value = contract_value.value_contracts(plans, running, p.discount_rate, p.gross_margin, 0.9, 1)
    true = {"within": 0.0, "value": 0.0}
    for rhythm in rhythms:
        own, t = running[running["plan"] == rhythm.plan], TRUTH[rhythm.plan]
        rate = (1 + p.discount_rate) ** (rhythm.days / 365.25) - 1
        true["value"] += p.gross_margin * (own["fee"] @ sbg.residual_lifetime(t.alpha, t.beta, own["renewals"], rate))
        within = sbg.renewals_within(t.alpha, t.beta, own["renewals"], own["due"], rate)
        true["within"] += p.gross_margin * (own["fee"] @ within)
    for what, total in value.total.items():
        assert total["low"] < true[what] < total["high"]


def test_running_contracts_by_hand():
    """Renewals due in 12 months, fee of a period, and its discount from the next renewal."""
    rows = [
        ("a", "m", dt.date(2025, 11, 15), None, None, 20.0),  # next on 15 January, then eleven more
        ("b", "y", dt.date(2025, 7, 1), None, None, 30.0),  # 1 July 2026 only
        ("c", "y", dt.date(2024, 7, 1), None, None, None),  # no price
        ("d", "y", dt.date(2024, 7, 1), dt.date(2026, 7, 1), None, 30.0),  # its end is known: left out
    ]
    running = renewals.running_contracts(table(rows), [MONTHLY, YEARLY], AS_OF, 12, 0.1)
    frame = running.set_index(["plan", "renewals"])
    assert frame["due"].to_dict() == {("m", 1): 12, ("y", 0): 1, ("y", 1): 1}
    assert frame["priced"].to_dict() == {("m", 1): 1, ("y", 0): 1, ("y", 1): 0}
    assert frame["per_month"].to_dict() == {("m", 1): 20, ("y", 0): 30, ("y", 1): 0}
    assert frame.loc[("m", 1), "fee"] == pytest.approx(20 * 1.1 ** (-15 / 365.25), rel=2e-4)
    assert frame.loc[("y", 0), "fee"] == pytest.approx(360 * 1.1 ** (-182 / 365.25), rel=2e-4)
    assert frame.loc[("y", 0), "fee_squared"] == pytest.approx(frame.loc[("y", 0), "fee"] ** 2)


def some_plan(alpha: float = 3.0, beta: float = 9.0, rhythm: Rhythm = YEARLY, n: int = 4000) -> Plan:
    rng = np.random.default_rng(8)
    leaves, seen = rng.geometric(rng.beta(alpha, beta, n)), rng.integers(0, 7, n)
    frame = pd.DataFrame({"cohort": 2020, "time": np.minimum(leaves, seen), "ended": leaves <= seen})
    counts = frame.value_counts(sort=False).rename("count").reset_index()
    return Plan(rhythm, counts, renewal_fit.fit(counts))


def running_of(plan: str, renewed: list[int], contracts: int = 50, fee: float = 100.0) -> pd.DataFrame:
    rows = [(plan, 2020 + r, r, 2, contracts, contracts, contracts * fee / 12, contracts * fee, contracts * fee**2)
            for r in renewed]  # fmt: skip
    names = ["plan", "cohort", "renewals", "due", "contracts", "priced", "per_month", "fee", "fee_squared"]
    return pd.DataFrame(rows, columns=names)


def test_value_is_fee_times_margin_times_residual_lifetime():
    """At the estimates, without discount: n · fee · margin · (β+n)/(α−1); groups add up to plans and the total."""
    plan = some_plan()
    running = running_of("y", [0, 1, 3])
    value = contract_value.value_contracts([plan], running, 0.0, 0.4, 0.9, 1)
    m = plan.model
    want = 0.4 * 50 * 100 * sum((m.beta + n) / (m.alpha - 1) for n in (0, 1, 3))
    assert value.total["value"]["value"] == pytest.approx(want)
    assert value.groups["value"].sum() == pytest.approx(want)
    assert value.plans["value"].iloc[0] == pytest.approx(want)
    assert value.plans["derl"].iloc[0] == pytest.approx(want / (0.4 * 3 * 50 * 100))
    kept = sum(sbg.survival_given(m.alpha, m.beta, n, 1) + sbg.survival_given(m.alpha, m.beta, n, 2) for n in (0, 1, 3))
    assert value.total["within"]["value"] == pytest.approx(0.4 * 50 * 100 * float(kept))
    assert value.plans["beyond"].iloc[0] < want
    for total in value.total.values():
        assert total["low"] < total["value"] < total["high"]
        assert total["parameter_low"] < total["value"] < total["parameter_high"]


def test_chance_alone_is_the_spread_of_simulated_contracts():
    """Process interval of 150 contracts against 4 000 whole simulations at the estimates, within 10 %."""
    plan = some_plan()
    value = contract_value.value_contracts([plan], running_of("y", [0, 1, 3]), 0.1, 0.4, 0.9, 1)
    rng = np.random.default_rng(3)
    past = np.repeat([0, 1, 3], 50)
    made = sbg.draw_renewals(plan.model.alpha, plan.model.beta, past, (4000, 150), rng)
    rate = 1.1 ** (YEARLY.days / 365.25) - 1
    worth = 0.4 * 100 * ((1 - (1 + rate) ** -made) / (1 - 1 / (1 + rate))).sum(axis=1)
    low, high = np.quantile(worth, [0.05, 0.95])
    total = value.total["value"]
    assert total["process_high"] - total["process_low"] == pytest.approx(high - low, rel=0.1)
    assert total["value"] == pytest.approx(worth.mean(), rel=0.01)


def test_a_thousand_contracts_alike_vary_as_a_thousand_do():
    """A group is drawn by 40 of its contracts: the spread of 1 000 is √(1000/50) that of 50, not 20-fold."""
    plan = some_plan()
    few, many = (
        contract_value.value_contracts([plan], running_of("y", [1], n), 0.1, 1.0, 0.9, 1).total["value"]
        for n in (50, 1000)
    )
    spread = (many["process_high"] - many["process_low"]) / (few["process_high"] - few["process_low"])
    assert spread == pytest.approx(math.sqrt(20), rel=0.05)


def test_without_discount_lasting_contracts_have_no_finite_value():
    """alpha below 1 and discount 0: the sum over all renewals diverges, that over the horizon does not."""
    plan = some_plan(0.6, 4.0)
    assert plan.model.alpha < 1
    value = contract_value.value_contracts([plan], running_of("y", [0, 2]), 0.0, 0.4, 0.9, 1)
    assert math.isinf(value.total["value"]["value"]) and math.isinf(value.total["value"]["high"])
    assert math.isfinite(value.total["within"]["high"])


def test_no_price_no_value():
    running = running_of("y", [0]).assign(priced=0, fee=0.0, fee_squared=0.0)
    assert contract_value.value_contracts([some_plan()], running, 0.1, 0.4, 0.9, 1) is None


def test_projected_counts_hold_both_kinds_of_uncertainty():
    """Expected survivors by hand; parameters and chance together vary more than either."""
    plan = some_plan()
    frame = contract_value.project_counts(plan, running_of("y", [0, 2]), [1, 5], 0.9, 1)
    m = plan.model
    want = 50 * sum(float(sbg.survival_given(m.alpha, m.beta, n, 5)) for n in (0, 2))
    assert frame["expected"].iloc[1] == pytest.approx(want)
    width = {k: frame[f"{k}high"] - frame[f"{k}low"] for k in ("", "parameter_", "process_")}
    assert (width[""] >= width["parameter_"]).all() and (width[""] >= 0.9 * width["process_"]).all()


def drawn_contracts(alpha: float, beta: float, n: int, seed: int) -> ibis.Table:
    """Monthly contracts begun over three years, drawn as the demo's are."""
    rng, rows = np.random.default_rng(seed), []
    leaves = rng.geometric(np.maximum(rng.beta(alpha, beta, n), 1e-9))
    for i, (day, term) in enumerate(zip(rng.integers(0, 1080, n), leaves, strict=True)):
        start = dt.date(2023, 1, 1) + dt.timedelta(days=int(day))
        end = later(start, min(int(term), 600))
        rows.append((str(i), "m", start, end if end <= AS_OF else None, None, 10.0))
    return table(rows)


def test_holdout_of_drawn_contracts_is_won_by_the_model():
    """1 200 contracts of great differences: nearest to what came, within its interval; constant churn falls short."""
    held = contract_holdout.holdout_contracts(
        drawn_contracts(0.6, 3.0, 1200, 7), [MONTHLY], dt.date(2024, 12, 31), AS_OF, 10, 0.9, 1
    )
    whole = held.scores[held.scores["plan"].isna()].set_index("forecaster")
    assert held.models == {"m": "sBG"} and not held.is_constant
    assert held.winner == MODEL
    assert whole.loc[MODEL, "low"] <= whole.loc[MODEL, "actual"] <= whole.loc[MODEL, "high"]
    assert whole.loc[CONSTANT, "bias"] < -0.1
    assert whole.loc[MODEL, "rmse"] < whole.loc[CONSTANT, "rmse"]
    assert held.by_cohort["contracts"].sum() == whole.loc[MODEL, "contracts"]
    assert held.by_cohort["actual"].sum() == whole.loc[LAST, "actual"]


def test_baselines_by_hand():
    """Retention ¾ at renewal 1, ½ at renewal 2: constant churn is 35 of 80; the last rate is carried on."""
    counts = pd.DataFrame({"time": [1, 2, 2, 1], "ended": [True, True, False, False], "count": [15, 10, 10, 25]})
    model = sbg.RenewalModel("sBG", 1.0, 2.0, 0.0, 60, ended=25.0, renewed=55.0)
    followed = pd.DataFrame({"time": [0, 1, 2], "due": [3, 1, 2]})
    found = contract_holdout._forecasts(Plan(YEARLY, counts, model), followed)
    assert found[CONSTANT] == pytest.approx([(55 / 80) ** k for k in (3, 1, 2)])
    assert found[LAST] == pytest.approx([0.75 * 0.5 * 0.5, 0.5, 0.25])
    assert found[MODEL] == pytest.approx([2 / 3 * 3 / 4 * 4 / 5, 3 / 4, 4 / 5 * 5 / 6])


def orders(rows: list[tuple[str, dt.date, float]]) -> ibis.Table:
    schema = {"customer_id": "string", "ordered_on": "date", "amount": "float64"}
    return ibis.memtable([dict(zip(schema, row, strict=True)) for row in rows], schema=schema)


def test_setting_is_chosen_by_customers_and_money():
    bound = table([(str(i), "m", dt.date(2025, 1, 1), None, None, 10.0) for i in range(9)])
    within = orders([(str(i), dt.date(2025, 3, 1), 50.0) for i in range(10)])
    before = orders([(str(i), dt.date(2024, 3, 1), 50.0) for i in range(10)])
    contractual = choose_setting("auto", bound, within, AS_OF)
    assert contractual.contractual and contractual.has_contracts
    assert (contractual.holders, contractual.revenue_within) == (pytest.approx(0.9), pytest.approx(0.9))
    assert "90 % of customers" in contractual.reason
    assert not choose_setting("auto", bound, before, AS_OF).contractual
    assert choose_setting(True, bound, before, AS_OF).contractual
    off = choose_setting(False, bound, within, AS_OF)
    assert not off.contractual and not off.has_contracts and "parameters" in off.reason
    none = choose_setting("auto", None, within, AS_OF)
    assert not none.has_contracts and "no table of contracts" in none.reason
    assert "no table of them" in choose_setting(True, None, within, AS_OF).reason


def test_fees_are_found_among_the_orders():
    """Billed by month or by period: in orders. None of that amount: apart. One in five: unknown."""
    day = dt.date(2025, 3, 3)
    contracts = table([(str(i), "y", day, None, None, 10.0) for i in range(20)])
    shop = [(str(i), day + dt.timedelta(days=d), 37.0) for i in range(20) for d in (0, 40)]
    billed = [(str(i), day + dt.timedelta(days=30), 120.0 if i % 2 else 10.0) for i in range(20)]
    assert fees_in_orders(contracts, orders(shop + billed), [YEARLY], AS_OF) == ("in orders", 1.0)
    assert fees_in_orders(contracts, orders(shop), [YEARLY], AS_OF) == ("apart", 0.0)
    assert fees_in_orders(contracts, orders(shop + billed[:4]), [YEARLY], AS_OF) == ("unknown", 0.2)
    unpriced = contracts.mutate(price_per_month=ibis.null("float64"))
    assert fees_in_orders(unpriced, orders(shop), [YEARLY], AS_OF)[0] == "unknown"


# The chapter's part


def texts_of(part) -> list[str]:
    captions = [exhibit.caption for exhibit in part.exhibits.values()]
    words = [text for c in captions for text in (c.title, c.subtitle, c.source, c.reading)]
    return [*words, *part.says, *(f.sentence for f in part.findings), *part.absent.values()]


def check_words(part) -> None:
    assert set(part.exhibits) | set(part.absent) == set(value_contracts.NAMES)
    assert not set(part.exhibits) & set(part.absent)
    for exhibit in part.exhibits.values():
        assert len(exhibit.caption.title.split()) <= 15, exhibit.caption.title
        assert exhibit.caption.subtitle and "n = " in exhibit.caption.source
    for text in texts_of(part):
        assert "{" not in text and "nan" not in text.lower().split() and "  " not in text, text


@pytest.fixture(scope="module")
def demo_part(shipped):
    return value_contracts.part(shipped("demo"))


def test_part_of_the_demo_is_complete(demo_part):
    check_words(demo_part)
    assert set(demo_part.exhibits) == set(value_contracts.NAMES)
    said = " ".join(demo_part.says)
    assert "orders are a business of their own beside the contracts" in said
    assert "do not seem to be among the orders" in said, "the demo invoices fees apart (data/README.md)"
    assert "monthly contracts every month" in said and "yearly contracts every year" in said
    assert json.dumps([finding.to_dict() for finding in demo_part.findings])


def test_finding_of_the_demo_is_the_tables_total(demo_part):
    table, finding = demo_part.exhibits["contract_value"].frame, demo_part.findings[0]
    assert finding.id == "value.contracts" and finding.figure in demo_part.exhibits
    total = table[table["plan"] == "all plans"].iloc[0]
    assert finding.value == pytest.approx(total["within"]) == pytest.approx(table["within"].iloc[:-1].sum())
    assert finding.low < finding.value < finding.high
    assert table["contracts"].iloc[-1] == demo_part.exhibits["contract_value_cohorts"].frame["contracts"].sum()


def test_charts_show_their_frames(demo_part):
    """A panel per plan; the dots are the observed rates, the lines the model, dashed beyond what was seen."""
    theme.set_theme()
    for name, draw in (("contract_survival", charts.survival), ("contract_retention", charts.retention)):
        frame = demo_part.exhibits[name].frame
        what = name.removeprefix("contract_")
        figure = draw(frame)
        panels = [ax for ax in figure.axes if ax.get_visible()]
        assert (
            [ax.get_title(loc="left") for ax in panels] == list(dict.fromkeys(frame["plan"])) == ["monthly", "yearly"]
        )
        for ax, (_plan, own) in zip(panels, frame.groupby("plan"), strict=True):
            solid, dashed, dots = (line.get_ydata() for line in ax.get_lines()[:3])
            model = own[f"model_{what}"].to_numpy()
            assert np.concatenate([solid, dashed[1:]]) == pytest.approx(model)
            assert dots == pytest.approx(own[what].dropna().to_numpy())


def test_retention_of_few_contracts_is_not_shown(demo_part, shipped):
    frame = demo_part.exhibits["contract_retention"].frame
    shown = frame["retention"].notna()
    assert shown.sum() > 20
    assert (frame.loc[shown, "at_risk"] >= shipped("demo").parameters.minimum_group).all()
    assert frame.loc[~shown, "retention_low"].isna().all()


def test_without_contracts_everything_is_absent_with_the_reason(shipped):
    part = value_contracts.part(shipped("cdnow"))
    check_words(part)
    assert not part.exhibits and not part.says and not part.findings
    assert all("no table of contracts" in reason for reason in part.absent.values())


HEADER = ["customer_id", "started_at", "ended_at", "plan", "price_per_month"]


def client_with(workbook, rows, header=HEADER, bought=None, **parameters):
    """A client whose subscriptions are these rows; each holder orders once."""
    workbook.write_csv("subs.csv", header, [tuple("" if v is None else v for v in row) for row in rows])
    source = {"path": "data/subs.csv", "columns": {name: name for name in header}}
    lines = bought or [(row[0], "2024-02-01", 12.5) for row in rows]
    workbook.write("c", lines, sources={"subscriptions": source}, as_of="2025-12-31", **parameters)
    return workbook.open("c")


def yearly_rows(n: int, ended: int = 0, plan: str = "gold") -> list[tuple]:
    days = [f"{1 + i % 12:02d}-10" for i in range(n)]
    ends = [f"{2022 + i % 4}-{days[i]}" if i < ended else None for i in range(n)]
    return [(f"{plan}{i}", f"2021-{days[i]}", ends[i], plan, 10) for i in range(n)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("a", "2025-01-01", None, "gold", 10)], "too few dates"),
        (yearly_rows(40, 40), "contracts"),
        (yearly_rows(40, 6), "Only 6 of the 40 contracts have ended"),
        (
            [(f"{i}", f"2022-01-{1 + i % 28:02d}", f"2023-01-{1 + i % 28:02d}", "gold", 10) for i in range(40)],
            "ended there",
        ),
        ([(f"{i}", "2025-06-01", None, "", None) for i in range(40)], "too few dates"),
        (
            [(f"{i}", "2024-01-05", f"2024-{2 + i % 9:02d}-{1 + (i * 11) % 28:02d}", "x|y", 10) for i in range(60)],
            "no grid",
        ),
    ],
    ids=["one contract", "all ended", "few ended", "all at once", "no plan or end", "irregular"],
)
def test_odd_clients_are_told_why(workbook, rows, said):
    """No error, a reason for whatever is not there."""
    part = value_contracts.part(client_with(workbook, rows))
    check_words(part)
    assert any(said in text for text in texts_of(part)), texts_of(part)


def test_plain_contracts_without_optional_columns(workbook):
    """Only customer and start: nothing can be learnt, and that is said."""
    rows = [(f"{i}", "2024-01-05") for i in range(30)]
    part = value_contracts.part(client_with(workbook, rows, ["customer_id", "started_at"]))
    check_words(part)
    assert not part.exhibits


def test_contractual_false_sets_contracts_aside(workbook):
    part = value_contracts.part(client_with(workbook, yearly_rows(60, 30), contractual=False))
    assert not part.exhibits
    assert all("parameters say" in reason for reason in part.absent.values())


def test_fees_in_the_orders_must_not_be_added(workbook):
    """Every contract's first fee is an order line: the caution says so; the value itself stays."""
    rows = yearly_rows(80, 40)
    bought = [(row[0], row[1], 120) for row in rows]
    part = value_contracts.part(client_with(workbook, rows, bought=bought))
    check_words(part)
    cautions = [f.sentence for f in part.findings if f.kind == "caution"]
    assert len(cautions) == 1 and "must not be added" in cautions[0]
    assert "comes on top" not in " ".join(texts_of(part))
    assert "contract_value" in part.exhibits


def test_no_discount_is_said_to_have_no_bound(workbook):
    """Churn falls from 60 % to 5 %: alpha below 1, and without a discount no finite value of all renewals."""
    rows, n = [], 0
    for year, share in ((1, 60), (2, 10), (3, 4), (4, 2)):
        for _i in range(share):
            rows.append((str(n), f"2021-{1 + n % 12:02d}-10", f"{2021 + year}-{1 + n % 12:02d}-10", "<b>gold</b>", 10))
            n += 1
    rows += [(str(n + i), f"2021-{1 + i % 12:02d}-10", None, "<b>gold</b>", 10) for i in range(40)]
    part = value_contracts.part(client_with(workbook, rows, discount_rate=0))
    check_words(part)
    assert "no finite value" in part.findings[0].sentence
    assert "<b>" not in part.findings[0].sentence + " ".join(part.says)
    assert math.isfinite(part.findings[0].value)
    theme.set_theme()
    charts.survival(part.exhibits["contract_survival"].frame)
    formats = part.exhibits["contract_value"].formats
    assert formats["value"](part.exhibits["contract_value"].frame["value"].iloc[0]) == "no bound"


def test_periods_in_words():
    assert contract_words.period(Rhythm("", "month", 24)) == "2 years"
    assert contract_words.period(Rhythm("", "day", 28)) == "4 weeks"
    assert contract_words.period(Rhythm("", "month", 4)) == "4 months"
