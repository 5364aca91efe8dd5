"""Column headings of chapter 06's tables, and what stands where something is not measured."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from perennial import formats
from perennial.analysis.quadrants import LOOKS
from perennial.chapters.potential_words import stage_label, varied_label
from perennial.charts.potential import look_label, quadrant_label
from perennial.language import _

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study

UNLOCKED_BY = {
    "wallet": "customers",
    "cross_buy": "transactions",
    "engagement": "interactions",
    "lifecycle": "transactions",
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
        "change": lambda value: formats.signed(value, formats.percent),
    }


def show_absent_looks(page: Any, study: "Study") -> None:
    """One line per look that is not measured: why, and which table would unlock it."""
    for look in LOOKS:
        if not study.facts["measured"][look]:
            what = _("{look} ({reason})", look=look_label(look), reason=study.facts["reasons"][look])
            page.missing(UNLOCKED_BY[look], what=what)


def absent_cost(study: "Study") -> str:
    """Why misallocation is not measured."""
    return _("misallocation ({reason})", reason=study.facts["misallocation"]["reason"])
