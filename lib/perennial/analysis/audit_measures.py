"""What the scorecard judges, measured: from the record of the preparation and from the lines used."""

from dataclasses import dataclass

from perennial.analysis.audit_lines import LineFacts
from perennial.analysis.scorecard import Measurement
from perennial.formats import percent
from perennial.language import _
from perennial.schema import TABLES
from perennial.tables.audit import Audit

NOTED_DIFFERENCE = 0.001  # of a share on the lines used from that on all lines
ENOUGH_CUSTOMERS = 50  # below which ten of them are always a large part
_DATES = ("date", "timestamp")


@dataclass(frozen=True)
class Evidence:
    """What the chapter measured besides the record of the preparation.

    Attributes
    ----------
    early_customers, early_sign : those of the first periods who may have bought before the data begins, with how sure
        that is in words; ``early_customers`` None where it cannot be told.
    months, empty_months : calendar months covered, and those without any order.
    history_days, horizon_days : from the first order to the as-of day; as far as lifetime value looks ahead.
    last_covered : share of the last period that is over, 1 where it is whole.
    steps, odd_steps : days (weeks) in all, and those that stand out; ``odd_steps`` None where too short to tell.
    """

    audit: Audit
    customers: int
    early_customers: int | None
    early_sign: str
    months: int
    empty_months: int
    history_days: int
    horizon_days: float
    silent_days: int
    last_covered: float
    steps: int
    odd_steps: int | None
    top_share: float | None
    lines: LineFacts


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """Every criterion's measurement, by name."""
    return {
        **_completeness(evidence),
        **_validity(evidence),
        **_uniqueness(evidence.audit),
        **_timeliness(evidence),
        **_plausibility(evidence),
    }


def raw_totals(audit: Audit, table: str = "transactions") -> tuple[int, float]:
    """Rows as they arrived, and the money on them whatever its sign: what shares of money are taken of."""
    rules = audit.rules_of(table)
    return sum(rule.rows for rule in rules), sum(abs(rule.money or 0) for rule in rules)


def ruled(audit: Audit, *names: str, table: str | None = "transactions") -> tuple[int, float]:
    """Rows some rules apply to (whichever rule took them), and the money on those the rules took."""
    rules = [r for r in audit.rules if r.rule in names and table in (None, r.table)]
    return sum(max(r.found, r.rows) for r in rules), sum(r.money or 0 for r in rules)


def flagged(audit: Audit, *names: str) -> tuple[int, float]:
    """Order lines that were marked, and the money on them."""
    flags = [flag for flag in audit.flags if flag.what in names and flag.table == "transactions"]
    return sum(flag.rows for flag in flags), sum(flag.money or 0 for flag in flags)


def _part(rows: float, whole: float) -> float | None:
    return abs(rows) / whole if whole else None


def _completeness(evidence: Evidence) -> dict[str, Measurement]:
    audit = evidence.audit
    raw, money = raw_totals(audit)
    lines, lost = ruled(audit, "no_customer", "guest")
    facts = audit.rows("transactions")
    columns = [column for column in audit.columns if column.table == "transactions"]
    shares = [column.given / raw for column in columns if raw] or list(facts.filled.values())
    return {
        "no_customer_lines": Measurement(_part(lines, raw), lines, lost),
        "no_customer_money": Measurement(_part(lost, money), lines, lost),
        "filled": Measurement(sum(shares) / len(shares) if shares else None),
        "empty_months": Measurement(_part(evidence.empty_months, evidence.months)),
        "known_before": _early(evidence),
    }


def _early(evidence: Evidence) -> Measurement:
    if evidence.early_customers is None:
        return Measurement(None)
    return Measurement(_part(evidence.early_customers, evidence.customers), where=evidence.early_sign)


def _validity(evidence: Evidence) -> dict[str, Measurement]:
    audit = evidence.audit
    raw, _money = raw_totals(audit)
    zero = max(ruled(audit, "zero_amount")[0], flagged(audit, "zero_amount")[0], evidence.lines.zero_lines)
    priced = _has(audit, "unit_price")
    negative, worth = ruled(audit, "negative_price")
    unlike, amount = flagged(audit, "price_mismatch")
    compared = priced and _has(audit, "quantity") and _has(audit, "amount")
    return {
        "unreadable": _unreadable(audit),
        "unreadable_dates": _unreadable_dates(audit),
        "zero_amounts": Measurement(_part(zero, raw), zero, 0.0),
        "negative_prices": Measurement(_part(negative, raw) if priced or negative else None, negative, worth),
        "price_mismatch": Measurement(_part(unlike, raw) if compared or unlike else None, unlike, amount),
    }


