"""The demo client: its files are what the generator writes, and the data hold what the models state."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import betaln, hyp2f1

from perennial.analysis.fitters import fit_gamma_gamma, fit_purchases
from perennial.schema import TABLES
from perennial.simulate import AS_OF, START, Simulation, categories, contracts, leads, population, purchases, simulate
from perennial.simulate.marketing import CAMPAIGNS, EFFECT_DAYS
from perennial.simulate.population import SEGMENTS
from perennial.simulate.write import write_simulation

DEMO = Path(__file__).parents[1] / "data" / "demo"
FIRST, LAST = pd.Timestamp(START), pd.Timestamp(AS_OF) + pd.Timedelta("1D") - pd.Timedelta("1s")
DAYS = (AS_OF - START).days + 1
MANY = 20_000


@pytest.fixture(scope="module")
def demo() -> Simulation:
    return simulate()


@pytest.fixture(scope="module")
def larger() -> Simulation:
    return simulate(8_000, seed=7)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return population.draw_people(MANY, DAYS, np.random.default_rng(11))


@pytest.fixture(scope="module")
def orders(people) -> pd.DataFrame:
    return purchases.draw_orders(people, DAYS, np.random.default_rng(12))


# The files


def test_committed_files_are_reproduced_byte_for_byte(demo, tmp_path):
    written = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in write_simulation(demo, tmp_path)}
    committed = {p.relative_to(DEMO).as_posix(): p.read_bytes() for p in DEMO.rglob("*") if p.is_file()}
    assert sorted(written) == sorted(committed)
    assert [name for name in written if written[name] != committed[name]] == []


def test_committed_files_stay_small_and_free_of_carriage_returns():
    sizes = {p.name: p.stat().st_size for p in DEMO.rglob("*") if p.is_file()}
    assert max(sizes.values()) < 1_400_000 and sum(sizes.values()) < 6_000_000
    assert not any(b"\r" in p.read_bytes() for p in DEMO.rglob("*.csv"))


def test_another_seed_gives_another_client_of_the_same_kind(demo):
    other = simulate(seed=1)
    assert not other.tables["transactions"].equals(demo.tables["transactions"])
    assert len(other.tables["transactions"]) == pytest.approx(len(demo.tables["transactions"]), rel=0.15)


# The canonical form


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_schema_is_filled(demo, name):
    table, schema = demo.tables[name], TABLES[name]
    assert len(table) > 100
    assert set(schema.columns) <= set(table.columns), "every column of the canonical form, required or not"
    assert table[list(schema.required)].notna().all().all()
    assert all(table[column].notna().any() for column in table.columns)


def test_keys_are_unique(demo):
    tables = demo.tables
    assert tables["customers"]["customer_id"].is_unique
    assert tables["leads"]["lead_id"].is_unique
    assert not tables["accounts"].duplicated(["customer_id", "period_start"]).any()
    assert not tables["subscriptions"].duplicated("customer_id").any()
    assert not tables["contacts"].duplicated(["customer_id", "campaign_id"]).any()
    assert not tables["transactions"].duplicated().any()
    assert (tables["transactions"].groupby("order_id")["customer_id"].nunique() == 1).all()


def test_every_customer_named_anywhere_exists(demo):
    known = set(demo.tables["customers"]["customer_id"])
    for name, table in demo.tables.items():
        assert set(table["customer_id"].dropna()) <= known, name
    assert set(demo.tables["customers"]["referrer_id"].dropna()) <= known
    assert set(demo.tables["transactions"]["customer_id"]) == known


def test_dates_lie_within_the_observed_span_except_renewals_to_come(demo):
    for name, table in demo.tables.items():
        for column in table.select_dtypes("datetime").columns.drop("renews_at", errors="ignore"):
            assert table[column].dropna().between(FIRST, LAST).all(), f"{name}.{column}"
    renewals = demo.tables["subscriptions"].dropna(subset="renews_at")
    assert (renewals["renews_at"] > pd.Timestamp(AS_OF)).all() and renewals["ended_at"].isna().all()


def test_customers_are_acquired_on_their_first_order_and_referred_by_earlier_ones(demo):
    customers = demo.tables["customers"].set_index("customer_id")
    first = demo.tables["transactions"].groupby("customer_id")["ordered_at"].min().dt.normalize()
    assert (customers["acquired_at"] == first.reindex(customers.index)).all()
    referred = customers.dropna(subset="referrer_id")
    assert len(referred) > 100 and set(referred["source"]) == {"referral"}
    earlier = customers["acquired_at"].reindex(referred["referrer_id"]).to_numpy()
    assert (earlier <= referred["acquired_at"].to_numpy()).all()


def test_lines_are_positive_but_for_returns_which_never_exceed_what_was_bought(demo):
    lines = demo.tables["transactions"]
    assert (lines.loc[~lines["is_return"], "amount"] > 0).all()
    assert (lines.loc[lines["is_return"], "amount"] < 0).all()
    assert 0.01 < lines["is_return"].sum() / lines["order_id"].nunique() < 0.03
    assert (lines.groupby(["order_id", "product_id"])["amount"].sum().round(2) >= 0).all()


def test_business_accounts_add_up_to_their_orders_to_the_cent(demo):
    lines, accounts = demo.tables["transactions"], demo.tables["accounts"]
    customers = demo.tables["customers"]
    business = customers.loc[customers["segment"] != "consumer", "customer_id"]
    assert set(accounts["customer_id"]) == set(business)
    bought = lines.loc[lines["customer_id"].isin(business), "amount"].sum()
    assert round(accounts["revenue"].sum(), 2) == round(bought, 2)


# The purchase process


def expected_purchases(segment: population.Segment, days: np.ndarray) -> np.ndarray:
    """E[X(t)] of BG/NBD: Fader, Hardie & Lee (2005), equation 9."""
    r, alpha, a, b = segment.r, segment.alpha_days, segment.a, segment.b
    series = hyp2f1(r, b, a + b - 1, days / (alpha + days))
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + days)) ** r * series)


@pytest.mark.parametrize("index", range(len(SEGMENTS)), ids=[s.name for s in SEGMENTS])
def test_repeat_purchases_match_the_stated_bgnbd_expectation(people, orders, index):
    repeats = (orders.groupby("who").size() - 1).reindex(people.index).to_numpy()
    chosen = (people["segment"] == index).to_numpy()
    expected = expected_purchases(SEGMENTS[index], (DAYS - people["born"]).to_numpy()[chosen])
    difference = repeats[chosen] - expected
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(chosen.sum())


@pytest.mark.parametrize("index", range(len(SEGMENTS)), ids=[s.name for s in SEGMENTS])
def test_one_time_buyers_match_the_negative_binomial_zero_share(people, orders, index):
    """P(no repeat by T) = (α / (α + T))^r, since nobody leaves before the first repeat order."""
    segment, chosen = SEGMENTS[index], (people["segment"] == index).to_numpy()
    none = (orders.groupby("who").size() == 1).to_numpy()[chosen]
    age = (DAYS - people["born"]).to_numpy()[chosen]
    expected = (segment.alpha_days / (segment.alpha_days + age)) ** segment.r
    assert abs((none - expected).mean()) < 4 * np.sqrt((expected * (1 - expected)).mean() / chosen.sum())


def test_bgnbd_parameters_are_recovered_from_whole_days(people, orders):
    """The consumers' r, α, a, b from (frequency, recency, T) in days; continuous time rounded to days costs little."""
    segment, consumers = SEGMENTS[0], people.index[people["segment"] == 0]
    days = orders[orders["who"].isin(consumers)].assign(day=lambda o: np.floor(o["day"]))
    days = days.drop_duplicates(["who", "day"]).groupby("who")["day"].agg(["size", "min", "max"])
    rows = pd.DataFrame({
        "frequency": days["size"] - 1, "recency": days["max"] - days["min"], "T": DAYS - 1 - days["min"]
    })  # fmt: skip
    rows = rows.groupby(["frequency", "recency", "T"]).size().rename("weight").reset_index()
    fitted = fit_purchases(rows, "BG/NBD").params
    assert fitted["r"] == pytest.approx(segment.r, rel=0.08)
    assert fitted["alpha"] == pytest.approx(segment.alpha_days / 7, rel=0.10)
    assert fitted["a"] / (fitted["a"] + fitted["b"]) == pytest.approx(segment.a / (segment.a + segment.b), rel=0.10)
    assert fitted["a"] == pytest.approx(segment.a, rel=0.25)


