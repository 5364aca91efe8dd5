"""The words around the charts of chapter 04, and what churn means for this client."""

import math
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis import survival
from perennial.analysis.survival import median_time, survival_at
from perennial.chapters import phrases
from perennial.language import _, plural
from perennial.statements import Caption

if TYPE_CHECKING:
    from perennial.chapters.churn import Study


def share(value: float) -> str:
    """A share in words: a decimal only where it matters."""
    return formats.percent(value, 1 if 0 < value < 0.0995 or 0.995 < value < 1 else 0)


def times(ratio: float | None) -> str:
    """A multiple of the typical gap."""
    return formats.MISSING if ratio is None else f"{formats.number(ratio, 1)} ×"


def rounded(value: float) -> str:
    """An estimated count with three figures, in full: 6,730."""
    return formats.number(float(f"{value:.3g}"), 0)


def days_text(days: float) -> str:
    """A round number of days as such: 180 days."""
    return _("{n} days", n=formats.number(days))


def source(study: "Study", title: str, more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(title, study.as_of, study.customers, more)


def count(study: "Study", repeat: bool, *states: str) -> int:
    """Customers in these states by silence."""
    rows = study.states[(study.states["repeat"] == repeat) & study.states["state"].isin(states)]
    return int(rows["customers"].sum())


def milestone(study: "Study") -> int | None:
    """The round number of days for which survival is stated; None: none."""
    return survival.milestone(study.lives, study.watched, study.minimum_group)


def definition(study: "Study") -> list[str]:
    """What churn means for this client, as paragraphs."""
    t = study.thresholds
    parts = [_contractual(study)]
    if t.overdue is None or t.lapsed is None:
        parts.append(_("No customer has ordered on two days yet: there is no rhythm to measure silence against."))
        return parts
    words = {
        "base": formats.days(t.base.typical_gap_days), "weight": formats.number(t.base.weight, 1),
        "gaps": formats.number(t.base.gaps), "repeaters": formats.number(t.base.repeaters), "overdue": times(t.overdue),
        "lapsed": times(t.lapsed), "quantile": formats.percent(t.quantile),
        "overdue_days": formats.days(t.overdue_days),
        "lapsed_days": formats.days(t.lapsed_days),
    }  # fmt: skip
    parts.append(_(
        "A customer's **typical gap** is the geometric mean of the own gaps between orders, pulled towards that "
        "of the base ({base}) with the weight of {weight} gaps, so that one or two gaps decide little ({gaps} "
        "gaps of {repeaters} repeat customers).", **words))  # fmt: skip
    parts.append(_(
        "**Overdue** is a silence over {overdue} the typical gap: four in five gaps ended sooner. **Lapsed** is "
        "one over {lapsed}: {quantile} of all gaps, and the longest gap of four in five repeat customers, ended "
        "sooner. For a customer of the base's typical gap these are {overdue_days} and "
        "{lapsed_days}.", **words))  # fmt: skip
    parts.append(_returned(study))
    return [part for part in parts if part]


def _contractual(study: "Study") -> str:
    open_ended = _("Orders carry no contract: nobody says goodbye, so leaving is read from silence, and a "
        "silent customer may return.")  # fmt: skip
    if study.contracts is None:
        return open_ended
    n = int(study.contracts.plans["contracts"].sum())
    words = {"count": formats.number(n), "share": share(n / max(study.customers, 1))}
    held = plural("{count} contract is known", "{count} contracts are known", n, **words)
    if study.contractual:
        return held + _(
            ": for this client, leaving is the end of the contract; silence between orders is its early sign."
        )
    return open_ended + " " + held + _(" beside the orders; their end is a fact and is shown in a section of its own.")


def _returned(study: "Study") -> str:
    crossed, back = study.lapses
    if crossed < study.minimum_group:
        return ""
    words = {"crossed": formats.number(crossed), "back": formats.number(back), "share": share(back / crossed)}
    text = _(
        "Of {crossed} customers whose silence ever passed the lapsed threshold, {back} ({share}) bought again so far: ",
        **words,
    )
    if back / crossed > 0.5:
        return text + _("here the word is a warning, not a loss.")
    return text + _("lapsed means a likely loss, not a certain one.")


def captions(study: "Study", title: str) -> dict[str, Caption]:
    """The words around each chart and table, by its name."""
    made = {
        "churn_silence": _silence(study, title),
        "churn_states": _states(study, title),
        "churn_survival": _survival(study, title),
        "churn_at_risk": _at_risk(study, title),
    }
    if study.alive is not None:
        made["churn_alive"] = _alive(study, title)
    if study.contracts is not None:
        made["churn_contracts"] = _contracts(study, title)
    return made


def _silence(study: "Study", title: str) -> Caption:
    late, gone = count(study, True, "overdue"), count(study, True, "lapsed")
    repeaters = max(count(study, True, "on_cadence", "overdue", "lapsed"), 1)
    text = _(
        "{late} of repeat customers are overdue, {gone} lapsed",
        late=share(late / repeaters),
        gone=share(gone / repeaters),
    )
    subtitle = _("Repeat customers by days since the last order ÷ own typical gap between orders")
    alone = count(study, False, "on_cadence", "overdue", "lapsed")
    more = _("{n} one-time buyers, who have no rhythm of their own, are in the table.", n=formats.number(alone))
    return Caption(text, subtitle, source(study, title, more))


def _states(study: "Study", title: str) -> Caption:
    past = study.states["revenue_past_year"].sum()
    quiet = study.states.loc[study.states["state"] != "on_cadence", "revenue_past_year"].sum()
    words = {
        "share": share(quiet / past if past else 0.0),
        "date": formats.date(study.as_of),
        "past": past_words(study),
    }
    text = _("Silent customers brought {share} of revenue {past}", **words)
    subtitle = _("Customers and net revenue by silence, to {date}", **words)
    if study.a_year:
        subtitle = _("Customers and net revenue by silence; past year = 365 days to {date}", **words)
    return Caption(text, subtitle, source(study, title, _("Silent: overdue or lapsed.")))


def past_words(study: "Study") -> str:
    """The time that ``revenue_past_year`` is of: a year, or as much of it as the data hold."""
    return _("in the past year") if study.a_year else _("since {date}", date=formats.date(study.first_on))


def _survival(study: "Study", title: str) -> Caption:
    days = milestone(study)
    text = _("No customer has been watched for one lapsed threshold yet")
    if days is not None:
        alive = survival_at(study.lives, days)[0]
        text = _("{share} are still active {days} after their first order", share=share(alive), days=days_text(days))
    subtitle = _(
        "Share not lapsed, by days since the first order (Kaplan-Meier, {level} interval)",
        level=formats.percent(study.level),
    )
    n = formats.number(study.lives_customers)
    more = _("{n} of them known for longer than one lapsed threshold; others cannot be judged.", n=n)
    if study.since is not None:
        more += " " + _(
            "Customers first seen before {date} left out: known before the data.", date=formats.date(study.since)
        )
    if study.beginning.doubtful:
        more += " " + _(
            "Some of the first {n} may have bought before the data begins: their first order here is not their first.",
            n=formats.number(study.beginning.customers),
        )
    reading = _("Active life ends with the last order before the first silence over the lapsed threshold, also for "
        "those who return. The drop at the start is customers who let it pass after their first order.")  # fmt: skip
    return Caption(text, subtitle, source(study, title, more), reading)


def _alive(study: "Study", title: str) -> Caption:
    a = study.alive
    assert a is not None
    text = _(
        "About {n} of {all} repeat customers are probably still active",
        n=rounded(a.active),
        all=formats.number(a.repeaters),
    )
    subtitle = _(
        "Repeat customers by P(alive) under {model}, at {date}", model=study.model, date=formats.date(study.as_of)
    )
    more = _("{n} one-time buyers apart: not judged.", n=formats.number(a.one_timers))
    return Caption(text, subtitle, source(study, title, more))


def _at_risk(study: "Study", title: str) -> Caption:
    n = formats.number(len(study.at_risk))
    if study.stake is not None:
        text = _(
            "{money} is at stake with customers silent beyond their rhythm",
            money=formats.money(study.stake.value, study.currency),
        )
        subtitle = _("Top ten overdue or lapsed by value at stake = value over {months} months if still active "
                     "× (1 − P(alive)), {currency}", months=study.horizon_months, currency=study.currency)  # fmt: skip
    else:
        text = _("Overdue customers with the most revenue {past}", past=past_words(study))
        subtitle = _("Top ten overdue repeat customers by that revenue, {currency}", currency=study.currency)
    return Caption(text, subtitle, source(study, title, _("The file lists the first {n}.", n=n)),
                   phrases.left_out(study.shared))  # fmt: skip


def _contracts(study: "Study", title: str) -> Caption:
    c = study.contracts
    assert c is not None
    name, curve = next(iter(c.curves.items()))
    half = median_time(curve)[0]
    plan = formats.escape(name)
    if math.isfinite(half):
        text = _("Half of the {plan} contracts end within {days}", plan=plan, days=formats.days(half))
    else:
        lasting, days = survival_at(curve, c.ends[name])[0], formats.days(c.ends[name])
        text = _("{share} of the {plan} contracts last longer than {days}", share=share(lasting), plan=plan, days=days)
    text = text.replace("  ", " ")
    n = formats.number(c.plans["contracts"].sum())
    subtitle = _("Share of contracts still running, by days since their start (Kaplan-Meier, {level} interval)",
                 level=formats.percent(study.level))  # fmt: skip
    return Caption(text, subtitle, _("Source: {n} subscriptions of {title} to {date}; running ones are censored.",
                                     n=n, title=title, date=formats.date(study.as_of)))  # fmt: skip
