"""Chapter 00: the bottom line over all chapters. Chooses and ranks what they found; finds nothing itself."""

import importlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.analysis import base
from perennial.analysis.comparison import comparable_windows
from perennial.chapters.audit_red import AMBER, RED, said_on_page_one
from perennial.errors import PerennialError
from perennial.schema import CHAPTERS
from perennial.statements import Finding, KeyFigure

if TYPE_CHECKING:
    from perennial.client import Client

CHAPTER = "00_summary"
MOST_FINDINGS, MOST_ACTIONS, MOST_CAUTIONS = 8, 4, 4
PER_CHAPTER = 2
REPEATS = {  # says again what another chapter's finding says
    "cohorts.closed_group": "audit.closed_base",
    "cohorts.known_before": "audit.left_censored",
}


@dataclass(frozen=True)
class Summary:
    """What the report says first.

    Attributes
    ----------
    findings : five to eight findings, then actions, then cautions; each kind by importance, two per chapter at most.
    key_figures : three to five numbers.
    overview : one line per chapter: its most important finding, linked.
    failed : chapters without findings, with the reason where it is known.
    left_out : chapters that the parameters leave out of the report.
    everything : all findings of all chapters, by id.
    """

    findings: list[Finding]
    key_figures: list[KeyFigure]
    overview: str
    failed: dict[str, str]
    everything: dict[str, Finding] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def data_text(self) -> str:
        """What is to be settled about the data before acting on any figure, and how much else is to be asked."""
        return said_on_page_one(self.everything.values())

    @property
    def data_is_red(self) -> bool:
        """Whether anything about the data is to be settled first."""
        return any(name.startswith(RED) for name in self.everything)

    @property
    def failed_text(self) -> str:
        """The chapters that are missing, in a sentence; empty when all are there."""
        from perennial.chapters import summary_words

        parts = [summary_words.failed_text(self.failed), summary_words.left_out_text(self.left_out)]
        return " ".join(part for part in parts if part)


def gather(client: "Client", output: str = "") -> Summary:
    """Collect what the chapters of a run found; opened by hand (``output`` empty), compute it now.

    Parameters
    ----------
    output : folder in which a run's chapters left ``findings/<chapter>.json``.
    """
    from perennial.chapters import summary_words

    stems = [stem for stem in sorted(client.parameters.chapters) if stem != CHAPTER]
    found, failed = _staged(Path(output), stems) if output else _computed(client, stems)
    everything = {finding.id: finding for finding in found}
    yearly = _revenue_before(client) if "base.revenue_12m" in everything else None
    return Summary(
        findings=choose(found),
        key_figures=summary_words.key_figures(everything, client.parameters, yearly),
        overview=summary_words.overview(found, [stem for stem in stems if stem not in failed]),
        failed=failed,
        everything=everything,
        left_out=[stem for stem in CHAPTERS if stem not in (*stems, CHAPTER)],
    )


def choose(found: Iterable[Finding]) -> list[Finding]:
    """The findings that matter most, then what to do, then what the data cannot say."""
    found = list(found)
    ids = {finding.id for finding in found}
    found = [finding for finding in found if REPEATS.get(finding.id) not in ids and not _stands_above(finding)]
    chosen: list[Finding] = []
    for kind, most in (("finding", MOST_FINDINGS), ("action", MOST_ACTIONS), ("caution", MOST_CAUTIONS)):
        chosen += _best([finding for finding in found if finding.kind == kind], most)
    return chosen


def _stands_above(finding: Finding) -> bool:
    """Whether the page's top says it already: the state of the data."""
    return finding.id.startswith(RED) or finding.id == AMBER


def _best(found: list[Finding], most: int) -> list[Finding]:
    """By importance (equal ones in chapter order), at most :data:`PER_CHAPTER` of each chapter."""
    taken: dict[str, int] = {}
    best = []
    for finding in sorted(found, key=lambda f: (-f.importance, f.chapter, f.id)):
        taken[finding.chapter] = taken.get(finding.chapter, 0) + 1
        if taken[finding.chapter] <= PER_CHAPTER:
            best.append(finding)
    return best[:most]


def _staged(output: Path, stems: list[str]) -> tuple[list[Finding], dict[str, str]]:
    found: list[Finding] = []
    failed = {}
    for stem in stems:
        path = output / "findings" / f"{stem}.json"
        if path.is_file():
            found += [Finding(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
        else:
            failed[stem] = ""
    return found, failed


def _computed(client: "Client", stems: list[str]) -> tuple[list[Finding], dict[str, str]]:
    found: list[Finding] = []
    failed = {}
    for stem in stems:
        try:
            found += importlib.import_module(f"perennial.chapters.{module_name(stem)}").study(client).findings
        except PerennialError as error:
            failed[stem] = str(error)
    return found, failed


def module_name(stem: str) -> str:
    """``"02_customer_base"`` → ``"customer_base"``."""
    if stem not in CHAPTERS:
        raise KeyError(f"no chapter '{stem}'; there are: {', '.join(CHAPTERS)}")
    return stem.split("_", 1)[1]


def _revenue_before(client: "Client") -> float | None:
    """Revenue of the 12 months before the last 12; None where the data does not hold them."""
    lines, as_of = client.transactions, client.parameters.as_of
    first_on = lines.ordered_on.min().to_pyarrow().as_py()
    windows = comparable_windows(first_on, as_of)
    if windows is None or windows.seasonal:
        return None
    return base.trailing_totals(lines, as_of, 24)[1] - base.trailing_totals(lines, as_of, 12)[1]
