"""``perennial check``: can a report be made, and what would its first chapter say? In seconds, without models."""

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.errors import ParameterError, PerennialError
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.audit_questions import Question
    from perennial.chapters.data_audit import Study

POSSIBLE, IMPOSSIBLE, BAD_PARAMETERS = 0, 1, 2


@dataclass(frozen=True)
class Check:
    """The outcome for one client. ``problems`` are sentences that say why no report can be made."""

    client: str
    code: int
    problems: list[str] = field(default_factory=list)
    study: "Study | None" = None

    @property
    def can_report(self) -> bool:
        """Whether ``perennial report`` would find what it needs."""
        return self.code == POSSIBLE

    def to_dict(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        made = {"client": self.client, "can_report": self.can_report, "problems": self.problems}
        return made if self.study is None else {**made, **_facts(self.study)}

    def to_json(self) -> str:
        """One line of JSON; what is not known is null."""
        from perennial.report.findings import without_nan

        return json.dumps(without_nan(self.to_dict()), ensure_ascii=False, allow_nan=False, default=str)


def check_client(name: str, root: Path | None = None) -> Check:
    """Parameters, files, mapping and audit of a client; its tables are made and kept if they are not there yet."""
    from perennial.client import open_client

    try:
        client = open_client(name, root, refresh=True)
    except ParameterError as error:
        return Check(name, BAD_PARAMETERS, [error.heading, *error.problems])
    except PerennialError as error:
        return Check(name, IMPOSSIBLE, str(error).splitlines())
    from perennial.chapters import data_audit
    from perennial.language import set_language

    set_language(client.parameters.language)
    return Check(name, POSSIBLE, study=data_audit.study(client))


def _facts(study: "Study") -> dict[str, Any]:
    return {
        "verdict": _verdict(study),
        "dimensions": study.scorecard.statuses,
        "scorecard": [vars(criterion) for criterion in study.scorecard.criteria],
        "findings": [finding.to_dict() for finding in study.findings],
        "questions": [question.to_dict() for question in study.questions],
        "files": [vars(file) for file in study.audit.files],
        "tables": [vars(table) for table in study.audit.tables],
        "rules": [vars(rule) for rule in study.audit.rules],
        "flags": [vars(flag) for flag in study.audit.flags],
        "unused_columns": study.unused.to_dict("records"),
        "rejects": study.reject_reasons.to_dict("records"),
    }


def _verdict(study: "Study") -> str:
    from perennial.chapters.audit_scores import verdict

    return verdict(study.scorecard)


def as_text(check: Check) -> str:
    """The outcome as a terminal shows it."""
    if check.study is None:
        return "\n".join([f"{check.client}: no report can be made", *(f"  {problem}" for problem in check.problems)])
    study = check.study
    parts = [
        f"{check.client}: a report can be made. {_verdict(study)}.",
        *_scores(study),
        *_findings("Findings", study.findings, "finding"),
        *_findings("What the data cannot say", study.findings, "caution"),
        *_unused(study),
        *_questions(study.questions),
    ]
    return "\n".join(parts)


def _scores(study: "Study") -> list[str]:
    from perennial.chapters import audit_scores

    names, lines = audit_scores.status_names(), ["", "Scorecard"]
    for dimension, title in audit_scores.dimensions().items():
        lines.append(f"  {title}: {names[study.scorecard.status(dimension)]}")
        for criterion in study.scorecard.of(dimension):
            if criterion.status in ("amber", "red"):
                stake = audit_scores.at_stake(criterion, study.currency)
                found = audit_scores.measured(criterion) + (f" – {stake}" if stake else "")
                label, limit = audit_scores.labels()[criterion.name], audit_scores.limit(criterion, criterion.status)
                lines.append(f"    {criterion.status.upper():5}  {label}: {found} ({criterion.status} {limit})")
    return lines


def _findings(heading: str, findings: list[Finding], kind: str) -> list[str]:
    said = [f"  - {_plain(finding.sentence)}" for finding in findings if finding.kind == kind]
    return ["", heading, *said] if said else []


def _unused(study: "Study") -> list[str]:
    if not len(study.unused):
        return []
    return ["", study.captions["audit_unused"].title + "."]


def _questions(questions: "list[Question]") -> list[str]:
    if not questions:
        return []
    lines = ["", "Questions to the client"]
    for place, question in enumerate(questions, 1):
        lines += [f"  {place}. {question.text}", f"     {question.why} [{question.setting}]"]
    return lines


def _plain(sentence: str) -> str:
    """A sentence without its Markdown."""
    return html.unescape(re.sub(r"\*\*(.+?)\*\*", r"\1", sentence))
