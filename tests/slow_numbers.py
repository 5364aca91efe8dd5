"""Numbers read one character rule at a time in plain Python: the slow reference the engine's reader is held against."""

from decimal import ROUND_HALF_UP, Decimal

_WIDE = {
    ord(wide): ord(plain)
    for wide, plain in zip("０１２３４５６７８９．，＋－（）％￥", "0123456789.,+-()%¥", strict=True)
}
_SIGNS = ["€", "$", "£", "¥", "元", "RMB", "CNY", "EUR", "USD", "kr.", "kr", "zł", "Fr.", "Fr"]


def read_money(text: str, decimal: str, thousands: str) -> Decimal | None:
    """The amount with four places, or None where the text is no number or too large."""
    text = "".join(" " if c.isspace() else c for c in text.translate(_WIDE))
    text = text.replace("−", "-").replace("–", "-").strip(" ")
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1].removeprefix(" ").removesuffix(" "), True
        if text[:1] in ("-", "+"):
            return None
    elif text.endswith("-") and text[:1] not in ("-", "+"):
        text, negative = text[:-1].removesuffix(" "), True
    elif text[:1] in ("-", "+"):
        negative, text = text[0] == "-", text[1:].removeprefix(" ")
    text, percent = (text[:-1].removesuffix(" "), True) if text.endswith("%") else (text, False)
    text = text if percent else _without_currency(text)
    value = _plain(text, decimal, thousands, percent)
    if value is None:
        return None
    value = (-value if negative else value).scaleb(-2 if percent else 0)
    value = value.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return value if abs(value) < Decimal(10) ** 14 else None


def _without_currency(text: str) -> str:
    for sign in _SIGNS:
        if text.upper().startswith(sign.upper()):
            return text[len(sign) :].removeprefix(" ")
        if text.upper().endswith(sign.upper()):
            return text[: -len(sign)].removesuffix(" ")
    return text


def _plain(text: str, decimal: str, thousands: str, percent: bool) -> Decimal | None:
    whole, point, fraction = text.partition(decimal)
    if thousands and thousands in whole:
        head, *rest = whole.split(thousands)
        if not 1 <= len(head) <= 3 or head.startswith("0") or any(len(part) != 3 for part in rest):
            return None
        whole = "".join([head, *rest])
    digits = whole + fraction
    if not digits or not all(c in "0123456789" for c in digits):
        return None
    return Decimal((whole or "0") + "." + (fraction or "0"))
