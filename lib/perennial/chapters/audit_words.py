"""The words around the charts and tables of chapter 01; those on days and months are in ``audit_time``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.chapters import phrases
from perennial.language import _, plural
from perennial.statements import Caption, Finding

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study


def findings(study: "Study") -> list[Finding]:
    """What the chapter found, most important first."""
    from perennial.chapters import audit_findings

    return audit_findings.findings(study)


def captions(study: "Study") -> dict[str, Caption]:
    """The words around each chart and table, by its name."""
    from perennial.chapters import audit_details, audit_questions, audit_scores, audit_time

    return {
        "audit_scorecard": audit_scores.caption(study),
        "audit_questions": audit_questions.caption(study),
        **audit_details.captions(study),
        "audit_tables": _tables(study),
        "audit_reconciliation": _reconciliation(study),
        "audit_removed": _removed(study),
        **audit_time.captions(study),
    }


def source(study: "Study", more: str = "") -> str:
    """The line under a chart."""
    text = _(
        "Source: orders of {title} to {date}; n = {n} lines.",
        title=study.title,
        date=formats.date(study.as_of),
        n=formats.number(study.used_rows),
    )
    return f"{text} {more}".strip()


def source_of_raw(study: "Study") -> str:
    """The line under a table of lines before any was removed."""
    return _(
        "Source: orders of {title} as they arrived; n = {n} lines.",
        title=study.title,
        n=formats.number(study.raw_rows),
    )


def exact_formats(study: "Study") -> dict[str, Callable[[Any], str]]:
    """As :func:`table_formats`, with money to the cent: columns that are to be added up."""
    return {**table_formats(study), "money": lambda value: formats.money(value, study.currency, digits=2)}


def money(study: "Study", value: float) -> str:
    """An amount in the client's currency, cents only below ten."""
    return phrases.amount(value, study.currency)


def table_formats(study: "Study") -> dict[str, Callable[[Any], str]]:
    """How the columns of the chapter's tables become text."""
    from perennial.chapters import audit_time

    return {
        **{
            name: lambda value: money(study, value) for name in ("money", "revenue", "new_revenue", "returning_revenue")
        },
        **dict.fromkeys(("rule", "step", "mark"), rule_name),
        **dict.fromkeys(
            ("found", "customers"), lambda value: "" if formats.is_missing(value) else formats.number(value)
        ),
        "encoding": lambda value: value or formats.MISSING,
        "steps": lambda value: audit_time.steps_text(study, int(value)),
        "period": lambda value: formats.period(value, "month"),
        "measure": lambda value: _("orders") if value == "orders" else _("revenue"),
        "expected_orders": lambda value: formats.number(value, 0),
        "times": lambda value: formats.number(value, 1),
        "z": lambda value: formats.number(value, 1),
        "filled_share": lambda value: formats.percent(value, 1),
    }


def removed_lines(study: "Study") -> tuple[int, float]:
    """Order lines removed, and the money on them."""
    frame = study.reconciliation
    return study.raw_rows - study.used_rows, float(frame["money"].iloc[0] - frame["money"].iloc[-1])


def rule_name(rule: str) -> str:
    """A cleaning rule, or the name of a mark, in words."""
    names = {
        "raw": _("As they arrived"),
        "used": _("Used"),
        "blank_row": _("Empty row"),
        "malformed": _("Line that cannot be split"),
        "header_repeated": _("Column names repeated"),
        "no_customer": _("No customer"),
        "no_key": _("No id"),
        "no_rate": _("Currency without a rate"),
        "bad_date": _("Date missing or unreadable"),
        "bad_amount": _("Amount missing or unreadable"),
        "guest": _("Guest checkout"),
        "staff": _("Staff account"),
        "test_order": _("Test order"),
        "pseudo_product": _("No product (postage, fees)"),
        "after_as_of": _("Dated after the as-of day"),
        "exact_duplicate": _("Exact duplicate"),
        "negative_price": _("Price below zero"),
        "zero_amount": _("Amount of zero"),
        "negative_amount": _("Negative amount"),
        "cancelled_order": _("Cancelled order"),
        "returned": _("Return or cancellation"),
        "cancelled": _("Cancelled in pairs"),
        "below_minimum": _("Order below the minimum"),
        "only_returns": _("Customer with returns only"),
        "repeated_id": _("Id already in the table"),
        "return": _("Return"),
        "cancellation": _("Cancellation"),
        "unmatched_return": _("Return without its sale"),
        "outlier": _("Far from the usual amount"),
        "undone_outlier": _("Of these, taken back in full"),
        "colliding_id": _("Id shared by several people"),
        "masked_id": _("Masked id"),
        "unmasked_id": _("Id in full among masked ones"),
        "wrong_weekday": _("Another day's weekday"),
        "redated_return": _("Return counted on its sale's day"),
        "price_mismatch": _("Amount unlike quantity × price"),
        "merged_customer": _("Customer known under several ids"),
        "converted": _("Converted from another currency"),
    }
    return names.get(rule, rule.replace("_", " "))


def _tables(study: "Study") -> Caption:
    count = len(study.tables)
    one, many = "{count} table came in", "{count} tables came in"
    text = plural(one, many, count, count=formats.number(count))
    if len(study.missing):
        text += _("; {n} that the report could use did not", n=formats.number(len(study.missing)))
    subtitle = _("Rows as they arrived, rows used, customers and days covered, by table")
    more = _("Prepared as of {date}.", date=formats.date(study.as_of))
    return Caption(text, subtitle, more)


def _reconciliation(study: "Study") -> Caption:
    rows, lost = removed_lines(study)
    text = _("All {n} order lines are used", n=formats.number(study.used_rows))
    if rows:
        text = _(
            "{rows} of {raw} order lines removed, worth {lost}",
            rows=formats.number(rows),
            raw=formats.number(study.raw_rows),
            lost=money(study, lost),
        )
    subtitle = _("Order lines, customers and money ({currency}) from raw to used", currency=study.currency)
    more = _(
        "“Applies to” counts every line under a rule, “rows” those it removed because none before it did. "
        "A customer may stand under several rules."
    )
    return Caption(text, subtitle, more)


def _removed(study: "Study") -> Caption:
    text = _("No rule removed anything")
    if len(study.removed):
        worst = study.removed.loc[study.removed["rows"].idxmax()]
        text = _(
            "Most rows were removed from {table}: {rule}",
            table=worst["table"],
            rule=rule_name(str(worst["rule"])).lower(),
        )
    return Caption(text, _("Rows removed by each rule, all tables"), source_of_raw(study))
