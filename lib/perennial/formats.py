"""The one place where numbers, money, percentages, dates and intervals become text.

Every chart, table and sentence formats through here, so that a figure looks the same wherever it stands.
Missing values (``None``, NaN, NaT) become an en dash.
"""

import datetime as dt
import html
import math
from collections.abc import Callable
from typing import Any

MISSING = "–"
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥", "BRL": "R$", "CHF": "CHF ", "INR": "₹"}
_SCALES = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")]


def is_missing(value: Any) -> bool:
    """Whether a value stands for "not known"."""
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT differ from themselves
    except (TypeError, ValueError):
        return False


def number(value: Any, digits: int | None = None) -> str:
    """A number with thousands commas; without ``digits``, whole numbers stay whole and others keep three figures."""
    if is_missing(value):
        return MISSING
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if digits is None:
        digits = 0 if value == round(value) or abs(value) >= 100 else max(0, 2 - _magnitude(value))
    text = f"{abs(value):,.{digits}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return f"−{text}" if negative else text


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def compact(value: Any) -> str:
    """Three significant figures with a scale letter: ``1.24 M``, ``18.3 k``, ``412``."""
    if is_missing(value):
        return MISSING
    value = float(value)
    for scale, letter in _SCALES:
        if abs(value) >= scale * 0.9995:
            scaled = float(f"{value / scale:.3g}")  # 999 999 is 1.00 M, not 1.000 M
            return f"{number(scaled, max(0, 2 - _magnitude(scaled)))} {letter}"
    return number(value)


def money(value: Any, currency: str, digits: int | None = None) -> str:
    """An amount of money, three figures and a scale letter; with ``digits``, in full: ``$2.50 M``, ``$35.22``."""
    if is_missing(value):
        return MISSING
    value = float(value)
    text = compact(abs(value)) if digits is None else number(abs(value), digits)
    symbol = SYMBOLS.get(currency, f"{currency} ")
    negative = value < 0 and any(c in "123456789" for c in text)
    return f"{'−' if negative else ''}{symbol}{text}"


def percent(share: Any, digits: int = 0) -> str:
    """A share (0.182) as a percentage (``18 %``); shares that would round to 0 or 100 without being so say < or >."""
    if is_missing(share):
        return MISSING
    value = 100 * float(share)
    smallest = 10.0**-digits
    if 0 < value < smallest / 2:
        return f"< {number(smallest, digits)} %"
    if 100 - smallest / 2 < value < 100:
        return f"> {number(100 - smallest, digits)} %"
    return f"{number(value, digits)} %"


def points(difference: Any, digits: int = 1) -> str:
    """A difference of shares (0.09) in percentage points, signed: ``+9.0 points``."""
    if is_missing(difference):
        return MISSING
    return f"{signed(100 * float(difference), lambda v: number(v, digits))} points"


def signed(value: Any, style: Callable[[Any], str]) -> str:
    """A number with its sign always shown, but for one too small to be shown (``< 0.1 %``)."""
    if is_missing(value):
        return MISSING
    text = style(value)
    if "<" in text:
        return text.removeprefix("−")
    return text if text.startswith("−") or float(value) == 0 else f"+{text}"


def interval(low: Any, high: Any, style: Callable[[Any], str]) -> str:
    """Two bounds: ``1.41 M to 1.92 M``; missing bounds give a dash."""
    if is_missing(low) or is_missing(high):
        return MISSING
    return f"{style(low)} to {style(high)}"


def days(value: Any) -> str:
    """A length of time in days, in the unit a person would use: ``12 days``, ``3.5 months``, ``2.1 years``."""
    if is_missing(value):
        return MISSING
    value = float(value)
    if value < 1.5 and number(value, 0) == "1":
        return "1 day"
    if value < 90:
        return f"{number(value, 0)} days"
    if value < 730:
        return _length(value / 30.4375, "months")
    return _length(value / 365.25, "years")


def _length(value: float, unit: str) -> str:
    return f"{number(value, 1).removesuffix('.0')} {unit}"


def date(value: Any) -> str:
    """A day: ``30 June 1998``."""
    if is_missing(value):
        return MISSING
    return f"{value.day} {value:%B %Y}"


def period(value: Any, unit: str) -> str:
    """A period named by its first day: ``Jun 1998``, ``Q2 1998``, ``1998-W23``, ``1998``."""
    if is_missing(value):
        return MISSING
    if unit == "month":
        return f"{value:%b %Y}"
    if unit == "quarter":
        return f"Q{(value.month - 1) // 3 + 1} {value.year}"
    if unit == "week":
        year, week, _ = dt.date(value.year, value.month, value.day).isocalendar()
        return f"{year}-W{week:02d}"
    return str(value.year)


def escape(text: Any) -> str:
    """Client text made safe to stand in HTML (also inside double-quoted attributes) and in Markdown."""
    marks = {mark: f"&#{ord(mark)};" for mark in "\\`*_{}[]#|~$"} | {"'": "'"}
    return "".join(marks.get(mark) or html.escape(mark, quote=True) for mark in str(text))
