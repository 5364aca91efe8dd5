"""What of a strategy can be said with the looks at hand, and how many contacts a year its cadence means."""

import re
from collections.abc import Mapping
from typing import Any

CATEGORY_ITEM = re.compile(r"\s*next-best category\s*(,|;|$)\s*", re.IGNORECASE)
PER_YEAR = {"daily": 365, "weekly": 52, "fortnightly": 26, "monthly": 12, "quarterly": 4, "yearly": 1, "annually": 1}
UNITS = {"week": 52, "month": 12, "quarter": 4, "year": 1}
COUNTS = {"a": 1, "one": 1, "once": 1, "two": 2, "twice": 2, "three": 3, "four": 4, "five": 5, "six": 6}


def applicable_strategies(strategies: Mapping[str, Any], measured: Mapping[str, bool]) -> dict[str, Any]:
    """The strategies; without categories, no action proposes a next-best one."""
    if measured["cross_buy"]:
        return dict(strategies)
    kept = {name: CATEGORY_ITEM.sub(" ", plan.action).strip(" ,;") for name, plan in strategies.items()}
    return {name: plan.model_copy(update={"action": kept[name] or plan.action}) for name, plan in strategies.items()}


def contacts_a_year(cadence: str) -> float | None:
    """``monthly`` → 12, ``two tests a quarter`` → 8; None where the cadence names no number.

    A number word anywhere before "a" or "per" and the unit counts; "a quarter" alone is once.
    """
    words = cadence.lower()
    found = re.search(r"\b(?:(\w+)\b[^,;]*?\s)?(?:a|per)\s+(week|month|quarter|year)\b", words)
    if found:
        count = found.group(1) or "one"
        times = COUNTS.get(count, float(count) if count.isdigit() else None)
        return None if times is None else float(times * UNITS[found.group(2)])
    return next((float(times) for word, times in PER_YEAR.items() if re.search(rf"\b{word}\b", words)), None)
