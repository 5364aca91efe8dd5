"""The command ``perennial new`` as a person meets it: what was said, questions on a terminal, the summary."""

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm, Prompt

from perennial.client import project_root
from perennial.errors import ParameterError
from perennial.onboard.draft import Facts
from perennial.onboard.new import Written, write_client
from perennial.onboard.questions import Answers, Question
from perennial.parameters import Locale
from perennial.schema import TABLES


def run_new(
    client: str,
    files: Sequence[str],
    tables: Sequence[str],
    database: tuple[str | None, str | None],
    facts: tuple[str | None, str | None, str],
    answers: Sequence[str],
    yes: bool,
    force: bool,
) -> None:
    """Carry out the command. ``facts`` are title, as-of date and locale as they were given.

    Raises
    ------
    ParameterError, InputError
        As :func:`perennial.onboard.new.write_client`, and where what was given on the command line cannot be used.
    """
    title, as_of, locale = facts
    declared = {path: table for table, path in _pairs("--table", tables).items()}
    variable, name = database
    if (variable is None) != (name is None):
        raise ParameterError("a database cannot be looked at:", ["give both --database and --db-table"])
    if not files and not declared and not variable:
        raise ParameterError(f"there is nothing to look at for '{client}':", ["give the client's files"])
    if locale not in get_args(Locale):
        raise ParameterError(f"'{locale}' is no locale:", [f"valid: {', '.join(get_args(Locale))}"])
    is_asked = sys.stdin.isatty() and not yes
    given = Answers(_pairs("--answer", answers), ask_on_terminal if is_asked else None)
    written = write_client(
        Facts(client, title, _day(as_of), locale),
        list(dict.fromkeys([*files, *declared])),
        project_root(),
        given,
        declared=declared,
        database=(variable, name) if variable and name else None,
        force=force or (is_asked and _may_replace(client)),
    )
    here = Path.cwd()
    show_written(written, written.place.relative_to(here) if written.place.is_relative_to(here) else written.place)


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    problems = [f"'{pair}' has no '='" for pair in given if "=" not in pair]
    if problems:
        raise ParameterError(f"{option} cannot be used:", problems)
    return {key.strip(): value for key, _, value in (pair.partition("=") for pair in given)}


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise ParameterError("--as-of cannot be used:", [f"'{text}' is no day; write it as 2025-12-31"]) from None


def _may_replace(client: str) -> bool:
    """Ask whether a client's file that is there already may be replaced."""
    place = project_root() / "parameters" / f"{client}.yaml"
    return place.is_file() and Confirm.ask(f"parameters/{client}.yaml is there already. Replace it?", default=False)


def ask_on_terminal(question: Question) -> str:
    """Ask until there is an answer that will do; Enter takes the default."""
    console = Console(soft_wrap=True)
    console.print(f"\n{escape(question.text)}", highlight=False)
    for option, meaning in question.options.items():
        console.print(f"  {escape(option)}: {escape(meaning)}", highlight=False)
    while True:
        answer = Prompt.ask("Answer", console=console, default=question.default, show_default=True)
        if answer and (not question.options or answer in question.options):
            return answer
        console.print(f"Please answer one of: {escape(', '.join(question.options))}", highlight=False)


def show_written(written: Written, shown: Path) -> None:
    """Say what was recognised, what is open and what comes next."""
    console = Console(soft_wrap=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    client = written.place.stem
    say(f"{client}: {shown} is written")
    for one in written.chosen:
        mapped = ", ".join(f"{column} = {role.header}" for column, role in one.reading.roles.items())
        say(f"  {one.table}: {TABLES[one.table].what}, {one.opened.count:,} rows of {one.opened.part.name}")
        say(f"    {mapped}")
    for line in written.left_out:
        say(f"  {line}")
    for key, question in written.open.items():
        taken = f"taken for now: {question.default}" if question.default is not None else "no answer yet"
        say(f"  question {key}: {question.text} ({taken})")
    if written.open:
        say(f"Answer in the file, or again with --force --answer {next(iter(written.open))}=…")
    for line in written.refused:
        say(f"  NOT READABLE YET: {line}")
    waiting = [key for key, question in written.open.items() if question.default is None]
    after = "Once that is answered" if waiting else "Once that is mended" if written.refused else "Next"
    say(f"{after}: perennial report {client}")
