"""Frames as CSV files that people open in a spreadsheet: full precision, and no text that it would run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """A frame as UTF-8 CSV in full precision; text that a spreadsheet would run as a formula gets a ``'``."""
    guarded = frame.assign(**{c: _guarded(frame[c]) for c in frame.columns if _may_hold_text(frame[c])})
    guarded = guarded.set_axis([guard_text(c) for c in guarded.columns], axis=1)
    guarded.to_csv(path, index=False, lineterminator="\n")


def guard_text(value: Any) -> Any:
    """Text beginning with ``= + - @``, tab or CR made inert for spreadsheets; anything else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _guarded(column: "pd.Series") -> "pd.Series":
    import pandas as pd

    # as objects: a whole number beside a None must not become a fraction on the way
    return pd.Series([guard_text(value) for value in column], index=column.index, dtype=object)


def _may_hold_text(column: "pd.Series") -> bool:
    import pandas as pd

    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))
