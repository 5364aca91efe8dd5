"""One report from start to end: prepare, run the chapters, check, merge, publish."""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perennial.client import project_root, read_parameters
from perennial.errors import InputError, ParameterError, PerennialError, ReportError
from perennial.language import _, set_language
from perennial.parameters import Parameters
from perennial.report import checks, prepare, provenance, publish
from perennial.report.execute import ChapterResult, Status, clean_executed, run_notebook, title_of, warm_up
from perennial.report.findings import read_findings, read_json, write_findings, write_json
from perennial.report.html import render_report
from perennial.report.workers import Outcome, Pool, Task

SUMMARY = "00_summary"
CELL_SECONDS = 900
_COLLECTED = ("findings", "facts", "key_figures")  # folders of a run in the making
_ERRORS: dict[str, type[PerennialError]] = {"InputError": InputError, "ReportError": ReportError}

Tell = Callable[[str, str, str, Outcome | None], None]


@dataclass(frozen=True)
class RunResult:
    """A finished run. ``problems`` are sentences, none when ``status`` is ``"complete"``."""

    client: str
    folder: Path
    status: str
    problems: list[str]
    chapters: list[ChapterResult]
    seconds: float
    peak_memory_mb: float

    @property
    def report(self) -> Path:
        """The page to open."""
        return self.folder / "report.html"


@dataclass
class _Run:
    """A run in the making."""

    parameters: Parameters
    root: Path
    name: str
    staging: Path
    stems: list[str]
    started: dt.datetime
    clock: float = field(default_factory=time.monotonic)

    def notebook(self, stem: str) -> Path:
        return self.root / "notebooks" / f"{stem}.ipynb"


def make_report(
    client: str,
    root: Path | None = None,
    chapters: Sequence[str] | None = None,
    jobs: int = 2,
    tell: Tell | None = None,
) -> RunResult:
    """Make and publish a client's report.

    Parameters
    ----------
    chapters : stems to run instead of the client's own choice.
    jobs : worker processes at a time.
    tell : called as ``tell("started" | "ended", name, title, outcome)`` for every step.

    Raises
    ------
    ParameterError, InputError : no report is possible; nothing is published.
    ReportError : another run of this client is under way.
    """
    root = (root or project_root()).resolve()
    parameters = read_parameters(client, root)
    set_language(parameters.language)
    home = root / "reports" / client
    stems = choose(parameters, root, chapters)
    with publish.claim(home):
        started = dt.datetime.now()
        name = publish.new_run(home, started)
        run = _Run(parameters, root, name, publish.new_staging(home, name), stems, started)
        try:
            return _make(run, home, jobs, tell or (lambda *_ignored: None))
        except BaseException:
            shutil.rmtree(run.staging, ignore_errors=True)
            raise


def choose(parameters: Parameters, root: Path, chapters: Sequence[str] | None) -> list[str]:
    """The stems to run, in reading order: those named, else the client's choice.

    Raises
    ------
    ParameterError : a chapter has no notebook.
    """
    stems = sorted(chapters or parameters.chapters)
    missing = [stem for stem in stems if not (root / "notebooks" / f"{stem}.ipynb").is_file()]
    if missing:
        there = ", ".join(sorted(path.stem for path in (root / "notebooks").glob("*.ipynb"))) or _("none")
        problems = [f"chapters: there is no notebooks/{stem}.ipynb; there are: {there}" for stem in missing]
        raise ParameterError(f"{parameters.client}.yaml cannot be used:", problems)
    return stems


def _make(run: _Run, home: Path, jobs: int, tell: Tell) -> RunResult:
    with Pool(jobs, run.staging / "log.txt") as pool:
        prepared = _prepare(run, pool, tell)
        outcomes = _run_chapters(run, pool, tell)
        peak = pool.peak_memory_mb
    results = [_result(run, stem, outcomes[stem]) for stem in run.stems]
    for result in results:
        if (place := run.staging / "notebooks" / f"{result.stem}.ipynb").is_file():
            clean_executed(place, str(run.staging))
    problems = checks.check_run(run.staging, results)
    if outcomes["customers"].problem:
        problems.append(_("The customers' files were not made: {reason}", reason=outcomes["customers"].problem))
    record = _record(run, prepared, results, problems, peak)
    _finish(run, record, results)
    folder = publish.publish(run.staging, home, run.name, complete=not problems)
    return RunResult(run.parameters.client, folder, record["status"], problems, results, record["seconds"], peak)


