"""Questions about lines and ids: what was left out, what could not be read, what cannot be one person."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.audit_measures import flagged, ruled
from perennial.chapters import audit_words as words
from perennial.chapters import phrases
from perennial.chapters.audit_questions import Question, stake
from perennial.language import _, plural
from perennial.schema import CHAPTERS

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study

_BY_PATTERN = ("guest", "staff", "test_order", "pseudo_product", "below_minimum")
NOTABLE = 0.001  # of lines or money: a smaller rest is not worth a question of its own


def asked(study: "Study") -> list[Question]:
    """Every question that lines and ids give rise to, in no order."""
    made = [_no_customer, _unreadable, _duplicates, _patterns, _shared_ids, _masked_ids]
    return [question for make in made for question in make(study)]


def chapter(stem: str) -> str:
    """A chapter's title in quotation marks."""
    return f"“{_(CHAPTERS[stem])}”"


def lines(study: "Study", rows: int, money: float | None) -> str:
    """``1,234 order lines (2.1 %), worth £5.60 k``."""
    text = plural("{count} order line", "{count} order lines", rows, count=formats.number(rows))
    text += f" ({formats.percent(rows / study.raw_rows, 1)})"
    return text + (_(", worth {money}", money=words.money(study, money)) if money else "")


def left_out(study: "Study", *names: str) -> tuple[int, float, int]:
    """Lines that rules removed, the money on them, and further lines of the kind that other rules took before."""
    rules = [rule for rule in study.audit.rules_of("transactions") if rule.rule in names]
    rows = sum(rule.rows for rule in rules)
    return rows, sum(rule.money or 0 for rule in rules), sum(max(rule.found, rule.rows) for rule in rules) - rows


def also_gone(more: int) -> str:
    """A sentence on further lines of the kind, empty where there are none."""
    if not more:
        return ""
    one, many = (
        "{count} more of the kind is left out for another reason.",
        ("{count} more of the kind are left out for other reasons."),
    )
    return " " + plural(one, many, more, count=formats.number(more))


def is_odd(study: "Study", *names: str) -> bool:
    """Whether any of some criteria is amber or red."""
    return any(study.scorecard[name].status in ("amber", "red") for name in names)


def _no_customer(study: "Study") -> Iterator[Question]:
    rows, money = ruled(study.audit, "no_customer")
    if rows < NOTABLE * study.raw_rows and not is_odd(study, "no_customer_money"):
        return
    yield Question(
        "no_customer",
        _("Without a customer: {lines}.", lines=lines(study, rows, money)),
        _("What are they (till sales, a marketplace, guests)? Could you send the customer's number where known?"),
        _(
            "They are left out of every chapter. With them {base} would show more revenue, and {stay} more repeat "
            "purchases if they belong to customers already known.",
            base=chapter("02_customer_base"), stay=chapter("03_cohort_retention"),
        ),
        "sources.transactions.columns.customer_id, cleaning.guests",
        **stake(study, rows, money),
    )  # fmt: skip


def _unreadable(study: "Study") -> Iterator[Question]:
    if not len(study.reject_reasons):
        return
    rows = int(study.reject_reasons["rows"].sum())
    worst = study.reject_reasons.iloc[0]
    where = _("in {file}, line {line}", file=worst["first_file"], line=formats.number(worst["first_line"]))
    yield Question(
        "unreadable",
        plural(
            "{count} entry could not be used as it stands: {reason} ({where}).",
            "{count} entries could not be used as they stand; most often: {reason} ({most}; the first {where}).",
            rows, count=formats.number(rows), reason=worst["reason"], most=formats.number(worst["rows"]), where=where,
        ),
        _("The list is attached (rejects.csv): could you tell us what was meant, or send these lines again?"),
        _("What cannot be read is in no figure: revenue and orders in {base} are too low by it.",
          base=chapter("02_customer_base")),
        _place_of(study, str(worst["table"]), worst["column"]),
        **stake(study, rows, sum(facts.rejected_money or 0 for facts in study.audit.tables)),
    )  # fmt: skip


def _place_of(study: "Study", table: str, source: str | None) -> str:
    """The parameters under which a column is read."""
    found = [c.column for c in study.audit.columns if (c.table, c.source) == (table, source)]
    return f"sources.{table}.columns.{found[0]}.format" if found else f"sources.{table}"


