"""Column headings of chapter 06's tables, and what stands where something is not measured."""

from typing import TYPE_CHECKING

from perennial.charts.potential import look_label
from perennial.language import _

if TYPE_CHECKING:
    from perennial.chapters.potential_quadrants import Study


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


def absent_look(study: "Study", look: str) -> str:
    """A look that is not measured, and why."""
    return _("{look} ({reason})", look=look_label(look), reason=study.facts["reasons"][look])


def absent_cost(study: "Study") -> str:
    """Why misallocation is not measured."""
    return _("misallocation ({reason})", reason=study.facts["misallocation"]["reason"])
