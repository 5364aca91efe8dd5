"""What chapter 01 finds, in sentences: what is used, what is thin, what cannot be said."""

import datetime as dt
from typing import TYPE_CHECKING

from perennial import formats
from perennial.chapters import audit_absent, audit_doubts, audit_red, audit_time, phrases
from perennial.chapters import audit_words as words
from perennial.language import _
from perennial.statements import Finding, Kind

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

CHAPTER = "01_data_audit"
NOTABLE_TOP_SHARE = 0.10  # of revenue from the ten largest customers


def findings(study: "Study") -> list[Finding]:
    """Findings, then what the data cannot say."""
    made = [_used(study), _span(study), *_rhythm(study), *_closed(study), *_giants(study)]
    return [
        *made,
        *audit_red.scored(study),
        *audit_doubts.rejects(study),
        *audit_doubts.masked(study),
        *_left(study),
        *_right(study),
        *_silence(study),
        *audit_absent.warnings(study),
        *audit_absent.unused(study),
        *audit_absent.missing(study),
    ]


def _finding(
    name: str, text: str, value: float | None, unit: str, importance: float, figure: str, kind: Kind = "finding"
) -> Finding:
    number = None if value is None else float(value)
    return Finding(name, CHAPTER, text, number, unit=unit, importance=round(importance, 3), kind=kind, figure=figure)


def _used(study: "Study") -> Finding:
    rows, lost = words.removed_lines(study)
    share = study.used_rows / study.raw_rows
    if not rows:
        text = _("All {n} order lines could be used: nothing was removed.", n=formats.number(study.raw_rows))
        return _finding("audit.used_share", text, share, "share", 0.2, "audit_reconciliation")
    worst = study.reconciliation.iloc[1:-1].sort_values("rows").iloc[0]
    text = _(
        "{share} of {raw} order lines could be used. {rows} were removed, worth {lost} ({part} of the money); "
        "the most by one rule: {rule} ({most}).",
        share=formats.percent(share, 1 if share > 0.99 else 0),
        raw=formats.number(study.raw_rows),
        rows=formats.number(rows),
        lost=words.money(study, lost),
        part=formats.percent(_part(study, lost), 1 if _part(study, lost) < 0.1 else 0),
        rule=worst["meaning"],
        most=formats.number(-worst["rows"]),
    )
    return _finding("audit.used_share", text, share, "share", 0.2 + 0.7 * min(1.0, (1 - share) / 0.1),
                    "audit_reconciliation")  # fmt: skip


def _part(study: "Study", lost: float) -> float:
    return abs(lost) / (abs(lost) + abs(float(study.revenue)) or 1)


def _span(study: "Study") -> Finding:
    days = (study.as_of - study.first_on).days + 1
    orders = int(study.months["orders"].sum())
    text = _(
        "Orders run from {first} to {last}, {length}: {customers} customers, {orders} orders, {revenue}.",
        first=formats.date(study.first_on),
        last=formats.date(study.last_on),
        length=formats.days(days),
        customers=formats.number(study.customers),
        orders=formats.number(orders),
        revenue=words.money(study, float(study.revenue)),
    )
    return _finding("audit.span_days", text, days, "days", 0.25, "audit_months")


def _rhythm(study: "Study") -> list[Finding]:
    made = []
    if len(study.gaps):
        worst = study.gaps.loc[study.gaps["expected_orders"].idxmax()]
        count = len(study.gaps)
        text = _(
            "No order was recorded for {length} from {day}, where the client's own rate makes {n} likely: "
            "closed, or missing from the data?",
            length=audit_time.steps_text(study, int(worst["steps"])),
            day=formats.date(worst["first"]),
            n=formats.number(worst["expected_orders"], 0),
        )
        if count > 1:
            text += " " + _("{count} such stretches in all.", count=formats.number(count))
        unseen = float(study.gaps["expected_orders"].sum())
        part = unseen / (unseen + int(study.months["orders"].sum()))
        made.append(_finding("audit.gaps", text, count, "gaps", 0.3 + 0.6 * min(1.0, part / 0.10), "audit_gaps"))
    if len(study.spikes):
        top, count = study.spikes.iloc[0], len(audit_time.spike_starts(study))
        text = _(
            "{day} brought {times} times the usual {measure} of a {step} ({value} against {usual}): ask what happened",
            day=formats.date(top["start"]),
            times=formats.number(top["times"], 1),
            measure=_("orders") if top["measure"] == "orders" else _("revenue"),
            step=audit_time.step_name(study),
            value=_value(study, str(top["measure"]), float(top["value"])),
            usual=_value(study, str(top["measure"]), float(top["usual"])),
        )
        fixed = audit_time.fixed_days(study)
        if count > 1 and not fixed:
            text += _(
                "; {count} {step}s stand out in all", count=formats.number(count), step=audit_time.step_name(study)
            )
        text = f"{text}. {fixed}".rstrip()
        made.append(_finding("audit.spikes", text, count, audit_time.step_name(study) + "s", 0.35, "audit_spikes"))
    if study.measured and not made:
        text = _("No gap and no spike: every {step} lies within what the client's own rate makes likely.",
                 step=audit_time.step_name(study))  # fmt: skip
        made.append(_finding("audit.gaps", text, 0, "gaps", 0.15, "audit_rhythm"))
    return made


