"""Questions about when: where the data begins and ends, days without orders, days unlike all others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.audit_measures import flagged, ruled
from perennial.chapters import audit_time, phrases
from perennial.chapters.audit_asked import chapter, is_odd, lines
from perennial.chapters.audit_questions import Question, stake
from perennial.language import _, plural

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

_NAMED = 3


def asked(study: "Study") -> list[Question]:
    """Every question that time gives rise to, in no order."""
    made = [_weekdays, _known, _history, _silence, _after, _gaps, _spikes, _stamps]
    return [question for make in made for question in make(study)]


def _orders(study: "Study") -> int:
    return max(1, int(study.months["orders"].sum()))


def _weekdays(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "wrong_weekday")
    if not rows:
        return
    shifted = next((text.partition("; ")[2] for text in study.audit.warnings if "a weekday stands beside" in text), "")
    yield Question(
        "weekdays",
        _("On {lines} the weekday written beside the date is not that date's.", lines=lines(study, rows, None))
        + (f" {shifted[:1].upper()}{shifted[1:]}." if shifted else ""),
        _("Were the dates changed before the export, and which are the true ones?"),
        _("Season, month and weekday in every chapter are those of the dates as given; dates that cannot be read, such "
          "as 29 February, may be true ones."),
        "sources.transactions.columns.ordered_at, as_of",
        **stake(study, rows, money),
    )  # fmt: skip


def _known(study: "Study") -> Iterator[Question]:
    beginning = study.beginning
    if beginning.doubtful:
        yield _maybe_known(study)
    if not beginning.known:
        return
    share = beginning.customers / study.customers
    yield Question(
        "known_before",
        _("{n} of {all} customers first order in the first months, far more than later: most seem older.",
          n=formats.number(beginning.customers), all=formats.number(study.customers)),
        _("Could you send earlier orders, or the day each customer was won?"),
        _("Their first purchase is unknown, so they are left out of acquisition in {base} and {stay}; with it these "
          "chapters would rest on {share} more customers.", base=chapter("02_customer_base"),
          stay=chapter("03_cohort_retention"), share=formats.percent(share / max(1 - share, 1e-9))),
        "sources.transactions.path, sources.customers.columns.acquired_at",
        share=share / 2,
    )  # fmt: skip


def _maybe_known(study: "Study") -> Question:
    beginning, share = study.beginning, study.beginning.customers / study.customers
    return Question(
        "known_before",
        _("{n} of {all} customers first order by {period}, about {excess} more than later periods bring.",
          n=formats.number(beginning.customers), all=formats.number(study.customers),
          period=formats.period(max(beginning.cohorts), study.unit), excess=phrases.about(beginning.excess)),
        _("Were some of them customers before? Could you send earlier orders, or the day each customer was won?"),
        _("If they were, new customers come back less than {stay} shows, and fewer are won.",
          stay=chapter("03_cohort_retention")),
        "sources.transactions.path, sources.customers.columns.acquired_at",
        share=share / 4,
    )  # fmt: skip


def _history(study: "Study") -> Iterator[Question]:
    if study.beginning.cohorts or not is_odd(study, "history"):
        return
    length = formats.days((study.as_of - study.first_on).days + 1)
    yield Question(
        "history",
        _("Orders cover {length}; lifetime value looks {months} months ahead.", length=length,
          months=formats.number(study.horizon_months)),
        _("Could you send an earlier export of the same kind?"),
        _("With twice the horizon, {value} could be tested on a year it has not seen; its intervals would narrow.",
          value=chapter("05_lifetime_value")),
        "sources.transactions.path, horizon_months",
        share=0.02,
    )  # fmt: skip


def _silence(study: "Study") -> Iterator[Question]:
    if not is_odd(study, "silence"):
        return
    yield Question(
        "silence",
        _("The last order is from {last}, {days} before the day of the report.", last=formats.date(study.last_on),
          days=formats.days(study.silent_days)),
        _("Does the export end there, or did nobody order?"),
        _("If the export ends there, {leave} calls customers silent who are not, and lifetime value is too low.",
          leave=chapter("04_churn")),
        "as_of",
        share=min(1.0, study.silent_days / max(1, (study.as_of - study.first_on).days)),
    )  # fmt: skip


def _after(study: "Study") -> Iterator[Question]:
    rows, money = ruled(study.audit, "after_as_of")
    if not rows:
        return
    yield Question(
        "after_as_of",
        plural("{count} order line is dated after {date} and left out.",
               "{count} order lines are dated after {date} and left out.", rows, count=formats.number(rows),
               date=formats.date(study.as_of)),
        _("Are these orders placed ahead, or wrong dates?"),
        _("A later last day would count them: revenue and orders in {base} rise.", base=chapter("02_customer_base")),
        "as_of",
        **stake(study, rows, money),
    )  # fmt: skip


def _gaps(study: "Study") -> Iterator[Question]:
    if not len(study.gaps):
        return
    gaps = study.gaps.sort_values(["steps", "expected_orders"], ascending=False)
    days = [
        f"{formats.date(row.first)} ({audit_time.steps_text(study, int(row.steps))})"
        for row in gaps.head(_NAMED).itertuples()
    ]
    expected = float(gaps["expected_orders"].sum())
    text = _("No order is recorded from {days}; at the usual rate about {n} would have been likely.",
             days=phrases.listed(days), n=formats.number(expected, 0))  # fmt: skip
    if len(gaps) > _NAMED:
        text = _("In {count} stretches no order is recorded, the longest from {days}; at the usual rate about {n} "
                 "would have been likely in all.", count=formats.number(len(gaps)), days=phrases.listed(days),
                 n=formats.number(expected, 0))  # fmt: skip
    yield Question(
        "gaps",
        text,
        _("Were you closed (public holidays, stocktaking), or is a part of the export missing?"),
        _("If it is missing, revenue in {base} is too low and customers in {leave} look more silent than they were.",
          base=chapter("02_customer_base"), leave=chapter("04_churn")),
        "sources.transactions.path",
        share=min(1.0, expected / _orders(study)),
    )  # fmt: skip


def _spikes(study: "Study") -> Iterator[Question]:
    if not len(study.spikes):
        return
    top = study.spikes.drop_duplicates("start").head(_NAMED)
    named = [_("{day} ({times} times the usual {measure})", day=formats.date(row.start),
               times=formats.number(row.times, 1), measure=_("orders") if row.measure == "orders" else _("revenue"))
             for row in top.itertuples()]  # fmt: skip
    text = _("Some days stand out: {named}.", named=phrases.listed(named))
    ask = _("Was there a campaign, a single large order, or a batch entered later?")
    fixed = audit_time.fixed_days(study)
    if fixed:
        text += " " + fixed
        ask = _("Is there an offer on fixed days of the month, or are orders entered in batches?")
    extra = study.spikes.loc[study.spikes["measure"] == "orders", ["value", "usual"]].sum()
    yield Question(
        "spikes",
        text,
        ask,
        _("Customers won in a campaign often come back less: it would explain single cohorts in {stay}.",
          stay=chapter("03_cohort_retention")),
        "scope",
        share=min(1.0, float(extra["value"] - extra["usual"]) / _orders(study)),
    )  # fmt: skip


def _stamps(study: "Study") -> Iterator[Question]:
    if not is_odd(study, "stamps"):
        return
    found = study.scorecard["stamps"]
    yield Question(
        "stamps",
        _("{share} of all orders carry one date or time ({stamp}).", share=formats.percent(found.value),
          stamp=found.where),
        _("Is it when they were entered or imported rather than placed? Is the true date kept anywhere?"),
        _("Dates of entry make gaps between purchases too short or too long: {stay} and {leave} cannot be trusted "
          "for these customers.", stay=chapter("03_cohort_retention"), leave=chapter("04_churn")),
        "sources.transactions.columns.ordered_at",
        share=found.value or 0,
    )  # fmt: skip
