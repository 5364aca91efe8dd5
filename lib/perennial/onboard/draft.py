"""The entries of a client's YAML, made from the chosen files; whatever is unsure is asked on the way."""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perennial.onboard.choose import Chosen
from perennial.onboard.cleaning import propose_cleaning
from perennial.onboard.clock import last_order_day, time_zone
from perennial.onboard.currency import find_currency, rates
from perennial.onboard.kinds import column_entries
from perennial.onboard.questions import Answers, Question
from perennial.onboard.roles import country_column, product_name
from perennial.onboard.unread import about_customers, attributes_of, not_read
from perennial.onboard.write_yaml import Entry
from perennial.parameters import Source
from perennial.tables.clean.personal import E_MAIL, PHONE

_UNKNOWN = dt.date(2000, 1, 1)


@dataclass(frozen=True)
class Facts:
    """What was said on the command line; None where it is to be found out."""

    client: str
    title: str | None = None
    as_of: dt.date | None = None
    locale: str = "en"


def draft_entries(facts: Facts, chosen: Sequence[Chosen], answers: Answers) -> list[Entry]:
    """All entries, in the order of ``parameters/demo.yaml``."""
    orders = chosen[0]
    sources = [_source_entry(one, chosen, answers) for one in chosen]
    currency, why = _currency(facts, orders, answers)
    ordered_at = orders.opened.profiles[orders.reading.roles["ordered_at"].header]
    zone = time_zone(ordered_at.name, ordered_at.sample, answers)
    source = source_of(sources[0])
    as_of = _as_of(facts, orders, source, zone[0].value if zone else "UTC", answers)
    title = facts.title or facts.client.replace("_", " ").replace("-", " ").title()
    entries = [
        Entry("title", title, "stands on the cover"),
        Entry("currency", currency, why),
        as_of,
        Entry("scope", "", "one sentence on whose orders these are and of which years"),
    ]
    if facts.locale != "en":
        entries.append(Entry("locale", facts.locale, "decides how text that is not UTF-8 is read"))
    entries += zone
    entries += _personal_id(orders, answers)
    named = product_name(orders.opened.profiles)
    codes = orders.reading.roles.get("currency")
    cleaning = propose_cleaning(orders, source, named, answers)
    cleaning += rates(orders.opened.profiles[codes.header] if codes else None, currency, answers)
    return [*entries, Entry("sources", sources), Entry("cleaning", cleaning), *_usual()]


def _usual() -> list[Entry]:
    """What every client has and nobody can see in a file: the defaults, to be looked at."""
    return [
        Entry("horizon_months", 12, "how far lifetime value looks ahead"),
        Entry("discount_rate", 0.10, "per year; an assumption"),
        Entry("gross_margin", 0.30, "share of revenue left after the cost of goods; an assumption"),
    ]


def _currency(facts: Facts, orders: Chosen, answers: Answers) -> tuple[str, str]:
    profiles = orders.opened.profiles
    money = [
        profiles[role.header]
        for column, role in orders.reading.roles.items()
        if column in ("amount", "unit_price", "currency")
    ]
    country = country_column(profiles)
    return find_currency(money, profiles[country] if country else None, facts.locale, answers)


def _as_of(facts: Facts, orders: Chosen, source: Source, zone: str, answers: Answers) -> Entry:
    if facts.as_of is not None:
        return Entry("as_of", facts.as_of, "the last day counted")
    column = source.columns["ordered_at"]
    days = orders.opened.days(str(column.source))
    unclear = answers.open.get("sources.transactions.columns.ordered_at.format")
    if unclear is not None:
        return _as_of_each({form: last_order_day(days, form, zone)[0] for form in unclear.options}, answers)
    last, stray = last_order_day(days, column.format, zone)
    if last is None:
        return Entry("as_of", _UNKNOWN, "NOT KNOWN: no order's day could be read; put the last day here")
    today = dt.date.today()
    if stray is None and last > today:
        text = f"Orders are dated up to {last}, which is yet to come. Which is the last day?"
        told = {str(today): "later days are mistakes, and are removed", str(last): "they are orders too"}
        return Entry(
            "as_of",
            dt.date.fromisoformat(str(answers.ask(Question("as_of", text, told, str(today))))),
            "the last day counted",
        )
    if stray is None:
        return Entry("as_of", last, "the last day with orders; later rows are removed and counted")
    text = f"Orders end on {last}, but for {stray.rows:,} dated up to {stray.last}, long after. Which is the last day?"
    options = {str(last): "the later ones are mistakes", str(stray.last): "they are orders too"}
    answer = answers.ask(Question("as_of", text, options, str(last)))
    return Entry("as_of", dt.date.fromisoformat(str(answer)), "the last day counted")


def _as_of_each(lasts: dict[str, dt.date | None], answers: Answers) -> Entry:
    """The last day where it depends on a question nobody has answered yet: the order of day and month."""
    told: dict[str, str] = {}
    for form, last in lasts.items():
        if last is not None:
            told[str(last)] = f"{told[str(last)]} and {form}" if str(last) in told else f"with {form}"
    if not told:
        return Entry("as_of", _UNKNOWN, "NOT KNOWN: no order's day could be read; put the last day here")
    text = "Which is the last day with orders? It depends on the format of ordered_at."
    answer = max(told) if len(told) == 1 else answers.ask(Question("as_of", text, told, max(told)))
    return Entry("as_of", dt.date.fromisoformat(str(answer)), "the last day with orders")


def _personal_id(orders: Chosen, answers: Answers) -> list[Entry]:
    """Where the customer is known by something personal, whether digests should stand for it."""
    profile = orders.opened.profiles[orders.reading.roles["customer_id"].header]
    if profile.personal is None:
        return []
    wants_key = "PERENNIAL_KEY" in os.environ or profile.personal in (E_MAIL, PHONE)
    question = Question(
        "pseudonymise",
        f"'{profile.name}' holds {profile.personal}: shall keyed digests stand for them in the report's files?",
        {"true": "yes; the key is in the environment variable PERENNIAL_KEY", "false": "no, show them"},
        "true" if wants_key else "false",
    )
    return [Entry("pseudonymise", answers.ask(question) == "true", "true needs a key in PERENNIAL_KEY")]


def _source_entry(one: Chosen, chosen: Sequence[Chosen], answers: Answers) -> Entry:
    part = one.opened.part
    marks, columns = column_entries(one, answers)
    entries = [] if "database" in part.keys else [Entry("path", part.paths if len(part.paths) > 1 else part.paths[0])]
    entries += [Entry(key, value) for key, value in part.keys.items()]
    entries += [
        Entry(k, m) for k, m, usual in zip(("decimal", "thousands"), marks, (".", ""), strict=True) if m != usual
    ]
    attributes = attributes_of(one)
    above = tuple(f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in dict.fromkeys(part.notes))
    above_columns = not_read(one, attributes)
    if all(other.table != "customers" for other in chosen):
        above_columns += about_customers(one, attributes)
    entries.append(Entry("columns", columns, above=above_columns))
    if attributes:
        entries.append(Entry("attributes", attributes, "further columns that describe them"))
    return Entry(one.table, entries, f"{one.opened.count:,} rows", above)


def source_of(entry: Entry) -> Source:
    """The source as the parameters will have it."""
    plain: dict[str, Any] = {child.key: child.value for child in entry.value}
    return Source.model_validate({**plain, "columns": {column.key: column.value for column in plain["columns"]}})
