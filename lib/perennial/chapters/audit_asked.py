"""Questions about lines, amounts and ids: what was left out, what is marked, what cannot be one person."""

from collections.abc import Iterator
from pathlib import PurePosixPath
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
_NOTABLE = 0.001  # of lines or money: a smaller rest is not worth a question of its own


def asked(study: "Study") -> list[Question]:
    """Every question the lines give rise to, in no order."""
    made = [_no_customer, _unreadable, _duplicates, _returns, _patterns, _shared_ids, _masked_ids, _prices, _zero,
            _mismatch, _outliers, _rates, _terms]  # fmt: skip
    return [question for make in made for question in make(study)]


def chapter(stem: str) -> str:
    """A chapter's title in quotation marks."""
    return f"“{_(CHAPTERS[stem])}”"


def lines(study: "Study", rows: int, money: float | None) -> str:
    """``1,234 order lines (2.1 %), worth £5.60 k``."""
    text = plural("{count} order line", "{count} order lines", rows, count=formats.number(rows))
    text += f" ({formats.percent(rows / study.raw_rows, 1)})"
    return text + (_(", worth {money}", money=words.money(study, money)) if money else "")


def is_odd(study: "Study", *names: str) -> bool:
    """Whether any of some criteria is amber or red."""
    return any(study.scorecard[name].status in ("amber", "red") for name in names)


def _no_customer(study: "Study") -> Iterator[Question]:
    rows, money = ruled(study.audit, "no_customer")
    if rows < _NOTABLE * study.raw_rows and not is_odd(study, "no_customer_money"):
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
    first = study.rejects.iloc[0]
    yield Question(
        "unreadable",
        _(
            "{count} entries could not be read, most often: {reason} ({most}; the first in {file}, line {line}).",
            count=formats.number(rows), reason=worst["reason"], most=formats.number(worst["rows"]),
            file=PurePosixPath(first["file"]).name, line=formats.number(first["line"]),
        ),
        _("The list is attached (rejects.csv): could you tell us what was meant, or send these lines again?"),
        _("What cannot be read is in no figure: revenue and orders in {base} are too low by it.",
          base=chapter("02_customer_base")),
        "sources.<table>.columns.<column>.format",
        **stake(study, rows, sum(facts.rejected_money or 0 for facts in study.audit.tables)),
    )  # fmt: skip


def _duplicates(study: "Study") -> Iterator[Question]:
    rows, money = max(ruled(study.audit, "exact_duplicate"), flagged(study.audit, "exact_duplicate"))
    if stake(study, rows, money)["share"] < _NOTABLE:
        return
    dropped = bool(ruled(study.audit, "exact_duplicate")[0])
    yield Question(
        "exact_duplicates",
        _("Equal to an earlier line in every column, and at present {done}: {lines}.",
          lines=lines(study, rows, money), done=_("left out") if dropped else _("kept")),
        _("Is it the same item sold again, or the same line exported twice?"),
        _("If exported twice, revenue in {base} and lifetime value are too high by them; if sold again and left out, "
          "too low.", base=chapter("02_customer_base")),
        "cleaning.exact_duplicates",
        **stake(study, rows, money),
    )  # fmt: skip


def _returns(study: "Study") -> Iterator[Question]:
    rows = max(flagged(study.audit, "return")[0], flagged(study.audit, "cancellation")[0],
               ruled(study.audit, "returned", "cancelled", "negative_amount")[0])  # fmt: skip
    if not is_odd(study, "returns"):
        return
    back = study.scorecard["returns"]
    what = _(" on {lines}", lines=lines(study, rows, None)) if rows else ""
    yield Question(
        "returns",
        _("Returns{what} take back {money}, {share} of what was sold.", what=what,
          money=words.money(study, back.money or 0), share=formats.percent(back.value, 1)),
        _("Are all of them goods returned, or also corrections and credits? Do they name the order they cancel?"),
        _("Matched to their order they would lower that day's sale; as they are, they lower the day they were booked, "
          "so revenue by month in {base} and the mean order in {value} move.", base=chapter("02_customer_base"),
          value=chapter("05_lifetime_value")),
        "cleaning.returns",
        **stake(study, rows, -(back.money or 0)),
    )  # fmt: skip


