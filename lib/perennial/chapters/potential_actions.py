"""What chapter 06 proposes, for how many, at what cost, measured how; and what its data cannot say."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from perennial import formats
from perennial.analysis.potential_strategies import contacts_a_year
from perennial.analysis.quadrants import LOOKS
from perennial.chapters import phrases
from perennial.chapters.potential_words import amount, last_year, looks_text, money, span
from perennial.charts.potential import quadrant_label
from perennial.formats import number
from perennial.language import _
from perennial.schema import CHAPTERS
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

CHAPTER = "06_potential_quadrants"
STEP = 0.10  # what the actions reckon with: one tenth more


def actions(study: "Study", strategies: Mapping[str, Any]) -> Iterator[Finding]:
    """What to do with three of the quadrants; too few customers, no action."""
    for quadrant in ("growth_stock", "sleeping_gold", "low_yield"):
        row, plan = study.quadrant(quadrant), strategies[quadrant]
        if row.customers < study.minimum_group:
            continue
        gain = _spared(study, row) if quadrant == "low_yield" else _gain(study, row)
        text = _(
            "**{quadrant}**{how}, {n} customers: {action}. Through {channel}; owner: {owner}; {cadence}. "
            "{gain} {measure}",
            quadrant=quadrant_label(quadrant), n=number(row.customers), action=formats.escape(row.action),
            how=_(" (provisional)") if study.provisional else "",
            channel=formats.escape(plan.channel), owner=formats.escape(plan.owner),
            cadence=formats.escape(plan.cadence),
            gain=gain, measure=_measure(quadrant),
        )  # fmt: skip
        text = f"{text} {phrases.among_them(study.shared[quadrant])}".rstrip()
        importance = {"growth_stock": 0.65, "sleeping_gold": 0.5, "low_yield": 0.4}[quadrant]
        importance *= 0.5 if study.provisional else 1
        yield Finding(f"potential.do_{quadrant}", CHAPTER, text, float(row.customers), unit="customers",
                      importance=importance, kind="action", figure="potential_quadrants")  # fmt: skip


def _gain(study: "Study", row: Any) -> str:
    """What a tenth more would bring, in all and a head; not a forecast of the effect, which only a hold-out gives."""
    clv = study.facts["value_source"] == "clv"
    months = study.horizon_months if clv else 12
    gain = STEP * row.current_value * (1 if clv else study.margin)
    what = _("current value") if clv else _("spend")
    text = _("A tenth more of their {what} would be {gain} of margin in {n} months, {head} a head",
             what=what, gain=money(study, gain), n=months,
             head=formats.money(gain / row.customers, study.currency, 2))  # fmt: skip
    return f"{text}{_break_even(study, row, 12 * gain / row.customers / months)}"


def _break_even(study: "Study", row: Any, gain: float) -> str:
    """What a contact may cost, given the gain a head and year; beside what a customer contacted costs today."""
    contacts, each = contacts_a_year(row.cadence), study.facts["cost_each"]
    text = "."
    if contacts:
        text = _("; at {n} contacts a year, a contact breaks even at {cost}.",
                 n=number(contacts, 0), cost=formats.money(gain / contacts, study.currency, 2))  # fmt: skip
    if each is None or study.facts["cost_unit"] != "money":
        return text + " " + _("What a contact costs is not in the data.")
    paid = {
        "each": formats.money(each, study.currency, 2),
        "cost": money(study, each * row.customers),
        "when": last_year(study),
    }
    if each >= gain:
        return text + " " + _("The {each} per customer contacted {when} ({cost} for all) is **more** than that gain.",
                              **paid)  # fmt: skip
    return text + " " + _("The {each} per customer contacted {when} is {cost} for all.", **paid)


def _spared(study: "Study", row: Any) -> str:
    if not study.facts["misallocation"]["measured"]:
        return _("What this saves is not measured: the data holds no cost per customer.")
    excess = row.cost - row.budget_share * study.facts["misallocation"]["total"]
    if excess <= 0:
        return _("Their spend is already within the recommended share.")
    return _("Keeping to the recommended share frees {excess} a year.", excess=amount(study, excess))


def _measure(quadrant: str) -> str:
    if quadrant == "low_yield":
        return _("Measure: revenue of a random half kept on today's treatment.")
    return _("Measure: keep a random tenth untreated and compare spend.")


def cautions(study: "Study") -> Iterator[Finding]:
    """What is not measured, and what the measured does not mean."""
    missing = [look for look in LOOKS if look not in study.measured]
    if missing:
        text = _("Not measured: {looks}. Their weight is shared out over {rest}.",
                 looks=looks_text(missing), rest=looks_text(study.measured))  # fmt: skip
        if len(study.measured) == 1:
            text += " " + _("With one look, the score sorts customers into a few groups only.")
        yield _caution("missing", text, "potential_weights")
    yield from _silent(study)
    yield from _wallet_cautions(study)
    if not study.facts["misallocation"]["measured"]:
        text = _("The cost of misallocation is not measured: {reason}.", reason=study.facts["misallocation"]["reason"])
        yield _caution("cost", text, "potential_quadrants")


def _silent(study: "Study") -> Iterator[Finding]:
    """Customers whom one chapter calls lapsed and this one valuable."""
    rows = [study.quadrant(name) for name in ("growth_stock", "cash_cow")]
    parts = [
        _("{n} of {all} in {quadrant}", n=number(row.lapsed), all=number(row.customers),
          quadrant=quadrant_label(row.quadrant).lower())
        for row in rows if row.lapsed
    ]  # fmt: skip
    if not parts:
        return
    text = _(
        "Some valuable customers have lapsed by their own rhythm, as “{leave}” counts it: {parts}. Their value is what "
        "the model still expects of them; they have to be won back before the quadrant's action makes sense.",
        parts=phrases.listed(parts), leave=_(CHAPTERS["04_churn"]),
    )  # fmt: skip
    yield Finding("potential.silent", CHAPTER, text, float(sum(row.lapsed for row in rows)), unit="customers",
                  importance=0.35, kind="caution", figure="potential_quadrants")  # fmt: skip


def _wallet_cautions(study: "Study") -> Iterator[Finding]:
    wallet, row = study.facts["wallet"], _weight_row(study, "wallet")
    if "wallet" not in study.measured:
        return
    if wallet["peers"]:
        text = _("The attainable wallet of {n} customers is a peer benchmark, what the best of similar "
                 "customers spend here; "
                 "nobody has observed what they spend with competitors.", n=number(wallet["peers"]))  # fmt: skip
        yield _caution("wallet", text, "potential_wallet")
    if row["customers"] < study.customers:
        complete = study.test("added_complete")
        text = _("The wallet is measured for {n} of {all} customers only; the others take a neutral half there, "
                 "marked in "
                 "their row.", n=number(row["customers"]), all=number(study.customers))  # fmt: skip
        if complete is not None:
            text += " " + _("Among the {n} fully measured, the score adds {added} to past spend.",
                            n=number(complete.customers), added=span(study, complete))  # fmt: skip
        yield _caution("neutral", text, "potential_tests")
    if wallet["over"]:
        text = _("{n} customers spend more here than their stated wallet: those wallets are wrong or out of date.",
                 n=number(wallet["over"]))  # fmt: skip
        yield _caution("over", text, "potential_weights")


def _weight_row(study: "Study", look: str) -> pd.Series:
    return study.weights.set_index("look").loc[look]


def _caution(name: str, text: str, figure: str) -> Finding:
    return Finding(f"potential.{name}", CHAPTER, text, importance=0.25, kind="caution", figure=figure)
