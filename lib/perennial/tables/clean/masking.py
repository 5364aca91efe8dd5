"""A cell's text as far as it may be shown: what could tell who a person is becomes x and 0."""

import re

LONGEST = 80

# months and weekdays, English, German, French, Spanish, Italian, Dutch, Portuguese
_NAMES = """
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday
    mon tue tues wed thu thur thurs fri sat sun
    januar jänner februar märz mai juni juli oktober dezember mär okt dez
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
    janvier février mars avril juin juillet août septembre octobre novembre décembre janv févr avr juil déc
    lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre ene abr ago dic
    lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom
    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre gen mag giu lug set ott
    lunedì martedì mercoledì giovedì venerdì sabato domenica gio sab
    januari februari maart mei augustus maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    janeiro fevereiro março maio junho julho setembro outubro novembro dezembro fev out
    segunda terça quarta quinta sexta
    am pm t z utc gmt cet cest
    eur usd gbp chf cny jpy aud cad sek nok dkk pln czk huf inr brl mxn zar krw rub try hkd sgd twd rmb
    nan null none na inf
"""
_WORDS = frozenset(_NAMES.split())
_CJK = frozenset("年月日号時时分秒星期周礼拜一二三四五六七八九十天上下午元圆円")
_WORD = re.compile(r"[^\W\d_]+")
_DATE = re.compile(
    r"(\d{4}[-/. 年]\d{1,2}[-/. 月]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{8}"
    r"|\d{1,2}[-/. ]?[^\W\d_]{3,9}\.?[-/. ]?\d{2,4})"
    r"(?!\d)([日T,; ]+\d{1,2}[:.时]\d{2}([:.分]\d{2}([.,]\d{1,9})?)?)?(?!\d)[^\d]{0,12}"
)
_MANY_DIGITS = 7  # as few as a telephone number has


def mask(text: str) -> str:
    """Digits, punctuation and the words of dates and currencies stay; any other letter becomes x.

    In a text that is not shaped like a date, many digits may be a telephone or card number: they become 0.
    """
    if sum(sign.isdigit() for sign in text) >= _MANY_DIGITS and not _DATE.fullmatch(text.strip()):
        text = re.sub(r"\d", "0", text)
    shown = _WORD.sub(lambda found: _masked(found.group()), text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _masked(word: str) -> str:
    if word.lower() in _WORDS:
        return word
    return "".join(sign if sign in _CJK else "x" for sign in word)


def shorten_id(text: str) -> str:
    """An id that its owner's data shows again but nobody else can use: no more than its last three signs."""
    visible = min(3, len(text) // 2)
    return "…" + text[len(text) - visible :]