def _patterns(study: "Study") -> Iterator[Question]:
    found = {name: ruled(study.audit, name) for name in _BY_PATTERN}
    named = [f"{words.rule_name(name).lower()} ({formats.number(rows)})" for name, (rows, _m) in found.items() if rows]
    if not named:
        return
    rows, money = sum(rows for rows, _m in found.values()), sum(money for _r, money in found.values())
    yield Question(
        "left_out",
        _("Left out on purpose, as {names}: {lines}.", lines=lines(study, rows, money), names=phrases.listed(named)),
        _("Is that right, and are there further ones we should know of?"),
        _("Kept in, they would raise orders and revenue in every chapter without a customer's decision behind them."),
        ", ".join(f"cleaning.{_KEYS[name]}" for name, (count, _m) in found.items() if count),
        **stake(study, rows, money),
    )  # fmt: skip


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
        _("Is one card or account used for many people there (a till's own card, an institution, a placeholder)?"),
        _("Many people under one id look like one loyal customer: {stay} and {value} are too high for it, and the "
          "number of customers in {base} is too low.", stay=chapter("03_cohort_retention"),
          value=chapter("05_lifetime_value"), base=chapter("02_customer_base")),
        "sources.transactions.columns.customer_id, cleaning.guests",
        **stake(study, rows, money),
    )  # fmt: skip


def _masked_ids(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "masked_id")
    if not rows:
        return
    yield Question(
        "masked_ids",
        _("On {lines} the customer's number is masked.", lines=lines(study, rows, money)),
        _("Could you send a replaced number for each, such as a keyed digest, instead of a masked one?"),
        _("People whose masked numbers are equal count as one: {base} has too few customers, and {stay} is too high.",
          base=chapter("02_customer_base"), stay=chapter("03_cohort_retention")),
        "sources.transactions.columns.customer_id, pseudonymise",
        **stake(study, rows, money),
    )  # fmt: skip


def _prices(study: "Study") -> Iterator[Question]:
    rows, money = ruled(study.audit, "negative_price")
    if not rows:
        return
    yield Question(
        "negative_prices",
        _("With a price below zero: {lines}.", lines=lines(study, rows, money)),
        _("Are they corrections of the books, such as bad debt?"),
        _("They are left out; kept in, they would lower revenue in {base}.", base=chapter("02_customer_base")),
        "cleaning.negative_prices",
        **stake(study, rows, money),
    )  # fmt: skip


def _zero(study: "Study") -> Iterator[Question]:
    if not is_odd(study, "zero_amounts"):
        return
    rows = study.scorecard["zero_amounts"].rows or 0
    yield Question(
        "zero_amounts",
        _("Worth nothing: {lines}.", lines=lines(study, rows, None)),
        _("Are they gifts, samples, or items whose price is missing?"),
        _("As orders they raise the repeat rate in {stay} and lower the mean order in {value}.",
          stay=chapter("03_cohort_retention"), value=chapter("05_lifetime_value")),
        "cleaning.zero_amounts",
        **stake(study, rows, None),
    )  # fmt: skip


def _mismatch(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "price_mismatch")
    if not is_odd(study, "price_mismatch"):
        return
    yield Question(
        "price_mismatch",
        _("On {lines} the amount is not quantity times price.", lines=lines(study, rows, money)),
        _("Is a discount, tax or freight in one of them?"),
        _("The amount is used as given: if it holds tax, every sum of money in the report is too high by that tax."),
        "sources.transactions.columns.amount",
        **stake(study, rows, money),
    )  # fmt: skip


def _outliers(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "outlier")
    if stake(study, rows, money)["share"] < _NOTABLE:
        return
    yield Question(
        "outliers",
        _("Far from the usual amount, and kept: {lines}.", lines=lines(study, rows, money)),
        _("Are the largest of them real sales, and to whom?"),
        _("If they are errors, the mean order and {value} are too high.", value=chapter("05_lifetime_value")),
        "cleaning.outliers",
        **stake(study, rows, money),
    )  # fmt: skip


def _rates(study: "Study") -> Iterator[Question]:
    rows, _money = ruled(study.audit, "no_rate")
    if not rows:
        return
    yield Question(
        "rates",
        _("In a currency for which we have no rate: {lines}.", lines=lines(study, rows, None)),
        _("Which rates do you use in your own books?"),
        _("They are left out: revenue in {base} is too low by them.", base=chapter("02_customer_base")),
        "cleaning.rates",
        **stake(study, rows, None),
    )  # fmt: skip


def _terms(study: "Study") -> Iterator[Question]:
    why = _("Every sum of money in the report holds whatever tax and freight the amounts hold.")
    seen = _("Amounts are read as {currency}, as they stand.", currency=study.currency)
    ask = _("Are they before or after tax, discount and freight?")
    setting = "sources.transactions.columns.amount"
    if "margin" not in study.audit.rows("transactions").filled:
        seen += " " + _("A gross margin of {share} is assumed.", share=formats.percent(study.gross_margin))
        ask += " " + _("What is your gross margin, if possible by product group?")
        why += " " + _("{value} grows in proportion to the margin.", value=chapter("05_lifetime_value"))
        setting += ", gross_margin"
    yield Question("terms", seen, ask, why, setting)