def test_gamma_gamma_parameters_are_recovered_from_those_not_growing(people, orders):
    """The consumers' p, q, v; growing customers, flagged in the truth, are left out."""
    segment = SEGMENTS[0]
    amounts = orders.assign(amount=purchases.draw_amounts(orders, people, np.random.default_rng(13)))
    steady = people.index[(people["segment"] == 0) & ~people["growing"]]
    repeats = amounts[amounts["who"].isin(steady) & (amounts["number"] > 0)]
    rows = repeats.groupby("who")["amount"].agg(frequency="size", monetary_value="mean").assign(weight=1)
    fitted = fit_gamma_gamma(rows.reset_index()).params
    mean = fitted["p"] * fitted["v"] / (fitted["q"] - 1)
    assert mean == pytest.approx(segment.p * segment.v / (segment.q - 1), rel=0.03)
    assert fitted["p"] == pytest.approx(segment.p, rel=0.10)
    assert fitted["q"] == pytest.approx(segment.q, rel=0.10)


def test_dropouts_are_those_whose_last_order_is_their_leaving(demo):
    truth = demo.truth["customers"].set_index("customer_id")
    gone = truth[~truth["alive"]]
    assert 0.2 < len(gone) / len(truth) < 0.6
    extra = set(demo.truth["extra_orders"]["order_id"])
    lines = demo.tables["transactions"]
    own = lines[~lines["is_return"] & ~lines["order_id"].isin(extra)]
    last = own.groupby("customer_id")["ordered_at"].max()
    assert (last.reindex(gone.index) == gone["left_at"]).all()
    assert (gone["orders_next_year"] == 0).all()


