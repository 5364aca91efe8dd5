"""What chapter 04 finds, in sentences."""

from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.cadence import OVERDUE_QUANTILE
from perennial.analysis.survival import survival_at
from perennial.chapters.churn_words import count, days_text, milestone, past_words, rounded, share, times
from perennial.language import _, plural
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.churn import Study

CHAPTER = "04_churn"
FIRST_TO_CALL = 100
WORTH_CALLING = 0.01  # of the expected value of repeat customers: with less at stake no contact is advised
STATES = ("on_cadence", "overdue", "lapsed")


def findings(study: "Study") -> list[Finding]:
    """The chapter's findings, then what to do, then what the data cannot say."""
    makers = (_stake, _overdue, _alive, _survival, _contracts, _call, _one_timers, _returns, _short, _no_model)
    return [found for maker in makers if (found := maker(study)) is not None]


def _stake(study: "Study") -> Finding | None:
    s = study.stake
    if s is None or s.value <= 0:
        return None
    first = study.at_risk.head(FIRST_TO_CALL)
    held = float(first["value_at_stake"].sum()) / s.value
    text = _(
        "{stake} is at stake with {n} repeat customers silent beyond their rhythm: the {active} they would bring in "
        "{months} months after margin if still active, times each one's chance of having left. The first {few} on "
        "the list hold {held}: {reach}",
        stake=formats.money(s.value, study.currency),
        n=formats.number(s.customers),
        active=formats.money(s.if_active, study.currency),
        months=study.horizon_months,
        few=formats.number(len(first)),
        held=share(held),
        reach=_("personal contact is feasible for a short list.")
        if held >= 0.3
        else _("it is spread thin, so only cheap contact reaches much of it."),
    )
    if s.lapsed > 0:
        text += " " + _(
            "{part} of the sum lies with the lapsed, much of it lost already.", part=share(s.lapsed / s.value)
        )
    weight = 0.8 if s.value >= 0.05 * s.expected else 0.4
    return Finding(
        "churn.value_at_stake", CHAPTER, text, s.value, unit=study.currency, importance=weight, figure="churn_at_risk"
    )


def _overdue(study: "Study") -> Finding | None:
    repeaters, late = count(study, True, *STATES), count(study, True, "overdue")
    if repeaters < study.minimum_group or study.thresholds.overdue is None:
        return None
    rows = study.states[study.states["repeat"] & (study.states["state"] == "overdue")]
    money, past = float(rows["revenue_past_year"].sum()), float(study.states["revenue_past_year"].sum())
    words = {
        "share": share(late / repeaters), "late": formats.number(late), "ratio": times(study.thresholds.overdue),
        "money": formats.money(money, study.currency), "part": share(money / past if past else 0.0),
        "lapsed": formats.number(count(study, True, "lapsed")), "past": past_words(study),
    }  # fmt: skip
    text = _(
        "{share} of repeat customers ({late}) are overdue, silent for over {ratio} their typical gap; they "
        "brought {money} {past} ({part} of all). Another {lapsed} are past the lapsed threshold. ",
        **words,
    )
    before = study.overdue_before
    known = before.customers >= study.minimum_group
    usual = before.share if known else 1 - OVERDUE_QUANTILE
    text += _("A fifth of all gaps pass the overdue threshold with nothing wrong")
    text += _("; a quarter earlier the share was {before}.", before=share(usual)) if known else "."
    weight = 0.7 if late / repeaters > 1.25 * usual else 0.5
    return Finding(
        "churn.overdue", CHAPTER, text, late / repeaters, unit="share", importance=weight, figure="churn_silence"
    )


def _alive(study: "Study") -> Finding | None:
    a = study.alive
    if a is None or a.repeaters < study.minimum_group:
        return None
    text = _(
        "About {n} of {all} repeat customers ({share}) are probably still active under {model}; {rest}",
        n=rounded(a.active),
        all=formats.number(a.repeaters),
        share=share(a.active / a.repeaters),
        model=study.model,
        rest=_("plans that count every past customer overstate the base.")
        if a.active < 0.9 * a.repeaters
        else _("few of those who came back have been lost."),
    )
    return Finding("churn.active_repeaters", CHAPTER, text, round(a.active, 1), unit="customers", importance=0.65,
                   figure="churn_alive")  # fmt: skip


def _survival(study: "Study") -> Finding | None:
    days = milestone(study)
    if days is None:
        return None
    alive, low, high = survival_at(study.lives, days)
    text = _(
        "Of {n} customers known long enough to judge, {alive} are still active {days} after their first order "
        "({level} interval {bounds}); {once} let the lapsed threshold pass without a second one.",
        n=formats.number(study.lives_customers),
        alive=share(alive),
        days=days_text(days),
        level=formats.percent(study.level),
        bounds=formats.interval(low, high, share),
        once=share(1 - survival_at(study.lives, 0)[0]),
    )
    if study.later.customers >= study.minimum_group and study.later.share > alive:
        text += " " + _(
            "Active means never lapsed: counting those who lapsed first and returned, {share} ordered after that day.",
            share=share(study.later.share),
        )
    crossed, back = study.lapses
    warning = crossed >= study.minimum_group and back / crossed > 0.5
    if warning:
        text += " " + _("{share} of all who ever lapsed returned: here a lapse is a warning, not an end.",
                        share=share(back / crossed))  # fmt: skip
    weight = 0.3 if warning else 0.6
    return Finding("churn.still_active", CHAPTER, text, alive, low, high, "share", weight, figure="churn_survival")