def _has(audit: Audit, column: str) -> bool:
    return any(facts.table == "transactions" and facts.column == column for facts in audit.columns)


def _unreadable(audit: Audit) -> Measurement:
    found = []
    for facts in audit.tables:
        _rows, money = raw_totals(audit, facts.table)
        shares = [_part(facts.rejects, facts.raw_rows), _part(facts.rejected_money or 0, money)]
        places = [facts.table] if len(audit.tables) > 1 else []
        if (shares[1] or 0) > (shares[0] or 0):
            places.append(_("of the money"))
        where = ", ".join(places)
        found.append(Measurement(max(s or 0 for s in shares), facts.rejects, facts.rejected_money, where))
    return max(found, key=lambda one: one.value or 0, default=Measurement(None))


def _unreadable_dates(audit: Audit) -> Measurement:
    found = [
        Measurement(_part(c.unreadable, c.given), c.unreadable, None, c.source)
        for c in audit.columns
        if c.kind in _DATES and c.given
    ]
    return max(found, key=lambda one: one.value or 0, default=Measurement(None))


def _uniqueness(audit: Audit) -> dict[str, Measurement]:
    raw, _money = raw_totals(audit)
    copies, worth = max(ruled(audit, "exact_duplicate"), flagged(audit, "exact_duplicate"))
    partly = any(rule.rows < rule.found for rule in audit.rules if rule.rule == "exact_duplicate")
    keyed = [facts for facts in audit.tables if TABLES[facts.table].key]
    repeated, _none = ruled(audit, "repeated_id", table=None)
    shared, money = flagged(audit, "colliding_id")
    masked, hidden = flagged(audit, "masked_id")
    return {
        "exact_duplicates": Measurement(_part(copies, raw), copies, None if partly else worth),
        "repeated_ids": Measurement(
            _part(repeated, sum(facts.raw_rows for facts in keyed)), repeated, None, ", ".join(f.table for f in keyed)
        ),
        "colliding_ids": Measurement(_part(shared, raw), shared, money),
        "masked_ids": Measurement(_part(masked, raw), masked, hidden),
    }


def _timeliness(evidence: Evidence) -> dict[str, Measurement]:
    audit = evidence.audit
    late, money = ruled(audit, "after_as_of", table=None)
    off, moved = flagged(audit, "wrong_weekday")
    clocked = sum(facts.raw_rows for facts in audit.tables if TABLES[facts.table].clock)
    return {
        "silence": Measurement(float(evidence.silent_days)),
        "last_period": Measurement(evidence.last_covered),
        "after_as_of": Measurement(_part(late, clocked), late, money),
        "weekdays": Measurement(_part(off, raw_totals(audit)[0]) if off else None, off, moved),
        "history": Measurement(round(evidence.history_days / evidence.horizon_days, 2)),  # 365 days are a year
    }


def _returned(audit: Audit, lines: LineFacts) -> tuple[float, float]:
    """Money returned and money sold, both of all lines as they arrived, whatever a rule did with returns.

    Where the record marks no returns, both are of the lines used.
    """
    back = max(abs(flagged(audit, name)[1]) for name in ("return", "cancellation"))
    if not back:
        return lines.returned, lines.sold
    return back, sum(rule.money or 0 for rule in audit.rules_of("transactions")) + back


def _on_used(lines: LineFacts, of_all: float | None) -> str:
    """The share returned on the lines used, in words, where it is not that ``of_all`` lines."""
    used = _part(lines.returned, lines.sold)
    if used is None or of_all is None or abs(used - of_all) < NOTED_DIFFERENCE:
        return ""
    return _("{share} on the lines used", share=percent(used, 1))


def _plausibility(evidence: Evidence) -> dict[str, Measurement]:
    audit, lines = evidence.audit, evidence.lines
    _raw, whole = raw_totals(audit)
    back, sold = _returned(audit, lines)
    odd, money = flagged(audit, "outlier")
    top = evidence.top_share if evidence.customers >= ENOUGH_CUSTOMERS else None
    rhythm = None if evidence.odd_steps is None else _part(evidence.odd_steps, evidence.steps)
    return {
        "rhythm": Measurement(rhythm),
        "concentration": Measurement(top, None, None if top is None else top * (lines.sold - lines.returned)),
        "returns": Measurement(_part(back, sold), None, back, _on_used(lines, _part(back, sold))),
        "outliers": Measurement(_part(money, whole), odd, money),
        "stamps": Measurement(lines.stamp_share, None, None, lines.stamp),
    }