# Wallets and growth


def test_wallet_exceeds_spend_and_its_attributes_predict_it(larger):
    truth, customers = larger.truth["customers"], larger.tables["customers"]
    assert (truth["headroom"] > 0).all()
    typical = truth.groupby([truth["segment"], customers["size"]])["wallet"].median().unstack()[population.SIZES]
    assert (typical.diff(axis=1).iloc[:, 1:] > 0).all().all(), "larger customers have larger wallets in every segment"


def test_surveyed_wallets_are_few_and_scatter_around_the_true_ones(larger):
    known = larger.tables["customers"]["wallet"].notna()
    assert known.mean() == pytest.approx(population.SURVEYED_SHARE, abs=0.02)
    error = np.log(larger.tables["customers"]["wallet"] / larger.truth["customers"]["wallet"])[known]
    assert abs(error.mean()) < 0.02 and error.std() == pytest.approx(population.SURVEY_NOISE, rel=0.1)


def test_growing_customers_are_a_minority_with_more_room_and_engagement(larger):
    truth = larger.truth["customers"]
    assert 0.10 < truth["growing"].mean() < 0.17
    means = truth.assign(room=truth["headroom"] / truth["wallet"]).groupby("growing")[["room", "engagement"]].mean()
    assert (means.loc[True] > means.loc[False]).all()
    assert truth.loc[~truth["growing"], "growth_ceiling"].eq(1).all()


# Categories


