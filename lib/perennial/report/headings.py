"""What a table shows in place of column names, codes and dates; the files behind it keep them as they are."""

import datetime as dt
from typing import Any

from perennial.formats import MISSING, is_missing, number
from perennial.language import _

# Columns that hold our own codes; a client's words elsewhere stay as they are.
_CODED = {"quadrant", "state", "status", "stage", "group", "population", "test", "look", "what", "phase", "driver"}


def heading(column: str) -> str:
    """A column name as a heading: ``first_on`` → ``First purchase``; unknown names keep their words."""
    return _labels().get(column) or capital(column.replace("_", " ").strip())


def capital(text: str) -> str:
    """The text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def short_date(value: Any) -> str:
    """A day as it stands in a cell: ``29 Jan 1997``."""
    return MISSING if is_missing(value) else f"{value.day} {value:%b %Y}"


def cell_text(value: Any) -> str:
    """A cell as a person reads it, where the caller named no formatter."""
    if is_missing(value):
        return MISSING
    if isinstance(value, str):
        return value
    if type(value).__name__ in ("bool", "bool_"):
        return _("yes") if value else _("no")
    if isinstance(value, dt.date):
        return short_date(value)
    try:
        return number(value)
    except (TypeError, ValueError):
        return str(value)


def code_text(column: str, value: str) -> str:
    """One of our codes in words, in a column that holds codes; anything else unchanged."""
    return _codes().get(value, value) if column in _CODED else value


def _codes() -> dict[str, str]:
    return {
        "growth_stock": _("Growth stock"),
        "cash_cow": _("Cash cow"),
        "sleeping_gold": _("Sleeping gold"),
        "low_yield": _("Low-yield"),
        "on_cadence": _("on cadence"),
        "without_largest": _("without the largest"),
        "past_spend": _("past spend"),
        "cross_buy": _("cross-buy"),
    }


def _labels() -> dict[str, str]:
    return {**_people(), **_money(), **_model_words(), **_audit_words()}


def _people() -> dict[str, str]:
    return {
        "customer_id": _("Customer"),
        "shared_id": _("Shared by several?"),
        "first_on": _("First purchase"),
        "last_on": _("Last purchase"),
        "came_back": _("Came back"),
        "order_number": _("After order"),
        "silence_days": _("Days silent"),
        "silence_ratio": _("Silence ÷ typical gap"),
        "typical_gap_days": _("Typical gap (days)"),
        "from_day": _("From day"),
        "to_day": _("To day"),
        "ended_days": _("Ended gaps (days)"),
        "all_days": _("All gaps (days)"),
        "at_risk": _("Still observed"),
        "repeat": _("Repeat buyer"),
        "size": _("Customers in cohort"),
        "age": _("Periods since first purchase"),
        "group": _("Group"),
        "next_category": _("Next category"),
        "holders": _("Buyers"),
        "added_share": _("Added it"),
        "growers_share": _("Share who grew"),
    }


def _money() -> dict[str, str]:
    return {
        "clv": _("Lifetime value"),
        "clv_low": _("Low"),
        "clv_high": _("High"),
        "monetary_value": _("Mean order day"),
        "value_at_stake": _("Value at stake"),
        "expected_value": _("Expected value"),
        "expected_order_value": _("Expected order day"),
        "revenue_past_year": _("Revenue, past year or less"),
        "revenue_per_customer": _("Revenue per customer"),
        "new_revenue": _("Revenue of new"),
        "returning_revenue": _("Revenue of returning"),
        "spend_12m": _("Spend, last 12 months or less"),
        "current_value": _("Current value"),
        "typical_spend": _("Typical spend"),
        "price_per_month": _("Price per month"),
    }


def _model_words() -> dict[str, str]:
    return {
        "p_alive": _("P(alive)"),
        "model_group": _("Valued by the models of"),
        "from_p": _("P(alive) from"),
        "to_p": _("P(alive) to"),
        "from_ratio": _("Silence ÷ typical gap, from"),
        "frequency": _("Repeat purchase days"),
        "expected_purchases": _("Expected purchases"),
        "probability_of_order": _("Chance of an order"),
        "next_order_on": _("Next order by (even chance)"),
        "potential_score": _("Potential score"),
        "loglik": _("Log-likelihood"),
        "aic": _("AIC"),
        "bic": _("BIC"),
        "mae": _("Mean absolute error"),
        "rmse": _("Root mean square error"),
        "naive": _("Rule of thumb"),
        "implied": _("Implied by the model"),
        "pinball": _("Pinball loss"),
        "pinball_baseline": _("Pinball loss, baseline"),
        "coverage_share": _("Covered"),
        "week_end": _("Week ending"),
    }


def _audit_words() -> dict[str, str]:
    return {
        "raw_rows": _("Rows received"),
        "rows": _("Rows"),
        "removed_rows": _("Rows removed"),
        "given_share": _("Filled"),
        "found": _("Applies to"),
        "unreadable_rows": _("Rows unreadable"),
        "unreadable": _("Unreadable"),
        "in_file": _("Name in the file"),
        "could_be": _("Could be"),
        "opens": _("What that would open"),
        "files": _("Files that have it"),
        "mark": _("Mark"),
        "steps": _("Length"),
        "first_file": _("First in file"),
        "first_line": _("at line"),
        "number": _("No."),
        "why": _("Why it matters"),
        "setting": _("Setting it changes"),
        "default": _("If nothing is declared"),
        "start": _("From"),
        "usual": _("Usual value"),
        "times": _("Times the usual"),
        "z": _("Robust z-score"),
        "finished": _("Complete period"),
        "known": _("Counted as known before"),
        "left_out": _("Left out of the comparison"),
    }