def _duplicates(study: "Study") -> Iterator[Question]:
    rows, money, more = left_out(study, "exact_duplicate")
    kept, worth = flagged(study.audit, "exact_duplicate")
    if stake(study, max(rows, kept), max(money, worth, key=abs))["share"] < NOTABLE:
        return
    if rows:
        seen = _("Left out, because they equal an earlier line in every column: {lines}.",
                 lines=lines(study, rows, money)) + also_gone(more)  # fmt: skip
        why = _("If they are sales of their own, revenue in {base} and lifetime value are too low by them.",
                base=chapter("02_customer_base"))  # fmt: skip
    else:
        rows, money = kept, worth
        seen = _("Equal to an earlier line in every column, and kept: {lines}.", lines=lines(study, rows, money))
        why = _("If exported twice, revenue in {base} and lifetime value are too high by them.",
                base=chapter("02_customer_base"))  # fmt: skip
    ask = _("Is it the same item sold again, or the same line exported twice?")
    yield Question("exact_duplicates", seen, ask, why, "cleaning.exact_duplicates", **stake(study, rows, money))


def _patterns(study: "Study") -> Iterator[Question]:
    found = {name: left_out(study, name) for name in _BY_PATTERN}
    there = [name for name, (count, _money, _more) in found.items() if count]
    if not there:
        return
    rows, money, more = left_out(study, *there)
    below = sum(rule.below for rule in study.audit.rules_of("transactions") if rule.rule in there)
    named = [words.rule_name(name).lower() for name in there]
    if len(there) > 1:
        named = [f"{name} ({formats.number(found[rule][0])})" for name, rule in zip(named, there, strict=True)]
    yield Question(
        "left_out",
        _("Left out on purpose, as {names}: {lines}.", lines=lines(study, rows, money), names=phrases.listed(named))
        + also_gone(more),
        _("Is that right, and are there further ones we should know of?"),
        _both_ways(study, money - below, below),
        ", ".join(f"cleaning.{_KEYS[name]}" for name in there),
        **stake(study, rows, money),
    )


def _both_ways(study: "Study", sold: float, back: float) -> str:
    """What lines left out would do to revenue, sales and what was taken back apart."""
    if not back:
        return _("Kept in, they would add {sold} of sales to every chapter without a customer's decision behind them.",
                 sold=words.money(study, sold))  # fmt: skip
    return _("Kept in, they would add {sold} of sales and {back} of returns to every chapter without a customer's "
             "decision behind them.", sold=words.money(study, sold), back=words.money(study, -back))  # fmt: skip


_KEYS = {
    "guest": "guests",
    "staff": "staff",
    "test_order": "test_orders",
    "pseudo_product": "pseudo_products",
    "below_minimum": "minimum_order",
}


def _shared_ids(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "colliding_id")
    if not rows:
        return
    ids = sum(flag.customers for flag in study.audit.flags if flag.what == "colliding_id")
    yield Question(
        "shared_ids",
        plural("{count} customer id seems to stand for several people: {lines}.",
               "{count} customer ids seem to stand for several people: {lines}.", ids,
               count=formats.number(ids), lines=lines(study, rows, money)),
        _("Are these one person each, or is a card or account used for many (a till's own card, an institution, a "
          "number of which too little is shown)?"),
        _("Many people under one id look like one loyal customer: {stay} and {value} are too high, and the number of "
          "customers in {base} is too low.", stay=chapter("03_cohort_retention"),
          value=chapter("05_lifetime_value"), base=chapter("02_customer_base")),
        "sources.transactions.columns.customer_id, cleaning.guests",
        **stake(study, rows, money),
    )  # fmt: skip


def _masked_ids(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "masked_id")
    if not rows:
        return
    full, _money = flagged(study.audit, "unmasked_id")
    seen = _("Part of the customer's number is hidden on {lines}.", lines=lines(study, rows, money))
    if full:
        one = "{count} line shows it in full, which was hardly meant, and counts as another customer's."
        many = "{count} lines show it in full, which was hardly meant, and count as other customers'."
        seen += " " + plural(one, many, full, count=formats.number(full))
    yield Question(
        "masked_ids",
        seen,
        _("Could you put a code of your own in place of each customer's number, always the same for the same customer, "
          "instead of hiding part of it?"),
        _("People whose masked numbers are equal count as one: {base} has too few customers, and {stay} is too high.",
          base=chapter("02_customer_base"), stay=chapter("03_cohort_retention")),
        "sources.transactions.columns.customer_id, pseudonymise",
        **stake(study, rows, money),
    )  # fmt: skip
