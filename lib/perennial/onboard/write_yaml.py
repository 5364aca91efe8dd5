"""A client's YAML as text with comments, and its way into the project: checked first, whole or not at all."""

import os
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from perennial.errors import ParameterError
from perennial.onboard.questions import Question
from perennial.parameter_file import load_parameters

_COMMENT_AT, _WIDE = 44, 118


@dataclass(frozen=True)
class Entry:
    """One key: ``value`` is plain, or further entries below it; ``comment`` stands behind it, ``above`` before it."""

    key: str
    value: Any
    comment: str = ""
    above: tuple[str, ...] = ()


class _Dumper(yaml.SafeDumper):
    """Writes text that is not all printable in double quotes, where every such character is escaped."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if value.isprintable() else '"')


_Dumper.add_representer(str, _text)


def yaml_text(heading: Sequence[str], entries: Sequence[Entry], questions: Mapping[str, Question]) -> str:
    """The whole file. An open question stands above its key; one whose key is not there, above the nearest level."""
    lines = [part for line in heading for part in _comment(line, "")]
    nested = False
    for entry in entries:
        was_nested, nested = nested, _inner(entry) is not None
        lines += [""] if nested or was_nested else []  # a blank line around what has levels
        lines += _lines(entry, "", entry.key, questions)
    return "\n".join(lines) + "\n"


def _lines(entry: Entry, indent: str, path: str, questions: Mapping[str, Question]) -> list[str]:
    lines = [part for line in entry.above for part in _comment(line, indent)]
    inner = _inner(entry)
    lines += [line for question in _asked_at(path, inner, questions) for line in _question_lines(question, indent)]
    if inner is None:
        said = f"{indent}{flow(entry.key)}: {flow(entry.value)}"
        return [*lines, f"{said:<{_COMMENT_AT}}  # {_plain(entry.comment)}" if entry.comment else said]
    lines.append(f"{indent}{flow(entry.key)}:" + (f"  # {_plain(entry.comment)}" if entry.comment else ""))
    for child in inner:
        lines += _lines(child, indent + "  ", f"{path}.{child.key}", questions)
    return lines


def _inner(entry: Entry) -> list[Entry] | None:
    """The entries below a key, where there are any."""
    value = entry.value
    return value if isinstance(value, list) and any(isinstance(item, Entry) for item in value) else None


def _asked_at(path: str, inner: Sequence[Entry] | None, questions: Mapping[str, Question]) -> list[Question]:
    """Questions about this key, or about something below it that has no entry of its own."""
    below = [f"{path}.{child.key}" for child in inner or []]
    return [
        question
        for key, question in questions.items()
        if key == path or (key.startswith(path + ".") and not any(key == b or key.startswith(b + ".") for b in below))
    ]


def _question_lines(question: Question, indent: str) -> list[str]:
    lines = _comment(f"QUESTION: {question.text}", indent)
    for option, meaning in question.options.items():
        taken = " (taken for now)" if option == question.default else ""
        lines.append(f"{indent}#   {_plain(option)}: {_plain(meaning)}{taken}")
    return lines


def flow(value: Any) -> str:
    """A plain value as YAML on one line."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _comment(text: str, indent: str) -> list[str]:
    """Text as comment lines of a readable width."""
    return textwrap.wrap(_plain(text), _WIDE, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ")


def _plain(text: str) -> str:
    """Text on one line, without characters that YAML refuses even in comments."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def put_in_place(text: str, client: str, root: Path, force: bool) -> Path:
    """Write ``parameters/<client>.yaml`` once it has proved to load; an existing one only with ``force``.

    Raises
    ------
    ParameterError
        When the file is there already, or what was made of the files is no valid parameter file.
    """
    folder = root / "parameters"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        fresh = Path(scratch) / f"{client}.yaml"
        fresh.write_text(text, encoding="utf-8")
        load_parameters(fresh)
        return _move(fresh, folder / fresh.name, force)


def _move(fresh: Path, place: Path, force: bool) -> Path:
    if force:
        return fresh.replace(place)
    try:
        os.link(fresh, place)  # unlike a rename, it never replaces a file that came in between
    except FileExistsError:
        raise exists_already(place) from None
    return place


def exists_already(place: Path) -> ParameterError:
    """The error where a client's file is there already."""
    return ParameterError(
        f"parameters/{place.name} is there already:",
        ["it was left as it is; --force replaces it, or take another name"],
    )
