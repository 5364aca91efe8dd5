"""Text of a client's line in a form that shows its shape and no value of it."""

import re

_LONGEST = 200


def masked(text: str) -> str:
    """Letters as x, digits as 9, line ends as blanks; at most 200 characters."""
    start = re.sub(r"[\r\n\0]+", " ", text[: 4 * _LONGEST].strip(" \t\r\n\ufeff"))[:_LONGEST]
    return re.sub(r"\d", "9", re.sub(r"[^\W\d]", "x", start))
