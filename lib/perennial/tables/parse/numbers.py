"""Text → numbers: decimal and thousands marks as declared, currency signs, percent, every way to write a minus.

Nothing is guessed: a mark that is not declared, or stands where it cannot (``1,23,4``), makes the text unreadable.
"""

import re
from typing import Literal

import ibis
import ibis.expr.datatypes as ds
import ibis.expr.types as ir

from perennial.parameters import Column, Source
from perennial.tables.parse.ids import as_text
from perennial.tables.parse.lazily import first_of

MONEY = ds.Decimal(18, 4)
PRICE = ds.Decimal(18, 6)
NUMBER = ds.float64
CURRENCIES = (
    "€", "£", "¥", "₽", "₩", "₹", "₺", "₴", "₫", "฿", "₪", "元", "円", "원", "R$", "US$", "HK$", "NT$", "A$", "C$", "$",
    "RMB", "CNY", "EUR", "USD", "GBP", "JPY", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RUB", "UAH", "TRY",
    "KRW", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD", "BRL", "MXN", "INR", "ZAR", "zł", "Kč", "Ft", "kr.", "kr", "SFr.",
    "SFr", "Fr.", "Fr", "руб.", "руб", "грн", "TL",
)  # fmt: skip
_CURRENCY = "(?i:" + "|".join(re.escape(sign) for sign in sorted(CURRENCIES, key=len, reverse=True)) + ")"
# Written twice as wide in East Asian text, or typeset: each character and what it stands for.
_TYPED = "０１２３４５６７８９．，＋－（）％＄￥￡＇−–"
_KEYED = "0123456789.,+-()%$¥£'--"
_BLANKS = "\t\xa0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def marks(declared: Column | None, source: Source) -> tuple[str, str]:
    """The decimal and the thousands mark of a column: its own, else the source's."""
    decimal = source.decimal if declared is None or declared.decimal is None else declared.decimal
    thousands = source.thousands if declared is None or declared.thousands is None else declared.thousands
    return decimal, thousands


def parse_number(
    text: ir.StringValue, decimal: str, thousands: str, kind: Literal["money", "price", "number"]
) -> ir.NumericValue:
    """The number a text stands for, NULL where it is none or too large for its kind.

    ``"money"`` and ``"price"`` are decimals with 4 and 6 places, rounded half away from zero; ``"number"`` is a double.
    """
    target = {"money": MONEY, "price": PRICE, "number": NUMBER}[kind]
    return parse_as(text, decimal, thousands, target)


def parse_as(written: ir.StringValue, decimal: str, thousands: str, target: ds.DataType) -> ir.NumericValue:
    """As :func:`parse_number`, into a type of one's own."""
    return first_of(parse_plain(written, decimal, target), _finite(_slow(as_text(written), decimal, thousands, target)))


def parse_plain(written: ir.StringValue, decimal: str, target: ds.DataType) -> ir.NumericValue:
    """Digits, sign and decimal mark alone; NULL for all else, whether it is a number or not."""
    return _finite(_fast(written, decimal, target))


def _finite(number: ir.NumericValue) -> ir.NumericValue:
    if not number.type().is_floating():
        return number
    return ibis.ifelse(number.isinf() | number.isnan(), ibis.null(number.type()), number)


def _fast(text: ir.StringValue, decimal: str, target: ds.DataType) -> ir.NumericValue:
    """What looks like a plain number goes to the engine, whose cast also takes ``1_000`` and ``4e2.``: they do not."""
    plain = (text >= "-") & (text < ":") & ~text.contains("_") & ~text.contains("e") & ~text.contains("E")
    if decimal == ".":
        return plain.ifelse(text, ibis.null("string")).try_cast(target)
    plain = plain & ~text.contains(".")
    if decimal == " ":  # after a minus a blank is none
        plain = plain & (text >= "0")
    pointed = text.replace(decimal, ".") if decimal else text
    return plain.ifelse(pointed, ibis.null("string")).try_cast(target)


def _slow(text: ir.StringValue, decimal: str, thousands: str, target: ds.DataType) -> ir.NumericValue:
    """Check the whole text against the grammar, then strip it to digits, point and sign."""
    typed = to_plain(text)
    if thousands == "'":
        typed = typed.replace("’", "'")
    readable = typed.re_search(_grammar(decimal, thousands))
    bare = typed.re_replace(_CURRENCY, "").strip()
    negative = bare.re_search(r"^ *[-(]|-$")
    percent = bare.contains("%")
    core = bare.re_replace(r"^[-+( ]+|[-) %]+$", "")
    core = core.replace(thousands, "") if thousands else core
    core = core.replace(decimal, ".") if decimal else core
    digits = ibis.ifelse(negative, "-", "") + core + ibis.ifelse(percent, "e-2", "")
    return readable.ifelse(digits, ibis.null("string")).try_cast(target)


def to_plain(text: ir.StringValue) -> ir.StringValue:
    """Full-width and typeset characters as those of a keyboard, all blanks as ``" "``, none around the text."""
    return text.translate(_TYPED + _BLANKS, _KEYED + " " * len(_BLANKS)).strip()


def _grammar(decimal: str, thousands: str) -> str:
    """A regular expression of every way a number may be written, the whole text at once."""
    point = re.escape(decimal)
    fraction = f"(?:{point}[0-9]*)?" if decimal else ""
    power = "(?:[eE][-+]?[0-9]{1,9})?"
    shapes = [f"[0-9]{{1,40}}{fraction}{power}"]
    if thousands:
        shapes.append(rf"[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})+{fraction}")
    if decimal.strip():
        shapes.append(f"{point}[0-9]+{power}")
    number, sign = f"(?:{'|'.join(shapes)})", _CURRENCY
    amount = f"(?:(?:{sign} ?)?{number}(?: ?{sign})?|{number} ?%)"
    forms = [
        f"[-+]? ?{amount}",
        f"{sign} ?[-+] ?{number}",
        f"{amount} ?-",
        f"{number}- ?{sign}",
        rf"\( ?{amount} ?\)",
        rf"{sign} ?\( ?{number} ?\)",
    ]
    return f"^(?:{'|'.join(forms)})$"


def times(number: ir.DecimalValue, other: ir.DecimalValue) -> ir.DecimalValue:
    """The exact product: the engine's own has no more digits than its factors, and stops a run where they do not do."""
    return number.cast(ds.Decimal(24, number.type().scale)) * other.cast(ds.Decimal(24, other.type().scale))


def parse_typed(column: ir.NumericValue, text: ir.StringValue, target: ds.DataType) -> ir.NumericValue:
    """A number that is one already: a float by its shortest text, so that 2.1 is 2.1000 and no dust comes along."""
    return _finite(text.try_cast(target)) if column.type().is_floating() else column.try_cast(target)
