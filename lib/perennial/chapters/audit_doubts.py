"""What chapter 01 finds in the record of the preparation: what could not be read, whom nobody can reach."""

from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.audit_measures import flagged
from perennial.language import _, plural
from perennial.statements import Finding

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

CHAPTER = "01_data_audit"


def rejects(study: "Study") -> list[Finding]:
    """What could not be read, and that it is in no figure."""
    if not len(study.reject_reasons):
        return []
    count, worst = int(study.reject_reasons["rows"].sum()), study.reject_reasons.iloc[0]
    text = plural(
        "{count} line or cell could not be used as it stands: {reason}. It is listed with its line number in "
        "data/rejects.csv.",
        "{count} lines or cells could not be used as they stand, most often: {reason} ({most}). They are listed with "
        "their line numbers in data/rejects.csv.",
        count,
        count=formats.number(count),
        reason=formats.escape(worst["reason"]),
        most=formats.number(worst["rows"]),
    )
    share = study.scorecard["unreadable"].value or 0.0
    if share > study.cleaning.rejects.stop_above:
        text += " " + _(
            "That is {share} of a table, above the {limit} at which a run stops; the parameters allow it.",
            share=formats.percent(share, 1),
            limit=formats.percent(study.cleaning.rejects.stop_above, 1),
        )
    importance = round(0.3 + 0.6 * min(1.0, share / 0.05), 3)
    return [
        Finding("audit.rejects", CHAPTER, text, float(count), unit="entries", importance=importance, kind="caution",
                figure="audit_rejects")
    ]  # fmt: skip


def masked(study: "Study") -> list[Finding]:
    """That customers cannot be contacted by this file, where the ids of most lines are shown in part."""
    rows, _money = flagged(study.audit, "masked_id")
    if 2 * rows < study.raw_rows:
        return []
    text = _(
        "Ids are shown in part ({share} of lines): nobody on a list of this report can be contacted before the client "
        "has looked up who is meant, and people whose visible signs agree count as one.",
        share=formats.percent(rows / study.raw_rows, 1),
    )
    return [
        Finding("audit.masked", CHAPTER, text, float(rows), unit="lines", importance=0.65, kind="caution",
                figure="audit_flags")
    ]  # fmt: skip
