"""The sentences and key figures of chapter 00, made from the findings of the others."""

from collections.abc import Callable, Iterable, Mapping

from perennial import formats
from perennial.language import _, plural
from perennial.parameters import Parameters
from perennial.schema import CHAPTERS
from perennial.statements import Finding, KeyFigure

MOST_FIGURES = 5
WHOLE = 10_000  # key figures below this are whole numbers


def key_figures(found: Mapping[str, Finding], parameters: Parameters, revenue_before: float | None) -> list[KeyFigure]:
    """Three to five numbers from the findings that are there.

    Parameters
    ----------
    found : all findings by id.
    revenue_before : revenue of the 12 months before the last 12, where known.
    """
    figures = [
        _customers(found),
        _revenue(found, parameters, revenue_before),
        _active(found) or _at_risk(found, parameters),
        _equity(found, parameters),
        _growth_stock(found) or _top_tenth(found),
    ]
    return [figure for figure in figures if figure is not None][:MOST_FIGURES]


def _number(found: Mapping[str, Finding], name: str) -> float | None:
    finding = found.get(name)
    return finding.value if finding else None


def _customers(found: Mapping[str, Finding]) -> KeyFigure | None:
    value = _number(found, "base.customers")
    if value is None:
        return None
    days = _number(found, "audit.span_days")
    note = _("in {span} of orders", span=formats.days(days)) if days else ""
    return KeyFigure(_("Customers"), formats.number(value, 0), note, _("with at least one order that is not a return"))


def _revenue(found: Mapping[str, Finding], p: Parameters, before: float | None) -> KeyFigure | None:
    value = _number(found, "base.revenue_12m")
    if value is None:
        value = _number(found, "base.revenue")
        label = _("Revenue so far")
        return None if value is None else KeyFigure(label, formats.money(value, p.currency), _("less than a year"))
    note = _("no year before to compare with")
    if before is not None and before > 0:
        change = formats.signed(value / before - 1, formats.percent)
        note = _("{change} on the 12 months before", change=change)
    definition = _("12 months to {date}, net of returns", date=formats.date(p.as_of))
    return KeyFigure(_("Revenue, last 12 months"), formats.money(value, p.currency), note, definition)


def _active(found: Mapping[str, Finding]) -> KeyFigure | None:
    value = _number(found, "churn.active_repeaters")
    if value is None:
        return None
    share = _number(found, "churn.overdue")
    note = _("{share} of repeat customers are overdue", share=formats.percent(share)) if share is not None else ""
    definition = _("repeat customers, by the purchase model; one-time buyers not counted")
    return KeyFigure(_("Probably still active"), _about(value), note, definition)


def _about(value: float) -> str:
    """An estimated count: whole below ten thousand, as in the sentences; three figures above."""
    return formats.number(value, 0) if value < WHOLE else formats.compact(value)


def _at_risk(found: Mapping[str, Finding], p: Parameters) -> KeyFigure | None:
    share = _number(found, "churn.overdue")
    if share is None:
        return None
    return KeyFigure(
        _("Overdue"), formats.percent(share), _("of repeat customers"), _("silent beyond their own rhythm")
    )


def _equity(found: Mapping[str, Finding], p: Parameters) -> KeyFigure | None:
    finding = found.get("value.equity")
    if finding is None or finding.value is None:
        return None

    def style(value: object) -> str:
        return formats.money(value, p.currency)

    note = ""
    if finding.low is not None and finding.high is not None:
        bounds = formats.interval(finding.low, finding.high, style)
        note = _("{level} interval {bounds}", level=formats.percent(p.interval), bounds=bounds)
    test = found.get("value.direction")
    if test is not None and test.value is not None:
        error = formats.percent(abs(test.value))
        note += "; " + (_("tested, {share} too low", share=error) if test.value < 0
                        else _("tested, {share} too high", share=error))  # fmt: skip
    months = plural("next {count} month", "next {count} months", p.horizon_months, count=p.horizon_months)
    definition = _("discounted margin expected from today's customers, {months}", months=months)
    return KeyFigure(_marked(_("Customer equity"), finding), style(finding.value), note, definition)


def _growth_stock(found: Mapping[str, Finding]) -> KeyFigure | None:
    finding = found.get("potential.growth_stock")
    if finding is None or finding.value is None:
        return None
    gold = _number(found, "potential.sleeping_gold")
    note = _("{n} more are sleeping gold", n=formats.number(gold)) if gold is not None else ""
    definition = _("customers of high value and high potential")
    return KeyFigure(_marked(_("Growth stock"), finding), formats.number(finding.value), note, definition)


def _marked(label: str, finding: Finding) -> str:
    """A key figure's name with the doubt that its chapter puts beside it."""
    return f"{label} ({finding.doubt})" if finding.doubt else label


def _top_tenth(found: Mapping[str, Finding]) -> KeyFigure | None:
    value = _number(found, "base.top_decile_share")
    if value is None:
        return None
    return KeyFigure(_("Best tenth of customers"), formats.percent(value), _("of revenue"))


def overview(found: Iterable[Finding], stems: Iterable[str]) -> str:
    """A Markdown list: each chapter, linked, with what it puts first."""
    found = list(found)
    lines = []
    for stem in stems:
        own = [finding for finding in found if finding.chapter == stem]
        kinds = [_counted(own, kind, words) for kind, words in _KINDS.items()]
        said = ", ".join(part for part in kinds if part) or _("nothing to report")
        lines.append(f"- [{CHAPTERS[stem]}](#{stem}): {said}")
    return "\n".join(lines)


_KINDS: dict[str, Callable[[int], str]] = {
    "finding": lambda n: plural("{count} finding", "{count} findings", n, count=n),
    "action": lambda n: plural("{count} action", "{count} actions", n, count=n),
    "caution": lambda n: plural("{count} caution", "{count} cautions", n, count=n),
}


def _counted(found: list[Finding], kind: str, words: Callable[[int], str]) -> str:
    count = sum(finding.kind == kind for finding in found)
    return words(count) if count else ""


def failed_text(failed: Mapping[str, str]) -> str:
    """Which chapters are missing from this report, and why where it is known."""
    if not failed:
        return ""
    parts = [f"**{CHAPTERS[stem]}**" + (f" ({formats.escape(why)})" if why else "") for stem, why in failed.items()]
    text = plural(
        "{names} did not finish, so nothing of it stands in this summary.",
        "{names} did not finish, so nothing of them stands in this summary.",
        len(parts),
        names=", ".join(parts),
    )
    return text + " " + _("The bottom line below rests on the other chapters only.")


def left_out_text(stems: Iterable[str]) -> str:
    """Which chapters this report was not asked for; empty where it has all of them."""
    parts = [f"**{CHAPTERS[stem]}**" for stem in stems]
    if not parts:
        return ""
    one, many = "{names} is not part of this report.", "{names} are not part of this report."
    return plural(one, many, len(parts), names=", ".join(parts))
