"""Which file is which canonical table, and what to say where none is the order lines."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial.errors import InputError, ParameterError
from perennial.onboard.opened import Opened
from perennial.onboard.questions import Answers, Question
from perennial.onboard.roles import Reading, read_as
from perennial.schema import TABLES
from perennial.tables.clean.personal import E_MAIL

NONE = "none"
_MEANT = {"customer_id": "who the customer is", "ordered_at": "when it was ordered", "amount": "what it brought"}


@dataclass(frozen=True)
class Chosen:
    """One file (or several as one) as one canonical table."""

    table: str
    opened: Opened
    reading: Reading


def choose_tables(
    opened: Sequence[Opened], declared: Mapping[str, str], answers: Answers
) -> tuple[list[Chosen], list[str]]:
    """The best table for each file, each table once, order lines first; and sentences about files left out.

    Parameters
    ----------
    declared : path → table, where the consultant has said it.

    Raises
    ------
    InputError
        When no file holds order lines: what was recognised instead, and which columns each file has.
    """
    _require_headers(opened, answers)
    ranked = [
        (reading.score, -place, Chosen(reading.table, file, reading))
        for place, file in enumerate(opened)
        for reading in _readings(file, declared, answers)
    ]
    ranked.sort(key=lambda item: item[:2], reverse=True)
    chosen: dict[str, Chosen] = {}
    for _, _, one in ranked:
        if one.table not in chosen and all(one.opened is not other.opened for other in chosen.values()):
            chosen[one.table] = one
    if "transactions" not in chosen:
        raise InputError(_no_orders(opened, list(chosen.values()), answers))
    used = [one.opened for one in chosen.values()]
    left = [_left_out(file, answers) for file in opened if all(file is not other for other in used)]
    return [chosen[table] for table in TABLES if table in chosen], left


def _left_out(file: Opened, answers: Answers) -> str:
    """What becomes of a file that no table was made of; orders that are not read would be missed in silence."""
    if not any(reading.table == "transactions" for reading in _readings(file, {}, answers)):
        return f"{file.part.name} is not used: it fits no table that is still free"
    return (
        f"NOT READ: {file.part.name}, which seems to hold order lines too ({file.count:,} rows), but under other "
        f"column names: {', '.join(list(file.profiles)[:20])}. To have them counted, give all files the same column "
        "names for what is mapped, and list them under 'path'"
    )


def _readings(file: Opened, declared: Mapping[str, str], answers: Answers) -> list[Reading]:
    """Every table the file can be read as."""
    wanted = [declared[path] for path in file.part.paths if path in declared]
    readings = [read_as(table, file.profiles, _fixed(table, file, answers)) for table in wanted or TABLES]
    return [reading for reading in readings if not reading.missing and (wanted or _plausible(reading, file))]


def _plausible(reading: Reading, file: Opened) -> bool:
    """Whether the rows can be what the table holds: customers once each, orders not."""
    customer = file.profiles[reading.roles["customer_id"].header] if "customer_id" in reading.roles else None
    once = customer is not None and customer.is_key and file.count > 1
    if reading.table == "transactions":
        return not once or "order_id" in reading.roles or file.count < 20 or len(reading.roles) < 5
    if reading.table == "customers":
        return once
    if reading.table == "accounts":
        return "revenue" in reading.roles and len(reading.roles) > 2
    key = TABLES[reading.table].key
    return key is None or file.profiles[reading.roles[key].header].repeats < 1.2


def _fixed(table: str, file: Opened, answers: Answers) -> dict[str, str | None]:
    """Columns whose header was given as an answer; None where the column shall not be read."""
    given = {c: answers.given(_key(table, c)) for c in [*TABLES[table].columns, *TABLES[table].inputs]}
    return {c: (None if name == NONE else name) for c, name in given.items() if name in file.profiles or name == NONE}


def _key(table: str, column: str) -> str:
    return f"sources.{table}.columns.{column}"


def _require_headers(opened: Sequence[Opened], answers: Answers) -> None:
    headers = list(dict.fromkeys(name for file in opened for name in file.profiles))
    problems = []
    for table, schema in TABLES.items():
        for column in [*schema.columns, *schema.inputs]:
            name = answers.given(_key(table, column))
            if name is not None and name != NONE and name not in headers:
                near = difflib.get_close_matches(name, headers, n=1)
                problems.append(f"no file has a column '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    if problems:
        raise ParameterError("an answer cannot be used:", dict.fromkeys(problems))


def settle_roles(one: Chosen, answers: Answers) -> Chosen:
    """Ask about every column that was not recognised for sure, and read the file again with the answers."""
    fixed = _fixed(one.table, one.opened, answers)
    required = TABLES[one.table].required
    for column, role in one.reading.roles.items():
        if role.is_sure or column in fixed:
            continue
        options = {header: one.opened.profiles[header].looks() for header in (role.header, *role.rivals)}
        if column not in required:
            options[NONE] = "leave it out"
        text = f"Which column is {column}? '{role.header}' fits best" + (", but not alone." if role.rivals else ".")
        answer = answers.ask(Question(_key(one.table, column), text, options, role.header))
        fixed[column] = None if answer == NONE else answer
    return Chosen(one.table, one.opened, read_as(one.table, one.opened.profiles, fixed))


def _no_orders(opened: Sequence[Opened], chosen: Sequence[Chosen], answers: Answers) -> str:
    lines = ["no report is possible without order lines, each with a customer, a time and an amount:"]
    for file in opened:
        other = next((one for one in chosen if one.opened is file), None)
        lines.append(f"  - {file.part.name}: {_what_it_is(file, other, answers)}")
        lines += [f"      {profile.name}: {profile.looks()}" for profile in list(file.profiles.values())[:60]]
        lines += [f"      {note}" for note in file.part.notes]
    addresses = [p.name for file in opened for p in file.profiles.values() if p.personal == E_MAIL]
    if addresses:
        lines.append(
            f"Where customers are known by their e-mail address alone: --answer 'customer_id={addresses[0]}'; with a "
            "key in the environment variable PERENNIAL_KEY, digests stand for the addresses."
        )
    lines.append(
        "If a column above is the one that is missing, say so: --answer customer_id=COLUMN (or ordered_at=, amount=)."
    )
    if chosen:
        lines.append("If the orders are in another file, give it too, beside this one.")
    return "\n".join(lines)


def _what_it_is(file: Opened, other: Chosen | None, answers: Answers) -> str:
    if len(file.profiles) < 2:
        return "it has one column only; if that holds several values, the delimiter was not recognised"
    as_orders = read_as("transactions", file.profiles, _fixed("transactions", file, answers))
    lacking = [f"no column for {name} ({_MEANT[name]})" for name in as_orders.missing]
    found = [f"{name} would be '{role.header}'" for name, role in as_orders.roles.items() if name in _MEANT]
    said = f"it looks like {TABLES[other.table].what}; as order lines it has " if other else "as order lines it has "
    return said + (", ".join([*lacking, *found]) or "one line per customer, and so no repeated orders")
