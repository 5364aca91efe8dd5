"""How the sections on the models' assumptions speak of their numbers."""

from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.value import ValueResult
from perennial.chapters import phrases
from perennial.chapters.value_words import signed_percent
from perennial.language import _
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "05_lifetime_value"


def source(client: "Client", n: int, more: str = "") -> str:
    """The line under a chart."""
    return phrases.source_of_customers(client.parameters.title, client.parameters.as_of, n, more)


def finding(name: str, text: str, value: float | None, importance: float, figure: str, **more: Any) -> Finding:
    """A finding of chapter 05."""
    return Finding(f"value.{name}", CHAPTER, text, value, importance=importance, figure=figure, **more)


def level(result: ValueResult) -> str:
    """The level of all intervals."""
    return formats.percent(result.settings["interval"])


def between(low: float, high: float) -> str:
    """An interval of a relative difference."""
    return formats.interval(low, high, signed_percent)


def whole(value: Any) -> str:
    """A count, also where it is expected and not counted."""
    return formats.number(value, 0)


def signed_one(share: float) -> str:
    """A relative difference to a tenth of a percent."""
    return formats.signed(share, lambda value: f"{'−' if value < 0 else ''}{formats.percent(abs(value), 1)}")


def two(value: float) -> str:
    """A number with two decimals."""
    return formats.number(value, 2)


def or_more(value: float) -> str:
    """The upper end of a group; missing or infinite: open."""
    return _("and more") if formats.is_missing(value) or value == float("inf") else formats.number(value, 0)


def band(first: float, last: float) -> str:
    """A group of repeat purchase days in words; ``first`` missing: everyone."""
    if formats.is_missing(first):
        return _("all customers")
    if first == 0:
        return _("bought once")
    if formats.is_missing(last):
        return _("{first} and more", first=formats.number(first))
    return formats.number(first) if first == last else f"{formats.number(first)}–{formats.number(last)}"