def _value(study: "Study", measure: str, value: float) -> str:
    return words.money(study, value) if measure == "revenue" else formats.number(value, 0)


def _closed(study: "Study") -> list[Finding]:
    if not study.closed:
        return []
    text = _(
        "Nobody ordered for the first time after {month}: this is a chosen group of customers, which can only shrink. "
        "Falling revenue here says nothing about the business as a whole.",
        month=audit_time.last_new_month(study),
    )
    return [_finding("audit.closed_base", text, study.customers, "customers", 0.8, "audit_new")]


def _giants(study: "Study") -> list[Finding]:
    notable = max(NOTABLE_TOP_SHARE, 2 * 10 / study.customers)
    if study.top_share is None or study.top_share < notable or study.customers < 50:
        return []
    text = _(
        "The ten largest of {n} customers brought {share} of revenue: averages and totals move with them, so the "
        "report shows both with and without them.",
        n=formats.number(study.customers),
        share=formats.percent(study.top_share),
    )
    return [_finding("audit.giants", text, study.top_share, "share", min(0.9, 0.4 + study.top_share), "base_spread")]


def _left(study: "Study") -> list[Finding]:
    beginning = study.beginning
    if not beginning.cohorts:
        return []
    share = beginning.customers / study.customers
    words = {
        "n": formats.number(beginning.customers),
        "share": formats.percent(share),
        "period": formats.period(max(beginning.cohorts), study.unit),
        "later": formats.number(beginning.later, 0),
        "excess": phrases.about(beginning.excess),
    }
    text = _(
        "{n} customers ({share}) first appear in the first periods, to {period}, many times the {later} per period "
        "that came later: most were customers before the data begins. They are left out of statements on acquisition.",
        **words,
    )
    if beginning.doubtful:
        text = _(
            "Some of the {n} customers ({share}) first seen by {period} may have bought before the data begins: about "
            "{excess} of them are more than later periods bring ({later} each). They count as new customers, but "
            "newer customers are compared with older ones without them. Earlier orders would settle it.",
            **words,
        )
    return [_finding("audit.left_censored", text, share, "share", 0.5 + 0.3 * share, "audit_new", "caution")]


def _right(study: "Study") -> list[Finding]:
    if study.last_finished:
        return []
    text = _(
        "The last {unit} ends on {date}, before it is over: its totals are drawn hatched and never compared.",
        unit={"week": _("week"), "month": _("month"), "quarter": _("quarter")}[study.unit],
        date=formats.date(study.as_of),
    )
    return [_finding("audit.last_period", text, None, "", 0.35, "audit_months", "caution")]


def _silence(study: "Study") -> list[Finding]:
    ends_in_gap = len(study.gaps) and study.gaps["last"].iloc[-1].date() >= study.as_of - dt.timedelta(days=7)
    if not ends_in_gap or study.silent_days == 0:
        return []
    text = _(
        "The last order is from {last}, {days} before the as-of day {as_of}: if the data simply ends there, everybody "
        "looks more silent than they are. Set as_of to the last day covered.",
        last=formats.date(study.last_on),
        days=formats.days(study.silent_days),
        as_of=formats.date(study.as_of),
    )
    return [_finding("audit.silent_end", text, study.silent_days, "days", 0.9, "audit_rhythm", "caution")]
