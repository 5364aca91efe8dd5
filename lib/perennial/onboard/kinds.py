"""How the text of each mapped column is written: date formats, decimal marks, ids that were numbers."""

import re
from collections.abc import Iterable
from typing import Any

import ibis.expr.types as ir

from perennial.onboard.choose import Chosen
from perennial.onboard.questions import Answers, Question
from perennial.onboard.write_yaml import Entry
from perennial.schema import TABLES
from perennial.tables.parse.detect import NumberDetection, detect_dates_in, detect_ids, detect_numbers
from perennial.tables.parse.numbers import NUMBER, parse_as

_NUMERIC = ("money", "price", "number")
_IDS = ("customer_id", "order_id", "product_id", "lead_id", "campaign_id", "referrer_id")
Marks = tuple[str, str]  # decimal, thousands


def column_entries(one: Chosen, answers: Answers) -> tuple[Marks, list[Entry]]:
    """The marks of the source's numbers, and one entry per mapped column with how its text is read."""
    numbers = {column: _numbers(one, column) for column in _of_kind(one, _NUMERIC)}
    marks = _source_marks(one, numbers, answers)
    entries = []
    for column, role in one.reading.roles.items():
        if column in _of_kind(one, ("timestamp", "date")):
            spec, comment = _date_spec(one, column, answers)
        elif column in numbers:
            spec, comment = _number_spec(one, column, numbers[column], marks)
        else:
            spec, comment = _id_spec(one, column)
        entries.append(Entry(column, {"from": role.header, **spec} if spec else role.header, comment))
    return marks, entries


def _of_kind(one: Chosen, kinds: Iterable[str]) -> list[str]:
    table = TABLES[one.table]
    known = {**table.columns, **table.inputs}
    return [column for column in one.reading.roles if known[column] in kinds]


def _values(one: Chosen, column: str) -> ir.Table:
    return one.opened.values(one.reading.roles[column].header)


def _numbers(one: Chosen, column: str) -> NumberDetection:
    found = _values(one, column).to_pyarrow()
    return detect_numbers(zip(found["value"].to_pylist(), found["n"].to_pylist(), strict=True))


def _source_marks(one: Chosen, numbers: dict[str, NumberDetection], answers: Answers) -> Marks:
    """The marks most of whose columns leave no choice; where all leave one, it is asked."""
    told = [
        (n.decimal, n.thousands) for n in numbers.values() if not n.ambiguous and (n.decimal, n.thousands) != (".", "")
    ]
    unclear = {column: n for column, n in numbers.items() if n.ambiguous}
    if told or not unclear:
        return max(set(told), key=told.count) if told else (".", "")
    column, first = next(iter(unclear.items()))
    key = f"sources.{one.table}.decimal"
    header = one.reading.roles[column].header
    text = f"The numbers of '{header}' can be read in two ways ({first.question}). Which is right?"
    meant = {".": "1.234 is a little more than one", ",": "1.234 is more than a thousand"}
    if first.thousands == ",":  # 1,234
        meant = {".": "1,234 is more than a thousand", ",": "1,234 is a little more than one"}
    decimal = answers.ask(Question(key, text, meant, first.decimal)) or "."
    return (decimal, "") if decimal == first.decimal else (decimal, {".": ",", ",": "."}[decimal])


def _number_spec(one: Chosen, column: str, found: NumberDetection, marks: Marks) -> tuple[dict[str, Any], str]:
    """Marks of its own only where the source's would read less."""
    values = _values(one, column)
    read = parse_as(values.value, *marks, NUMBER)
    counted = values.aggregate(rows=values.n.sum(), read=values.n.sum(where=read.notnull())).to_pyarrow().to_pylist()[0]
    share = int(counted["read"] or 0) / (counted["rows"] or 1)
    own: dict[str, Any] = {}
    if found.share > share and not found.ambiguous:
        own, share = {"decimal": found.decimal, "thousands": found.thousands}, found.share
    own = {key: value for key, value in own.items() if value != marks[key == "thousands"]}
    return own, "" if share > 0.9999 else f"{_percent(1 - share)} of the filled ones cannot be read as numbers"


def _date_spec(one: Chosen, column: str, answers: Answers) -> tuple[dict[str, Any], str]:
    """The format, or none where it needs none or where nobody has said which of two it is."""
    header = one.reading.roles[column].header
    found = detect_dates_in(one.opened.days(header))
    key = f"sources.{one.table}.columns.{column}.format"
    given = answers.given(key)
    if given is not None and "%" in given:
        return {"format": given}, ""
    if not found.formats:
        return {}, "no value could be read as a date"
    if found.ambiguous:
        choices = dict.fromkeys(re.findall(r"'(%[^']*)'", found.question))
        text = f"Is the day or the month first in '{header}'? {found.question[0].upper()}{found.question[1:]}"
        answer = answers.ask(Question(key, text, {form: _in_words(form) for form in choices}))
        return ({"format": answer} if answer else {}), "no report until its format is given" if answer is None else ""
    best = found.formats[0]
    if best.format is None and any(other.format == "excel" for other in found.formats):
        return {"format": "excel"}, "some are numbers of days as Excel counts them"
    missed = "" if best.share > 0.9999 else f"{_percent(1 - best.share)} of the filled ones cannot be read"
    return ({"format": best.format} if best.format else {}), "; ".join(filter(None, [found.evidence, missed]))


def _in_words(form: str) -> str:
    order = re.findall("%[dmyY]", form)
    return ", ".join({"%d": "day", "%m": "month", "%y": "year", "%Y": "year"}[word] for word in order)


def _id_spec(one: Chosen, column: str) -> tuple[dict[str, Any], str]:
    if column not in _IDS:
        return {}, ""
    profile = one.opened.profiles[one.reading.roles[column].header]
    found = detect_ids(profile.sample.items())
    spec: dict[str, Any] = {}
    comment = []
    if found.trailing_zero > 0.5:
        spec["strip_decimal"] = True
        comment.append("the .0 goes: 17850.0 is 17850")
    if found.leading_zero:
        comment.append("text: leading zeros count")
    if found.masked > 0.01:
        comment.append("partly masked: several people can share an id")
    return spec, "; ".join(comment)


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