def test_stated_affinities_show_in_what_customers_add_next(larger):
    """Among orders of customers without B: B is added more often where A is held, for every stated pair."""
    lines = larger.tables["transactions"]
    lines = lines[~lines["is_return"]].drop_duplicates(["order_id", "category"])
    bought = pd.crosstab(lines["order_id"], lines["category"])[categories.CATEGORIES].astype(bool)
    owner = lines.drop_duplicates("order_id").set_index("order_id")["customer_id"].reindex(bought.index)
    held = bought.groupby(owner).cumsum().groupby(owner).shift(fill_value=0).to_numpy() > 0
    lifts = {}
    for a, b in np.argwhere(~np.eye(len(categories.CATEGORIES), dtype=bool)):
        open_ = held.any(axis=1) & ~held[:, b]
        adds = bought.to_numpy()[:, b]
        lifts[categories.CATEGORIES[a], categories.CATEGORIES[b]] = (
            adds[open_ & held[:, a]].mean() / adds[open_ & ~held[:, a]].mean()
        )
    stated = [lifts.pop(pair) for pair in categories.AFFINITIES]
    assert min(stated) > 1.2
    assert np.mean(stated) > 1.5 * np.mean(list(lifts.values()))


# Campaigns


def campaign_difference(simulation: Simulation, campaign_id: str) -> tuple[float, float]:
    """Orders per customer within EFFECT_DAYS, treated less control, and its standard error."""
    contacts = simulation.tables["contacts"].query("campaign_id == @campaign_id")
    lines = simulation.tables["transactions"].query("not is_return").drop_duplicates("order_id")
    pairs = contacts.merge(lines, on="customer_id")
    age = pairs["ordered_at"] - pairs["contacted_at"]
    inside = pairs[(age > pd.Timedelta(0)) & (age <= pd.Timedelta(days=EFFECT_DAYS))]
    count = contacts["customer_id"].map(inside.groupby("customer_id").size()).fillna(0)
    groups = count.groupby(contacts["group"]).agg(["mean", "var", "size"])
    difference = groups.loc["treatment", "mean"] - groups.loc["control", "mean"]
    return difference, float(np.sqrt((groups["var"] / groups["size"]).sum()))


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda c: c.campaign_id)
def test_treated_less_held_out_orders_recover_the_true_effect(demo, larger, campaign):
    for simulation in (demo, larger):
        difference, error = campaign_difference(simulation, campaign.campaign_id)
        assert abs(difference - campaign.effect) < 3 * error, f"{difference:.3f} ± {error:.3f}"


def test_hold_outs_are_random_and_cost_nothing(larger):
    contacts = larger.tables["contacts"].merge(larger.truth["customers"], on="customer_id")
    share = contacts["group"].eq("control").groupby(contacts["campaign_id"]).mean()
    for campaign in CAMPAIGNS:
        assert share[campaign.campaign_id] == pytest.approx(campaign.holdout, abs=0.04)
    rate = contacts.groupby("group")["purchase_rate"].mean()
    assert rate["treatment"] == pytest.approx(rate["control"], rel=0.08)
    control = contacts[contacts["group"] == "control"]
    assert control["cost"].eq(0).all() and control["responded_at"].isna().all()


def test_raw_response_misleads_where_the_true_effect_is_zero(demo):
    null = next(c.campaign_id for c in CAMPAIGNS if c.effect == 0)
    treated = demo.tables["contacts"].query("campaign_id == @null and group == 'treatment'")
    assert treated["responded_at"].notna().mean() > 0.05
    assert demo.truth["campaigns"].set_index("campaign_id").loc[null, "extra_orders"] == 0


def test_extra_orders_are_flagged_and_belong_to_the_treated(demo):
    extra = demo.truth["extra_orders"]
    assert extra["order_id"].is_unique and set(extra["order_id"]) <= set(demo.tables["transactions"]["order_id"])
    contacts = demo.tables["contacts"].set_index(["customer_id", "campaign_id"])["group"]
    assert contacts.reindex(pd.MultiIndex.from_frame(extra[["customer_id", "campaign_id"]])).eq("treatment").all()


# Contracts, service and leads


