"""Column headings of chapter 06's tables, and what stands where something is not measured."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.quadrants import LOOKS
from perennial.chapters.potential_words import stage_label, test_name, varied_label
from perennial.charts.potential import look_label, quadrant_label
from perennial.language import _

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

UNLOCKED_BY = {
    "wallet": ("customers", ("wallet",)),
    "cross_buy": ("transactions", ("category",)),
    "engagement": ("interactions", ()),
    "lifecycle": ("transactions", ()),
}


def headings() -> dict[str, str]:
    """Headings of columns whose names say too little."""
    return {
        "spend_12m": _("spend of the window"),
        "coverage_share": _("held-out customers under it"),
        "pinball": _("pinball loss"),
        "pinball_baseline": _("loss of one quantile for all"),
        "gain_share": _("loss saved"),
        "added_share": _("added by others"),
        "others": _("others, once per period seen"),
        "headroom_customers": _("headroom measured for"),
        "declining": _("of them declining"),
        "lapsed": _("of them lapsed"),
        "effective_weight": _("weight in effect"),
        **{look: look_label(look) for look in LOOKS},
        "changed_share": _("customers in another quadrant"),
    }


def styles(study: "Study") -> dict[str, Callable[[Any], str]]:
    """How the columns of this chapter's tables are written."""
    amounts = ("revenue", "spend_12m", "current_value", "headroom", "pinball", "pinball_baseline", "typical_spend")
    written: dict[str, Callable[[Any], str]] = dict.fromkeys(amounts, partial(formats.money, currency=study.currency))
    return {
        **written,
        "quadrant": quadrant_label,
        "stage": stage_label,
        "what": varied_label,
        "look": look_label,
        "test": test_name,
        "change": lambda value: formats.signed(value, formats.percent),
    }


def show_absent_look(page: Any, study: "Study", look: str) -> None:
    """Why a look is not measured, and which table or column would unlock it; nothing where it is measured."""
    if study.facts["measured"][look]:
        return
    table, columns = UNLOCKED_BY[look]
    what = _("{look} ({reason})", look=look_label(look), reason=study.facts["reasons"][look])
    _show_absent(page, table, columns, what)


def show_absent_cost(page: Any, study: "Study") -> None:
    """Why misallocation is not measured, and which table or column would unlock it."""
    _show_absent(
        page, "contacts", ("cost",), _("misallocation ({reason})", reason=study.facts["misallocation"]["reason"])
    )


def _show_absent(page: Any, table: str, columns: tuple[str, ...], what: str) -> None:
    """The table, where the client has none; else the column that it lacks; else the reason alone."""
    if not page.client.has(table):
        page.missing(table, what=what)
        return
    lacking = [column for column in columns if column not in page.client.table(table).columns]
    text = _("Not measured: {what}.", what=what)
    if lacking:
        text += " " + _("The table **{table}** is there, but lacks the column **{column}**, which would unlock it.",
                        table=table, column=lacking[0])  # fmt: skip
    page.caution(text)
