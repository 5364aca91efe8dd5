"""Yes and no as people write them."""

import ibis
import ibis.expr.types as ir

YES = ("true", "t", "yes", "y", "1", "x", "on", "ja", "j", "wahr", "oui", "vrai", "si", "sí", "verdadero", "vero",
       "sim", "tak", "ano", "igen", "да", "evet", "是", "真", "对", "對", "はい", "예")  # fmt: skip
NO = ("false", "f", "no", "n", "0", "off", "nein", "falsch", "non", "faux", "falso", "não", "nao", "nie", "ne", "nem",
      "нет", "hayır", "否", "假", "不", "いいえ", "아니오")  # fmt: skip


def parse_flag(text: ir.StringValue) -> ir.BooleanValue:
    """True, False, or NULL for anything that is neither."""
    word = text.lower()
    return ibis.cases((word.isin(YES), True), (word.isin(NO), False), else_=ibis.null("boolean"))
