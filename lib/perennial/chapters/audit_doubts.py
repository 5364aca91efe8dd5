"""What chapter 01 finds in the record of the preparation: what could not be read."""

from typing import TYPE_CHECKING

from perennial import formats
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
