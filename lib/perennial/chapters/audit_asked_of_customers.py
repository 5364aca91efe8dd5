"""Questions about whom the data shows: the largest, a chosen group, ids that stand twice, tables not given."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.audit_measures import ruled
from perennial.chapters import audit_time, audit_unmapped, phrases
from perennial.chapters import audit_words as words
from perennial.chapters.audit_asked import chapter, is_odd
from perennial.chapters.audit_questions import Question
from perennial.language import _, plural

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

_NAMED = 3


def asked(study: "Study") -> list[Question]:
    """Every question about whom the data shows, in no order."""
    made = [_giants, _closed, _ids, _tables]
    return [question for make in made for question in make(study)]


def _giants(study: "Study") -> Iterator[Question]:
    if not is_odd(study, "concentration"):
        return
    found = study.scorecard["concentration"]
    yield Question(
        "giants",
        _("The ten largest of {n} customers bring {share} of revenue ({money}).", n=formats.number(study.customers),
          share=formats.percent(found.value), money=words.money(study, found.money or 0)),
        _("Are they end customers, or resellers and your own branches, which we should treat apart?"),
        _("Apart, the mean customer of {base} and {value} would be worth less, and closer to the usual one.",
          base=chapter("02_customer_base"), value=chapter("05_lifetime_value")),
        "cleaning.staff, sources.customers.columns.segment",
        money=found.money,
        share=(found.value or 0) / 2,
    )  # fmt: skip


def _closed(study: "Study") -> Iterator[Question]:
    if not study.closed:
        return
    yield Question(
        "closed_base",
        _("Nobody orders for the first time after {month}.", month=audit_time.last_new_month(study)),
        _("Is the export a selection of customers? Could you send all orders of the whole period?"),
        _("A selection can only shrink: revenue in {base} falls without the business falling.",
          base=chapter("02_customer_base")),
        "sources.transactions.path",
        share=0.5,
    )  # fmt: skip


def _ids(study: "Study") -> Iterator[Question]:
    rows, _money = ruled(study.audit, "repeated_id", table=None)
    if not rows:
        return
    tables = sorted({rule.table for rule in study.audit.rules if rule.rule == "repeated_id"})
    yield Question(
        "repeated_ids",
        plural("{count} row repeats an id ({tables}); the first of each is kept.",
               "{count} rows repeat an id ({tables}); the first of each is kept.", rows, count=formats.number(rows),
               tables=", ".join(tables)),
        _("Which of them is the valid one?"),
        _("Segments and regions by which {base} splits could be out of date.", base=chapter("02_customer_base")),
        f"sources.{tables[0]}.path",
        rows=rows,
        share=rows / max(1, sum(facts.raw_rows for facts in study.audit.tables)),
    )  # fmt: skip


def _tables(study: "Study") -> Iterator[Question]:
    asked = {name: what for name, what in study.missing.items() if not audit_unmapped.in_files(study, name)}
    named = list(asked.items())[:_NAMED]
    if not named:
        return
    names = phrases.listed([name for name, _what in named])
    more = len(asked) - len(named)
    seen = _("Not given: {names}.", names=names)
    if more:
        seen = _("Not given, among others: {names}.", names=names)
    opened = "; ".join(f"{name}: {what}" for name, what in named)
    yield Question(
        "missing",
        seen,
        _("Is any of it at hand, in whatever form?"),
        _("Each opens a part of the report that stays empty now ({opened}).", opened=opened),
        ", ".join(f"sources.{name}" for name, _what in named),
    )
