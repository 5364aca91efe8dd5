"""The nearest of the names that are there, for the sentence about one that is not."""

import difflib
from collections.abc import Sequence


def nearest_of(name: str, have: Sequence[str]) -> str:
    """``did you mean 'Orders'? It has: Orders, Customers`` with the first twenty names."""
    if not have:
        return "it has none"
    folded = {one.casefold(): one for one in have}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
    listed = "it has: " + ", ".join(have[:20]) + (", …" if len(have) > 20 else "")
    return f"did you mean '{folded[near[0]]}'? I{listed[1:]}" if near else listed
