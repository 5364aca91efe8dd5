"""Where a report comes from, in words: cover, settings, files, cleaning, versions, glossary."""

import datetime as dt
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from perennial import formats
from perennial.language import _
from perennial.report.glossary import glossary

_PACKAGES = (
    "perennial",
    "ibis-framework",
    "duckdb",
    "pandas",
    "numpy",
    "scipy",
    "statsmodels",
    "lifetimes",
    "matplotlib",
    "papermill",
    "nbconvert",
)


def versions() -> dict[str, str]:
    """Python and the packages that numbers depend on."""
    found = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_commit(root: Path) -> str | None:
    """The commit of the workbook's code, with ``+`` where files differ from it; None outside a repository."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


def in_words(record: dict[str, Any]) -> dict[str, Any]:
    """What the page's template shows beside the chapters."""
    record["as_of_words"] = day_in_words(record["as_of"])
    return {
        "cover": _cover(record),
        "settings": _settings(record["parameters"]),
        "glossary": glossary(),
        "tables": [_inputs(record), _cleaning(record), _versions(record)],
        "made": record["finished"][:16].replace("T", " "),
        "seconds": formats.number(record["seconds"], 0),
    }


def day_in_words(text: str | None) -> str:
    """An ISO day or moment as a date for readers."""
    return formats.date(dt.date.fromisoformat(text[:10])) if text else formats.MISSING


def _cover(record: dict[str, Any]) -> list[tuple[str, str]]:
    whole = _("complete") if record["status"] == "complete" else _("not complete")
    facts = [
        (
            _("Period covered"),
            _("{first} to {last}", first=day_in_words(record["first"]), last=day_in_words(record["last"])),
        ),
        (_("As of"), record["as_of_words"]),
        (_("Customers"), formats.number(record["customers"])),
        (_("Prepared by"), record["prepared_by"]),
        (_("Status"), whole),
    ]
    return [(name, value) for name, value in facts if value]


def _settings(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    held_out = parameters.get("holdout_days")
    shown = [
        (_("Currency"), parameters["currency"]),
        (_("As-of date (inclusive)"), day_in_words(parameters["as_of"])),
        (_("Cohorts by"), _(parameters["cohort_period"])),
        (_("Horizon of customer values"), _("{n} months", n=parameters["horizon_months"])),
        (_("Discount rate, per year"), formats.percent(parameters["discount_rate"], 1)),
        (_("Gross margin, share of revenue"), _margin(parameters)),
        (_("Days held out to judge models"), formats.number(held_out) if held_out else _("a third of the period")),
        (_("Level of intervals"), formats.percent(parameters["interval"])),
        (_("Smallest group a rate is shown for"), formats.number(parameters["minimum_group"])),
        (_("Random seed"), str(parameters["seed"])),
    ]
    return shown


def _margin(parameters: dict[str, Any]) -> str:
    share, by = formats.percent(parameters["gross_margin"], 1), parameters.get("margin_by", "set")
    if by == "set":
        return share
    return (
        _("from the data, else {share}", share=share) if by == "data" else _("by category, else {share}", share=share)
    )


def _inputs(record: dict[str, Any]) -> dict[str, Any]:
    rows = {table["table"]: table for table in record["tables"]}
    lines = []
    for file in record["inputs"]:
        table = rows.get(file["table"], {})
        used, raw = formats.number(table.get("rows")), formats.number(table.get("raw_rows"))
        size = _("{size} MB", size=formats.number(file["bytes"] / 1e6, 1))
        lines.append([file["table"], file["path"], size, raw, used, file["sha256"][:12]])
    headers = [_("table"), _("file"), _("size"), _("rows read"), _("rows used"), _("SHA-256, first 12")]
    return _table("inputs", _("Input files"), headers, "ttnnnt", lines)


def _cleaning(record: dict[str, Any]) -> dict[str, Any]:
    currency = record["currency"]
    lines = [
        [
            rule["table"],
            rule["meaning"],
            formats.number(rule["rows"]),
            formats.MISSING if rule["money"] is None else formats.money(rule["money"], currency, 2),
        ]
        for rule in record["cleaning"]
        if rule["rows"]
    ]
    headers = [_("table"), _("rule"), _("rows"), _("money")]
    return _table("cleaning", _("Cleaning: what was used and what was left out"), headers, "ttnn", lines)


def _versions(record: dict[str, Any]) -> dict[str, Any]:
    lines = [[name, number] for name, number in record["versions"].items()]
    return _table("versions", _("Versions"), [_("package"), _("version")], "tn", lines)


def _table(name: str, title: str, headers: list[str], sides: str, rows: list[list[str]]) -> dict[str, Any]:
    return {"id": name, "title": title, "headers": headers, "sides": list(sides), "rows": rows}