def _contracts(study: "Study") -> Finding | None:
    c = study.contracts
    if c is None or c.held < study.minimum_group:
        return None
    from statsmodels.stats.proportion import proportion_confint

    low, high = (float(b) for b in proportion_confint(c.ended, c.held, alpha=1 - study.level, method="wilson"))
    monthly = float(c.plans["price_per_month"].sum())
    text = _(
        "{share} of the contracts that ran a year ago have ended ({ended} of {held}, {level} interval {bounds}).",
        share=share(c.ended / c.held),
        ended=formats.number(c.ended),
        held=formats.number(c.held),
        level=formats.percent(study.level),
        bounds=formats.interval(low, high, share),
    )
    if monthly > 0:
        text += " " + _(
            "At that rate about {loss} of the {monthly} a month now under contract would be gone in a year.",
            loss=formats.money(float(f"{monthly * c.ended / c.held:.2g}"), study.currency),
            monthly=formats.money(monthly, study.currency),
        )
    return Finding("churn.contracts_ended", CHAPTER, text, c.ended / c.held, low, high, "share", 0.65,
                   figure="churn_contracts")  # fmt: skip


def _call(study: "Study") -> Finding | None:
    if study.stake is None or len(study.at_risk) < study.minimum_group:
        return None
    if study.stake.value < WORTH_CALLING * study.stake.expected:
        return None
    first = study.at_risk.head(FIRST_TO_CALL)
    held = float(first["value_at_stake"].sum())
    text = _(
        "Give the first {n} customers of the at-risk list an owner who contacts them this month; {held} of "
        "value is at stake there, {each} each on average. A contact wins back only part of that, so it must cost far "
        "less. Leave a random tenth alone and compare orders after 90 days.",
        n=formats.number(len(first)),
        held=formats.money(held, study.currency),
        each=formats.money(held / len(first), study.currency),
    )
    return Finding("churn.call_at_risk", CHAPTER, text, held, unit=study.currency, importance=0.7, kind="action",
                   figure="churn_at_risk")  # fmt: skip


def _one_timers(study: "Study") -> Finding | None:
    alone = count(study, False, *STATES)
    if not alone or study.alive is None:
        return None
    words = {"n": formats.number(alone), "share": share(alone / study.customers), "model": study.model}
    text = _(
        "{n} customers ({share}) ordered once and are not counted as active or at risk: one order shows no rhythm.",
        **words,
    )
    if study.model == "BG/NBD":
        text += " " + _("BG/NBD lets nobody leave before a second order and would call every one of them alive.")
    if study.alive.second_opinion == study.alive.second_opinion:
        opinion = share(study.alive.second_opinion)
        text += " " + _("MBG/NBD, which lets them leave at once, gives them {p} on average.", p=opinion)
    return Finding("churn.one_time_buyers", CHAPTER, text, alone / study.customers, unit="share", importance=0.55,
                   kind="caution", figure="churn_alive")  # fmt: skip


def _returns(study: "Study") -> Finding | None:
    crossed, back = study.lapses
    if crossed < study.minimum_group or back / crossed <= 0.25:
        return None
    text = _(
        "A lapsed customer is not lost for certain: of {crossed} whose silence ever passed the threshold, "
        "{back} ({share}) bought again so far. The survival curve shows the first lapse, not the last order of "
        "a life.",
        crossed=formats.number(crossed),
        back=formats.number(back),
        share=share(back / crossed),
    )
    return Finding("churn.returned", CHAPTER, text, back / crossed, unit="share", importance=0.5, kind="caution",
                   figure="churn_survival")  # fmt: skip


def _short(study: "Study") -> Finding | None:
    """The lapsed threshold is long against the time observed."""
    lapsed = study.thresholds.lapsed_days
    if lapsed is None or study.watched >= lapsed:
        return None
    text = _(
        "The history is short for judging silence: a customer of the base's rhythm counts as lapsed after "
        "{lapsed}, and nobody can be followed for longer than {watched} before that. Longer gaps are still "
        "running, so the threshold is too low if anything.",
        lapsed=formats.days(lapsed),
        watched=formats.days(study.watched),
    )
    return Finding("churn.short_history", CHAPTER, text, lapsed, unit="days", importance=0.45, kind="caution",
                   figure="churn_survival")  # fmt: skip


def _no_model(study: "Study") -> Finding | None:
    if not study.model_reason:
        return None
    n = len(study.at_risk)
    text = _("P(alive) and value at stake are not stated: {reason}", reason=study.model_reason) + " "
    text += plural(
        "The list ranks {count} overdue customer by revenue {past} instead.",
        "The list ranks {count} overdue customers by revenue {past} instead.",
        n,
        past=past_words(study),
        count=formats.number(n),
    )
    return Finding("churn.no_model", CHAPTER, text, importance=0.6, kind="caution", figure="churn_at_risk")
