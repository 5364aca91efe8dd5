"""Questions about money: returns, prices, amounts unlike the others, currencies, what an amount holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perennial import formats
from perennial.analysis.audit_measures import flagged, ruled
from perennial.analysis.odd_codes import OddCode
from perennial.chapters import audit_words as words
from perennial.chapters import phrases
from perennial.chapters.audit_asked import NOTABLE, chapter, is_odd, lines
from perennial.chapters.audit_questions import Question, stake
from perennial.language import _, plural

if TYPE_CHECKING:
    from perennial.chapters.data_audit import Study


SHOWN_CODES = 3  # in the question


def asked(study: "Study") -> list[Question]:
    """Every question that money gives rise to, in no order."""
    made = [_returns, _prices, _zero, _mismatch, _odd_codes, _outliers, _rates, _terms]
    return [question for make in made for question in make(study)]


def _returns(study: "Study") -> Iterator[Question]:
    rows = max(flagged(study.audit, "return")[0], flagged(study.audit, "cancellation")[0],
               ruled(study.audit, "returned", "cancelled", "negative_amount")[0])  # fmt: skip
    if not is_odd(study, "returns"):
        return
    back = study.scorecard["returns"]
    what = _(" on {lines} as they arrived, used or not,", lines=lines(study, rows, None)) if rows else ""
    used = f" ({back.where})" if back.where else ""
    yield Question(
        "returns",
        _("Returns{what} take back {money}, {share} of what was sold{used}.", what=what, used=used,
          money=words.money(study, back.money or 0), share=formats.percent(back.value, 1)),
        _("Are all of them goods returned, or also corrections and credits? Do they name the order they cancel?"),
        _("Matched to their order they would lower that day's sale; as they are, they lower the day they were booked, "
          "so revenue by month in {base} and the mean order in {value} move.", base=chapter("02_customer_base"),
          value=chapter("05_lifetime_value")),
        "cleaning.returns",
        **stake(study, rows, -(back.money or 0)),
    )  # fmt: skip


def _prices(study: "Study") -> Iterator[Question]:
    rows, money = ruled(study.audit, "negative_price")
    if not is_odd(study, "negative_prices") and stake(study, rows, money)["share"] < NOTABLE:
        return
    yield Question(
        "negative_prices",
        _("With a price below zero, and left out: {lines}.", lines=lines(study, rows, money)),
        _("Are they corrections of the books, such as bad debt?"),
        _("Kept in, they would lower revenue in {base}.", base=chapter("02_customer_base")),
        "cleaning.negative_prices",
        **stake(study, rows, money),
    )


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


def _odd_codes(study: "Study") -> Iterator[Question]:
    found = study.odd_codes
    if not found:
        return
    shown = [_brings_and_takes(study, code) for code in found[:SHOWN_CODES]]
    rows, moved = sum(code.lines for code in found), sum(code.plus + code.minus for code in found)
    yield Question(
        "odd_codes",
        plural("{count} product code in use has no digit, unlike nearly all: {lines}; {shown}.",
               "{count} product codes in use have no digit, unlike nearly all: {lines}; most with {shown}.",
               len(found), count=formats.number(len(found)), lines=lines(study, rows, None),
               shown=phrases.listed(shown)),
        _("Are these goods, or corrections, discounts and fees?"),
        _("They count as sales and returns of goods: {base} and {value} hold them.", base=chapter("02_customer_base"),
          value=chapter("05_lifetime_value")),
        "cleaning.pseudo_products",
        **stake(study, rows, moved),
    )  # fmt: skip


def _brings_and_takes(study: "Study", code: OddCode) -> str:
    parts = [words.money(study, money) for money in (code.plus, -code.minus) if money]
    return f"{code.code} ({', '.join(parts) or words.money(study, 0)})"


def _outliers(study: "Study") -> Iterator[Question]:
    rows, money = flagged(study.audit, "outlier")
    if stake(study, rows, money)["share"] < NOTABLE:
        return
    undone, worth = flagged(study.audit, "undone_outlier")
    seen = _("Far from the usual amount, and not left out for it: {lines}, of all that arrived.",
             lines=lines(study, rows, money))  # fmt: skip
    if undone:
        seen += " " + plural(
            "{count} of them, {money}, is taken back by an equal return and nets out.",
            "{count} of them, {money}, are taken back by equal returns and net out.",
            undone, count=formats.number(undone), money=words.money(study, worth),
        )  # fmt: skip
    yield Question(
        "outliers",
        seen,
        _("Are the others real sales, and to whom?") if undone else _("Are the largest of them real sales, to whom?"),
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
    ask = _("Is that the currency, and are they before or after tax, discount and freight?")
    setting = "currency, sources.transactions.columns.amount"
    if "margin" not in study.audit.rows("transactions").filled:
        ask += " " + _("What is your gross margin, if possible by product group (we assume {share})?",
                       share=formats.percent(study.gross_margin))  # fmt: skip
        why += " " + _("{value} grows in proportion to the margin.", value=chapter("05_lifetime_value"))
        setting += ", gross_margin"
    yield Question("terms", seen, ask, why, setting)