def _prepare(run: _Run, pool: Pool, tell: Tell) -> dict[str, Any]:
    title = _("Tables and models")
    tasks = [
        Task("prepare", prepare.prepare_client, (run.parameters.client, str(run.root))),
        Task("warm up", warm_up, ()),
    ]
    outcome = pool.run(tasks, lambda what, task, how: tell(what, task.name, title, how))["prepare"]
    if outcome.kind == "ParameterError":
        heading, *problems = outcome.problem.split("\n  - ")
        raise ParameterError(heading, problems)
    if outcome.problem:
        raise _ERRORS.get(outcome.kind, ReportError)(outcome.problem)
    return outcome.value


def _run_chapters(run: _Run, pool: Pool, tell: Tell) -> dict[str, Outcome]:
    titles = {stem: title_of(run.notebook(stem)) for stem in run.stems} | {"customers": _("Customers' files")}
    first = [stem for stem in run.stems if stem != SUMMARY]
    tasks = [_chapter_task(run, stem) for stem in first]
    arguments = (run.parameters.client, str(run.root), str(run.staging / "data"))
    tasks.append(Task("customers", prepare.write_customers, arguments))
    if SUMMARY in run.stems:
        tasks.append(_chapter_task(run, SUMMARY, frozenset(first)))
    return pool.run(tasks, lambda what, task, outcome: tell(what, task.name, titles[task.name], outcome))


def _chapter_task(run: _Run, stem: str, after: frozenset[str] = frozenset()) -> Task:
    output = run.staging / "notebooks" / f"{stem}.ipynb"
    parameters = {"client": run.parameters.client, "output": str(run.staging)}
    folder = str(run.root / "notebooks")
    arguments = (str(run.notebook(stem)), str(output), parameters, folder, str(run.root), CELL_SECONDS)
    return Task(stem, run_notebook, arguments, after)


def _result(run: _Run, stem: str, outcome: Outcome) -> ChapterResult:
    status: Status = "failed"
    reason = outcome.problem
    if not reason:
        status, reason = outcome.value
    title = title_of(run.notebook(stem))
    return ChapterResult(stem, title, status, reason, round(outcome.seconds, 2), round(outcome.peak_memory_mb))


def _record(
    run: _Run, prepared: dict[str, Any], results: list[ChapterResult], problems: list[str], peak: float
) -> dict[str, Any]:
    """What ``run.json`` holds."""
    parameters = run.parameters
    shown = {
        name: getattr(parameters, name) for name in ("client", "title", "scope", "prepared_by", "currency", "language")
    }
    return {
        **shown,
        "run": run.name,
        "status": "failed" if problems else "complete",
        "problems": problems,
        "as_of": parameters.as_of.isoformat(),
        "started": run.started.isoformat(timespec="seconds"),
        "finished": dt.datetime.now().isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - run.clock, 1),
        "peak_memory_mb": round(peak),
        "chapters": [result.to_dict() for result in results],
        "facts": checks.facts_of(run.staging),
        "key_figures": _key_figures(run.staging),
        **prepared,
        "versions": provenance.versions(),
        "git_commit": provenance.git_commit(run.root),
    }


def _key_figures(staging: Path) -> list[dict[str, str]]:
    """Those of the first chapter that shows any: the summary's, where there is one."""
    files = sorted((staging / "key_figures").glob("*.json"))
    return read_json(files[0]) if files else []


def _finish(run: _Run, record: dict[str, Any], results: list[ChapterResult]) -> None:
    """Write the files of the run's top folder and clear away what only the making needed."""
    write_findings(read_findings(run.staging / "findings"), run.staging / "findings.json")
    write_json(record, run.staging / "run.json")
    page = render_report(run.staging, record, results)
    (run.staging / "report.html").write_text(page, encoding="utf-8")
    for name in _COLLECTED:
        shutil.rmtree(run.staging / name, ignore_errors=True)
    if record["status"] == "complete":
        (run.staging / "log.txt").unlink(missing_ok=True)
