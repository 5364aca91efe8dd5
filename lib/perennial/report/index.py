"""``reports/index.html``: every client's latest report with three key figures."""

import os
from pathlib import Path
from typing import Any

from perennial import formats
from perennial.language import _
from perennial.report import publish
from perennial.report.findings import read_json
from perennial.report.html import environment
from perennial.report.provenance import day_in_words

SHOWN_FIGURES = 3


def write_index(root: Path) -> Path:
    """Write the list of reports anew and return its path."""
    reports = root / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    homes = sorted(path for path in reports.iterdir() if path.is_dir() and not path.name.startswith("."))
    entries = [entry for home in homes if (entry := _entry(home))]
    text = environment().get_template("index.html.j2").render(reports=entries, language="en")
    fresh = reports / ".index.tmp"
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, reports / "index.html")
    return reports / "index.html"


def _entry(home: Path) -> dict[str, Any] | None:
    """One client's line; None where no run was ever published."""
    latest = home / "latest" / "run.json"
    newest = publish.runs(home)[-1:]
    failed = newest[0] if newest and publish.is_failed(newest[0]) else None
    if not latest.is_file():
        return _failed_entry(home, failed) if failed else None
    record = read_json(latest)
    return {
        "title": record["title"],
        "link": f"{home.name}/latest/report.html",
        "line": _line(record),
        "figures": record["key_figures"][:SHOWN_FIGURES],
        **_failure(home, failed),
    }


def _failed_entry(home: Path, failed: Path) -> dict[str, Any]:
    record = read_json(failed / "run.json")
    return {"title": record["title"], "link": "", "line": _line(record), "figures": [], **_failure(home, failed)}


def _failure(home: Path, failed: Path | None) -> dict[str, str]:
    if failed is None:
        return {"failed": "", "failed_link": ""}
    words = _("The last run failed.")
    return {"failed": words, "failed_link": f"{home.name}/{failed.name}/report.html"}


def _line(record: dict[str, Any]) -> str:
    return _(
        "{client} · {n} customers · as of {date} · made {made} · {status}",
        client=record["client"],
        n=formats.number(record["customers"]),
        date=day_in_words(record["as_of"]),
        made=record["finished"][:16].replace("T", " "),
        status=_("complete") if record["status"] == "complete" else _("not complete"),
    )
