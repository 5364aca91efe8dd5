"""Text and ids: blanks around them go, empty becomes NULL, everything else stays as it was written."""

import ibis
import ibis.expr.types as ir

from perennial.parameters import Column

# Every character Unicode counts as a blank, and the two that cannot be seen (zero-width space, byte order mark).
BLANKS = (
    " \t\n\r\v\f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


@ibis.udf.scalar.builtin(name="trim")
def trim_characters(text: str, characters: str) -> str:  # type: ignore[empty-body]
    """DuckDB's trim of a set of characters."""


def as_text(column: ir.Value) -> ir.StringValue:
    """A column as text without blanks around it; NULL where empty.

    A typed column (Parquet, a database) is written as briefly as its value allows: the number 17850.0 is ``"17850"``,
    2.1 is ``"2.1"``. A floating NaN is what such files have for a missing value, and is NULL.
    """
    if column.type().is_floating():
        return _float_text(column)
    if column.type().is_decimal():
        return column.cast("string").re_replace(r"\.0+$", "")
    if not column.type().is_string():
        return column.cast("string")
    # Text that begins and ends in a visible ASCII character is the rule; trimming every value costs four times as much.
    plain = column.between("!", "~") & column.reverse().between("!", "~")
    return plain.ifelse(column, trim_characters(column, BLANKS).nullif(""))


def _float_text(column: ir.FloatingColumn) -> ir.StringValue:
    whole = column.try_cast("decimal(38,0)")
    is_whole = (column.abs() < 1e15) & (whole.cast("float64") == column)
    text = ibis.ifelse(is_whole, whole.cast("string"), column.cast("string"))
    return ibis.ifelse(column.isnan(), ibis.null("string"), text)


def parse_id(column: ir.Value, declared: Column | None, trimmed: bool = False) -> ir.StringValue:
    """Text as it is; with ``strip_decimal``, digits followed by a point and zeros lose both (``17850.0``).

    ``trimmed``: texts of the file have no blanks around them and are not empty.
    """
    is_from_file = declared is None or declared.source is not None
    text = column if trimmed and is_from_file and column.type().is_string() else as_text(column)
    if declared is None or not declared.strip_decimal:
        return text
    went_through_a_number = text.right(1) == "0"  # a cheap look before the pattern
    return ibis.ifelse(went_through_a_number, text.re_replace(r"^([0-9]+)\.0+$", r"\1"), text)
