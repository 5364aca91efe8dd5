"""``perennial new``: look at files, choose tables, ask what is unsure, write the client's YAML."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perennial.errors import InputError, ParameterError
from perennial.onboard.beside import with_heads
from perennial.onboard.choose import Chosen, choose_tables, settle_roles
from perennial.onboard.draft import Facts, draft_entries, source_of
from perennial.onboard.look import Part, look_at, path_in_yaml
from perennial.onboard.opened import Desk
from perennial.onboard.questions import Answers, Question
from perennial.onboard.write_yaml import Entry, exists_already, put_in_place, yaml_text
from perennial.parameter_file import CLIENT_NAME
from perennial.parameters import Cleaning
from perennial.schema import TABLES
from perennial.tables import engine
from perennial.tables.files.request import Request
from perennial.tables.read import read_source


@dataclass(frozen=True)
class Written:
    """What was made: the file, the tables in it, sentences on what was left out, the questions that stay open.

    ``refused`` are sentences on what has to be mended in the client's files before a report can be made.
    """

    place: Path
    chosen: list[Chosen]
    left_out: list[str]
    open: dict[str, Question]
    refused: list[str]


def write_client(
    facts: Facts,
    files: Sequence[str],
    root: Path,
    answers: Answers,
    *,
    declared: Mapping[str, str] | None = None,
    database: tuple[str, str] | None = None,
    force: bool = False,
) -> Written:
    """Write ``parameters/<client>.yaml`` from the files (or a database's table).

    Parameters
    ----------
    declared : file → table, where it is known.
    database : the name of the environment variable with the URI, and the table.

    Raises
    ------
    ParameterError
        When the name cannot be one, the client is there already, or an answer cannot be used.
    InputError
        When a file cannot be read or holds nothing a report is possible on.
    """
    _require_name(facts.client, root, force)
    parts = look_at(files, root, facts.locale)
    parts += [Part(database[1], [], {"database": database[0], "table": database[1]})] if database else []
    if facts.locale == "en" and any(part.chinese for part in parts):
        facts = replace(facts, locale="zh")
    with tempfile.TemporaryDirectory() as scratch:
        desk = Desk(engine.connect(), facts.client, root, Path(scratch), facts.locale)
        opened = with_heads(desk, desk.open_all(parts))
        chosen, left_out = choose_tables(opened, _declared(declared or {}, root), answers)
        chosen = [settle_roles(one, answers) for one in chosen]
        entries = draft_entries(facts, chosen, answers)
        refused = _refused(desk, entries)
    answers.require_used()
    place = put_in_place(yaml_text(_heading(facts, answers), entries, answers.open), facts.client, root, force)
    return Written(place, chosen, left_out, answers.open, refused)


def _refused(desk: Desk, entries: Sequence[Entry]) -> list[str]:
    """Why a report would refuse the sources as they are proposed: what could not be known before columns were."""
    problems = []
    for one in next(entry.value for entry in entries if entry.key == "sources"):
        source = source_of(one)
        if source.database:
            continue
        request = Request(desk.engine, desk.client, one.key, source, desk.root, desk.scratch, desk.locale)
        try:
            read_source(request, Cleaning())
        except InputError as error:
            problems.append(str(error))
    return problems


def _require_name(client: str, root: Path, force: bool) -> None:
    if not CLIENT_NAME.match(client):
        problem = "use lower-case letters, digits, - and _ (up to 64), and begin with a letter or digit"
        raise ParameterError(f"'{client}' is not a client name:", [problem])
    place = root / "parameters" / f"{client}.yaml"
    if place.exists() and not force:
        raise exists_already(place)


def _declared(given: Mapping[str, str], root: Path) -> dict[str, str]:
    problems = [f"'{t}' is no table; valid: {', '.join(TABLES)}" for t in given.values() if t not in TABLES]
    if problems:
        raise ParameterError("--table cannot be used:", problems)
    return {path_in_yaml(path, root): table for path, table in given.items()}


def _heading(facts: Facts, answers: Answers) -> list[str]:
    lines = [f"Client {facts.client}, proposed by looking at its files; every key is explained in demo.yaml."]
    if answers.open:
        few = "is a QUESTION" if len(answers.open) == 1 else f"are {len(answers.open)} QUESTIONs"
        lines.append(f"There {few} below: check the line under it, change it if needed, then delete the comment.")
    return lines
