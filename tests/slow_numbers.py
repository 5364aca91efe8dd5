"""Numbers read sign by sign in plain Python: the slow reference that the engine's reader is held against.

It follows the documentation ("How text is read") and knows nothing of the engine's patterns: a list of parts, each of
which tells every place where it may end.
"""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal

WIDE = "０１２３４５６７８９．，＋－（）％￥＄￡"
PLAIN = "0123456789.,+-()%¥$£"
BLANKS = " \t\xa0\u2009\u202f\u3000"
CURRENCIES = ["€", "$", "£", "¥", "元", "RMB", "CNY", "EUR", "USD", "US$", "kr.", "kr", "zł", "Fr.", "Fr", "CHF", "TL"]
_DIGITS = frozenset("0123456789")
# What may follow what: N a number, C a currency, S a sign, M a minus, P percent, _ an optional blank.
_FORMS = ["N", "C_N", "N_C", "C_N_C", "N_P"]
_SIGNED = [*[f"S_{form}" for form in _FORMS], *[f"{form}_M" for form in _FORMS], "C_S_N", "N.M_C"]
_BRACKETED = [*[f"(_{form}_)" for form in _FORMS], "C_(_N_)"]

Ends = Iterator[tuple[int, str]]  # where a part may end, and what it says


def read_money(text: str, decimal: str, thousands: str) -> Decimal | None:
    """The amount with four places, or None where the text is no number or too large."""
    value = read_exactly(text, decimal, thousands)
    if value is None or (value and value.adjusted() > 20):
        return None
    value = value or Decimal(0)
    value = value.quantize(Decimal("0.0001"), ROUND_HALF_UP, Context(prec=400))
    return value if abs(value) < Decimal(10) ** 14 else None


def read_exactly(text: str, decimal: str, thousands: str) -> Decimal | None:
    """The number a text stands for, or None."""
    text = text.strip().translate(
        str.maketrans(WIDE + "−–’＇", PLAIN + "--" + ("'" if thousands == "'" else "’") + "'")
    )
    text = "".join(" " if sign in BLANKS else sign for sign in text).strip(" ")
    parts: dict[str, Callable[[str, int], Ends]] = {
        "N": lambda t, at: _number(t, at, decimal, thousands),
        "C": _currency,
        "S": lambda t, at: _one_of(t, at, "+-"),
        "M": lambda t, at: _one_of(t, at, "-"),
        "P": lambda t, at: _one_of(t, at, "%"),
        "_": _blank,
        ".": lambda t, at: iter([(at, "")]),
        "(": lambda t, at: _one_of(t, at, "("),
        ")": lambda t, at: _one_of(t, at, ")"),
    }
    values = {value for form in [*_FORMS, *_SIGNED, *_BRACKETED] for value in _readings(text, 0, form, parts)}
    assert len(values) < 2, f"{text} can be read in two ways"
    return values.pop() if values else None


def _readings(text: str, at: int, form: str, parts: dict[str, Callable[[str, int], Ends]]) -> Iterator[Decimal]:
    """Every way in which the rest of a text is the rest of a form."""
    stack: list[tuple[int, int, Decimal, int, int]] = [(at, 0, Decimal(0), 1, 0)]
    while stack:
        at, place, number, sign, scale = stack.pop()
        if place == len(form):
            if at == len(text):
                yield (sign * number).scaleb(scale)
            continue
        for end, said in parts[form[place]](text, at):
            part = form[place]
            if part == "N" and "P" in form and "e" in said:
                continue  # no percentage is written as a power of ten
            stack.append(
                (
                    end,
                    place + 1,
                    Decimal(said) if part == "N" else number,
                    -1 if part == "(" or said == "-" and part in "SM" else sign,
                    -2 if part == "P" else scale,
                )
            )


def _one_of(text: str, at: int, signs: str) -> Ends:
    if text[at : at + 1] and text[at] in signs:
        yield at + 1, text[at]


def _blank(text: str, at: int) -> Ends:
    yield at, ""
    yield from _one_of(text, at, " ")


def _currency(text: str, at: int) -> Ends:
    """The longest that stands here: ``Fr.092`` is ninety-two francs."""
    for sign in sorted(CURRENCIES, key=len, reverse=True):
        if text[at : at + len(sign)].upper() == sign.upper():
            yield at + len(sign), ""
            return


def _number(text: str, at: int, decimal: str, thousands: str) -> Ends:
    """Digits, in threes where there are marks between them, with a decimal part; or a power of ten."""
    for end, whole in _whole(text, at, thousands):
        yield end, whole
        if decimal and text[end : end + 1] == decimal:
            for place, fraction in _digits(text, end + 1, least=0):
                yield place, f"{whole}.{fraction}0"
                if thousands and thousands in text[at:end]:
                    continue
                yield from _power(text, place, f"{whole}.{fraction}0")
        if not (thousands and thousands in text[at:end]):
            yield from _power(text, end, whole)
    if decimal.strip() and text[at : at + 1] == decimal:
        for place, fraction in _digits(text, at + 1):
            yield place, f"0.{fraction}"
            yield from _power(text, place, f"0.{fraction}")


def _digits(text: str, at: int, least: int = 1) -> Ends:
    """All digits that stand here, not some of them."""
    end = at
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    if end - at >= least:
        yield end, text[at:end]


def _whole(text: str, at: int, thousands: str) -> Ends:
    for end, digits in _digits(text, at):
        yield end, digits
        groups, place = [digits], end
        while thousands and text[place : place + 1] == thousands and len(text[place + 1 : place + 4]) == 3:
            if not _DIGITS.issuperset(text[place + 1 : place + 4]) or text[place + 4 : place + 5] in _DIGITS:
                break
            groups, place = [*groups, text[place + 1 : place + 4]], place + 4
            if len(digits) <= 3 and not digits.startswith("0"):
                yield place, "".join(groups)


def _power(text: str, at: int, number: str) -> Ends:
    if text[at : at + 1] in ("e", "E"):
        after = at + 2 if text[at + 1 : at + 2] and text[at + 1] in "+-" else at + 1
        for end, digits in _digits(text, after):
            # beyond three digits it is nothing, or too much, whatever they are
            power = digits if len(digits.lstrip("0")) <= 3 else "999"
            yield end, f"{number}e{text[at + 1 : after]}{power}"
