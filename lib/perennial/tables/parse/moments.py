"""Dates and times as people write them → one shape, ``year-month-day hour:minute:second``, where only one is meant.

ISO, year first, a month by name, Chinese; weekdays are left out. What ``5/1/2024`` means is not decided here.

Every function is a chain of replacements, so that the engine computes each step once.
"""

import ibis.expr.types as ir

from perennial.tables.parse.numbers import to_plain

MONTHS = {
    "Jan": "january|januar|janvier|janv|jan|enero|ene|jänner|gennaio|gen",
    "Feb": "february|februar|février|fevrier|févr|fevr|feb|febrero|febbraio|fév",
    "Mar": "march|märz|maerz|mars|mär|mrz|marzo|mar",
    "Apr": "april|avril|avr|abril|aprile|apr|abr",
    "May": "may|mai|mayo|maggio|mag",
    "Jun": "june|juni|juin|junio|giugno|jun|giu",
    "Jul": "july|juli|juillet|juil|julio|luglio|jul|lug",
    "Aug": "august|août|aout|agosto|aug|ago",
    "Sep": "september|septembre|septiembre|settembre|setiembre|sept|sep|set",
    "Oct": "october|oktober|octobre|octubre|ottobre|oct|okt|ott",
    "Nov": "november|novembre|noviembre|nov",
    "Dec": "december|dezember|décembre|decembre|diciembre|dicembre|dec|dez|déc|dic",
}
_CJK_DAY = (
    r"[(]?(?:(?:星期|周|週|礼拜|禮拜)[一二三四五六日天末]|[日月火水木金土]曜日?)[)]?|[(][日月火水木金土一二三四五六][)]"
)
_DAY = (
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues|tue|wed|thurs|thur|thu|fri|sat|sun|montag|dienstag|"
    "mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mo|di|mi|do|fr|sa|so|lundi|mardi|mercredi|jeudi|vendredi|samedi|"
    "dimanche|lun|mer|jeu|ven|sam|dim|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
)
BEFORE_DATE = rf"^ *(?i:({_DAY}))[.,]* +[0-9\pL]"  # a weekday in front of a date, behind one, in Chinese, in Japanese
BEHIND_DATE = rf"[0-9][ ,]+(?i:({_DAY}))[.]?(?: |$)"
CJK_DAYS = (
    r"(?:星期|周|週|礼拜|禮拜)([一二三四五六日天末])", r"([日月火水木金土])曜", r"[(]([日月火水木金土一二三四五六])[)]"
)  # fmt: skip
_DATED = r"^[1-9][0-9]{3}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
NAIVE = _DATED + "$"
HALF = _DATED + " [AP]M$"
OFFSET = _DATED + "[-+](?:0[0-9]|1[0-4])(?::[0-5][0-9])?$"


def without_weekday(text: ir.StringValue) -> ir.StringValue:
    """Plain characters, no weekday, no "Uhr"; single blanks."""
    plain = to_plain(text.translate("：／", ":/")).re_replace(_CJK_DAY, " ")
    plain = plain.re_replace(rf"^ *(?i:{_DAY})[.,]* +([0-9\pL])", r"\1")
    plain = plain.re_replace(rf"([0-9])[ ,]+(?i:{_DAY})[.]?( |$)", r"\1\2")
    return plain.re_replace(r"([0-9]) *(?i:uhr)$", r"\1").re_replace(" {2,}", " ").strip()


def tidy(text: ir.StringValue) -> ir.StringValue:
    """As :func:`without_weekday`; Chinese units of date and time as marks, AM and PM alike."""
    plain = without_weekday(text)
    plain = plain.re_replace(r"([0-9]+) *年 *([0-9]+) *月 *([0-9]+) *[日号號]?", r"\1-\2-\3 ")
    plain = plain.re_replace("(?:上午|早上|凌晨|午前|오전) *(.*)$", r"\1 AM").re_replace(
        "(?:下午|晚上|午後|오후) *(.*)$", r"\1 PM"
    )
    plain = plain.re_replace("([0-9]+)[时時点] *([0-9]+)分?", r"\1:\2").re_replace("(:[0-9]+)分? *([0-9]+)秒", r"\1:\2")
    plain = plain.re_replace(r" ?(?i:([ap])\.?m\.?)$", r" \1M").replace("aM", "AM").replace("pM", "PM")
    return plain.re_replace(" {2,}", " ").strip()


def numbered_months(tidied: ir.StringValue) -> ir.StringValue:
    """``1. Februar 2024``, ``Feb 1st, 2024``, ``2024-Feb-01`` → ``2024-2-1``; a two-digit year as strptime reads it."""
    found = tidied.re_replace(r"([0-9])(?i:st|nd|rd|th)([ .,-])", r"\1\2").re_replace("(?i: (?:de|of) )", " ")
    for number, words in enumerate(MONTHS.values(), start=1):
        found = found.re_replace(rf"(?i)(^|[ .,/0-9-])(?:{words})\.?([ .,/0-9-])", rf"\1m{number}m\2")
    gap, year = "[ .,/-]*", "([0-9]{4}|[0-9]{2})([ ,T]|$)"
    found = found.re_replace(rf"^([0-9]{{1,2}}){gap}m([0-9]+)m{gap}{year}", r"y\3-\2-\1 ")
    found = found.re_replace(rf"^m([0-9]+)m{gap}([0-9]{{1,2}})[ .,/-]+{year}", r"y\3-\1-\2 ")
    found = found.re_replace(rf"^([0-9]{{4}}){gap}m([0-9]+)m{gap}([0-9]{{1,2}})([ ,T]|$)", r"\1-\2-\3 ")
    found = found.re_replace("^y([0-9]{4}-)", r"\1").re_replace("^y(69|[7-9][0-9])-", r"19\1-")
    return found.re_replace("^y([0-9]{2})-", r"20\1-").re_replace(" {2,}", " ").strip()


def canonical(tidied: ir.StringValue) -> ir.StringValue:
    """A date with its year first as ``2024-1-5 10:20:30``, with ``.fraction``, ``+02:00`` or ``AM`` after it if given.

    Anything else comes back as something that none of ``NAIVE``, ``HALF``, ``OFFSET`` finds.
    """
    text = tidied.re_replace(r"^([0-9]{4})([0-9]{2})([0-9]{2})($|[T ])", r"\1-\2-\3\4")
    text = text.re_replace(r"^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", r"\1-\2-\3 \4:\5:\6")
    for mark in "/. ":
        text = text.re_replace(rf"^([0-9]{{4}})[{mark}]([0-9]{{1,2}})[{mark}]([0-9]{{1,2}})($|[T ,])", r"\1-\2-\3\4")
    text = text.re_replace("^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})[T ,]+([0-9])", r"\1 \2")
    text = text.re_replace("^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})$", r"\1 0:00")
    text = text.re_replace("( [0-9]{1,2}:[0-9]{2})([-+ Z]|UTC|GMT|$)", r"\1:00\2")
    text = text.re_replace("(:[0-9]{2}),([0-9]{1,9})", r"\1.\2").re_replace(" ?(?:Z|UTC|GMT)$", "+00")
    return text.re_replace(r" ?([-+][0-9]{2}):?([0-9]{2})?$", r"\1:\2").re_replace(":$", ":00")