@pytest.mark.parametrize("plan", contracts.PLANS, ids=lambda p: p.name)
def test_contract_survival_matches_the_stated_shifted_beta_geometric(people, plan):
    """S(t) = B(α, β + t) / B(α, β): Fader & Hardie (2007); among contracts old enough for t renewals."""
    table, _ = contracts.draw_subscriptions(people, START, DAYS, np.random.default_rng(14))
    table = table[table["plan"] == plan.name]
    started = table["started_at"].to_numpy().astype("datetime64[D]")
    length = np.full(len(table), plan.months)
    seen = contracts.renewals_passed(started, length, np.datetime64(AS_OF))
    for t in (1, 2) if plan.months == 12 else (1, 3, 6, 12, 24):
        old = seen >= t
        ended = table["ended_at"].to_numpy().astype("datetime64[D]")
        kept = ~(ended <= contracts.add_months(started, length * t))[old]
        expected = np.exp(betaln(plan.alpha, plan.beta + t) - betaln(plan.alpha, plan.beta))
        assert abs(kept.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / old.sum())


def test_contracts_are_a_minority(demo):
    assert 0.15 < len(demo.tables["subscriptions"]) / len(demo.tables["customers"]) < 0.30


def test_engagement_follows_activity_and_falls_after_leaving(larger):
    truth = larger.truth["customers"].set_index("customer_id")
    acquired = larger.tables["customers"].set_index("customer_id")["acquired_at"]
    events = larger.tables["interactions"]
    gone = truth[~truth["alive"]]
    own = events[events["customer_id"].isin(gone.index)]
    after = (own["occurred_at"] > own["customer_id"].map(gone["left_at"])).sum()
    alive_days = (gone["left_at"] - acquired.reindex(gone.index)).dt.days.sum()
    gone_days = (pd.Timestamp(AS_OF) - gone["left_at"]).dt.days.sum()
    assert after / gone_days < 0.2 * (len(own) - after) / alive_days
    count = events.groupby("customer_id").size().reindex(truth.index, fill_value=0)
    assert count.corr(truth["engagement"], method="spearman") > 0.4


def test_complaints_come_before_leaving(larger):
    """A low mark in the 30 days before the last order is far commoner among those who left then."""
    truth = larger.truth["customers"].set_index("customer_id")
    lines = larger.tables["transactions"]
    last = lines[~lines["is_return"]].groupby("customer_id")["ordered_at"].max()
    tickets = larger.tables["tickets"]
    before = tickets["customer_id"].map(last) - tickets["opened_at"]
    upset = tickets[(tickets["satisfaction"] <= 2) & before.between(pd.Timedelta(0), pd.Timedelta(days=31))]
    marked = pd.Series(truth.index.isin(upset["customer_id"]), index=truth.index).groupby(truth["alive"]).mean()
    assert marked[False] > 5 * marked[True]


def test_lead_stages_follow_one_another_and_end_won_or_lost(demo):
    table = demo.tables["leads"]
    for before, after in zip(["created_at", *leads.STAGES[:-1]], leads.STAGES, strict=True):
        reached = table[after].notna()
        assert (table.loc[reached, after] > table.loc[reached, before]).all()
    assert not (table["won_at"].notna() & table["lost_at"].notna()).any()


def test_leads_are_won_as_often_as_their_true_probabilities_say(larger):
    table, chance = larger.tables["leads"], larger.truth["leads"]["win_probability"]
    old = table["created_at"] < LAST - dt.timedelta(days=365)
    won, expected = table.loc[old, "won_at"].notna(), chance[old]
    assert abs(won.mean() - expected.mean()) < 4 * np.sqrt((expected * (1 - expected)).mean() / old.sum())
    by_source = won.groupby(table["source"]).mean()
    assert by_source["referral"] > by_source["web"] > by_source["cold call"]


def test_won_leads_become_business_customers_of_their_size_soon_after(demo):
    linked = demo.tables["leads"].dropna(subset="customer_id")
    joined = linked.merge(demo.tables["customers"], on="customer_id", suffixes=("", "_customer"))
    assert len(joined) == len(linked) > 50 and linked["customer_id"].is_unique
    assert (joined["size"] == joined["size_customer"]).all() and set(joined["source_customer"]) == {"sales"}
    wait = joined["acquired_at"] - joined["won_at"].dt.normalize()
    assert wait.between(pd.Timedelta(0), pd.Timedelta(days=leads.MATCH_DAYS + 1)).all()
