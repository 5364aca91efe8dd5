"""What must hold before a report is published: totals agree, every chart has its table and its words."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from perennial.language import _
from perennial.report.execute import ChapterResult, read_notebook
from perennial.report.findings import read_json


def check_run(folder: Path, results: Sequence[ChapterResult]) -> list[str]:
    """Problems in words, none if the run may be published as complete."""
    made = [result for result in results if result.status == "ok"]
    shown = {result.title: list(_shown(folder / "notebooks" / f"{result.stem}.ipynb")) for result in made}
    return [
        *_failed(results),
        *_without_table(folder, shown),
        *_twice(shown),
        *_without_alt(shown),
        *disagreements(facts_of(folder), {result.stem: result.title for result in results}),
    ]


def _failed(results: Iterable[ChapterResult]) -> Iterator[str]:
    for result in results:
        if result.status == "failed":
            yield _("The chapter “{title}” failed: {reason}", title=result.title, reason=result.reason)


def _shown(notebook: Path) -> Iterator[tuple[str, str, str | None]]:
    """Each output's part, name and alt text (None where it is no picture)."""
    for cell in read_notebook(notebook).cells:
        for output in cell.get("outputs", []):
            marks = output.get("metadata", {}).get("perennial", {})
            is_picture = "image/png" in output.get("data", {})
            alt = output.metadata.get("image/png", {}).get("alt", "") if is_picture else None
            yield marks.get("part", ""), marks.get("name", ""), alt


def _without_table(folder: Path, shown: dict[str, list[tuple[str, str, str | None]]]) -> Iterator[str]:
    for title, outputs in shown.items():
        for part, name, _alt in outputs:
            file = folder / "data" / f"{name}.csv"
            if part in ("figure-head", "table") and not (file.is_file() and file.stat().st_size):
                yield _("“{title}” shows {name} without the table behind it", title=title, name=name)


def _twice(shown: dict[str, list[tuple[str, str, str | None]]]) -> Iterator[str]:
    places = defaultdict(list)
    for title, outputs in shown.items():
        for part, name, _alt in outputs:
            if part in ("figure-head", "table"):
                places[name].append(title)
    for name, titles in places.items():
        if len(titles) > 1:
            yield _("{name} is the name of two charts or tables ({titles})", name=name, titles=", ".join(titles))


def _without_alt(shown: dict[str, list[tuple[str, str, str | None]]]) -> Iterator[str]:
    for title, outputs in shown.items():
        if any(alt == "" for _part, _name, alt in outputs):
            yield _("“{title}” shows a picture without words for those who do not see it", title=title)


def facts_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Each chapter's totals, by stem."""
    return {file.stem: read_json(file) for file in sorted((folder / "facts").glob("*.json"))}


def disagreements(facts: dict[str, dict[str, Any]], titles: dict[str, str] | None = None) -> list[str]:
    """Totals that differ between chapters, money to the cent."""
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for stem, totals in facts.items():
        for name, value in totals.items():
            if value is not None:
                said[name][str(value)].append((titles or {}).get(stem, stem))
    found = []
    for name, values in said.items():
        if len(values) > 1:
            each = "; ".join(f"{value} in {', '.join(chapters)}" for value, chapters in values.items())
            found.append(_("Chapters disagree on {name}: {each}", name=name, each=each))
    return found
