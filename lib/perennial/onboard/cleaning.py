"""Rules for cleaning that the order lines themselves suggest; each doubtful one is a question."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from perennial.onboard.choose import Chosen
from perennial.onboard.opened import Opened
from perennial.onboard.pseudo import Code, pattern_of, pseudo_codes, quote
from perennial.onboard.questions import Answers, Question
from perennial.onboard.write_yaml import Entry
from perennial.parameters import Source

_MOST_TOTALS = 24  # rows: one a month of two years
_NAMED = 8  # codes that a question names
_PREFIX = r"^[^\d\s]{1,4}"
_GUESTS = (
    "guest", "anonymous", "anonym", "unknown", "none", "null", "n/a", "na", "walk-in", "walkin", "cash", "gast",
    "barverkauf", "laufkunde", "unbekannt", "散客", "游客", "匿名", "未知", "0", "-1", "999999", "9999999", "99999999",
)  # fmt: skip


def propose_cleaning(orders: Chosen, source: Source, named: str | None, answers: Answers) -> list[Entry]:
    """The entries under ``cleaning``.

    Parameters
    ----------
    source : how the order lines will be read.
    named : the header of products' names, where there is one.
    """
    headers = {column: role.header for column, role in orders.reading.roles.items()}
    entries = [
        _duplicates(orders.opened.rows, headers, answers),
        Entry("zero_amounts", "keep", "or drop; free items are orders too"),
    ]
    if "unit_price" in headers:
        entries.append(Entry("negative_prices", "drop", "or keep; write-offs, neither sale nor return"))
    entries.append(_returns(orders.opened, headers))
    if "product_id" in headers:
        entries += _pseudo_products(orders.opened, source, named, answers)
    return [
        *entries,
        *_guests(orders.opened, headers["customer_id"], answers),
        *_totals(orders.opened, headers, answers),
    ]


def _duplicates(seen: ir.Table, headers: Mapping[str, str], answers: Answers) -> Entry:
    """Copies are dropped only where an order number tells a line exported twice from a second order."""
    columns = [name for name in seen.columns if not name.startswith("_")]
    whole = seen.select(_line=ibis.struct({name: seen[name] for name in columns}).hash())
    found = whole.aggregate(rows=whole.count(), kinds=whole._line.nunique()).to_pyarrow().to_pylist()[0]
    copies = int(found["rows"] - found["kinds"])
    key = "cleaning.exact_duplicates"
    if not copies:
        return Entry("exact_duplicates", answers.given(key) or "keep", "no line equals an earlier one")
    told_apart = "order_id" in headers
    why = "the order number is the same too" if told_apart else "without an order number they can be two sales"
    question = Question(
        key,
        f"{copies:,} lines equal an earlier line in every column ({why}). Keep them?",
        {"drop": "each was exported or keyed twice", "keep": "each is a sale of its own"},
        "drop" if told_apart else "keep",
    )
    return Entry("exact_duplicates", answers.ask(question), f"{copies:,} lines")


def _returns(opened: Opened, headers: Mapping[str, str]) -> Entry:
    """Order numbers with a mark in front that only lines below zero have are cancellations."""
    separate = Entry("treat", "separate", "lines below zero lower revenue on their own day; or net, or drop")
    counted = headers.get("quantity", headers.get("amount"))
    if "order_id" not in headers or counted is None:
        return Entry("returns", [separate])
    seen = opened.sample
    number = seen[headers["order_id"]].cast("string").strip()
    below = seen[counted].cast("string").strip().re_search(r"^[-−(]|-$").fill_null(False)
    lines = seen.select(mark=number.re_extract(_PREFIX, 0), below=below)
    marks = lines.group_by("mark").agg(rows=lines.count(), below=lines.below.sum()).to_pyarrow().to_pylist()
    total = sum(row["rows"] for row in marks)
    found = [row for row in marks if row["mark"] and row["rows"] >= 5 and row["below"] >= 0.98 * row["rows"]]
    if not found or sum(row["rows"] for row in found) > 0.5 * total:
        return Entry("returns", [separate])
    prefixes = sorted(quote(row["mark"]) for row in found)
    pattern = f"^{prefixes[0]}" if len(prefixes) == 1 else f"^({'|'.join(prefixes)})"
    rows = sum(row["rows"] for row in found)
    where = Entry("where", {"order_id": pattern}, f"{opened.said(rows)} lines; all but a few are below zero")
    return Entry("returns", [where, separate])


def _pseudo_products(opened: Opened, source: Source, named: str | None, answers: Answers) -> list[Entry]:
    """Codes of no product that bring money are left out; credits stay: without them the sales they undo would stand."""
    key = "cleaning.pseudo_products"
    given = answers.given(key)
    found = pseudo_codes(opened, source, named)
    if not found:
        return [Entry("pseudo_products", {"product_id": given})] if given not in (None, "none") else []
    credits = [code for code in found if code.is_credit]
    fees = [code for code in found if not code.is_credit]
    meant = {"drop": fees, "all": found, "none": []}
    question = Question(key, _fees_and_credits(opened, fees, credits), {
        "drop": "leave out those that bring money: they are no products",
        "all": "leave out the credits too, and with them what they take off the customers' revenue",
        "none": "keep all: they are sales and returns like all others",
    }, "drop")  # fmt: skip
    # besides the three answers any pattern will do
    answer = given if given not in (None, *question.options) else str(answers.ask(question))
    if answer not in meant:
        return [Entry("pseudo_products", {"product_id": answer})]
    if not meant[answer]:
        return []
    said = f"{opened.said(sum(code.lines for code in meant[answer]))} lines"
    if credits and answer == "drop":
        said += f"; {', '.join(code.text for code in credits)} mostly take money back, and count as returns"
    return [Entry("pseudo_products", {"product_id": pattern_of(meant[answer])}, said)]


def _fees_and_credits(opened: Opened, fees: Sequence[Code], credits: Sequence[Code]) -> str:
    def shown(codes: Sequence[Code]) -> str:
        named = [f"{code.text} ({opened.said(code.lines)} lines{_worth(code)})" for code in codes[:_NAMED]]
        return ", ".join(named) + (f" and {len(codes) - _NAMED} more" if len(codes) > _NAMED else "")

    text = "Some codes seem to be no products but postage, fees or corrections, with the money they bring and take: "
    text += shown(fees) if fees else ""
    if credits:
        text += ("; " if fees else "") + f"mostly taking money back, as credits to customers: {shown(credits)}"
    return text + ". Leave them out?"


def _worth(code: Code) -> str:
    """The money a code's lines bring and take, as far as there is any."""
    parts = [f"{sign}{money:,.0f}" for sign, money in (("+", code.plus), ("−", code.minus)) if money >= 1]
    return f", {' and '.join(parts)}" if parts else ""


def _totals(opened: Opened, headers: Mapping[str, str], answers: Answers) -> list[Entry]:
    """A few rows with an amount or a quantity and no day are sums of the others, which have to be let go."""
    counted = headers.get("amount", headers.get("quantity"))
    if counted is None:
        return []
    day, amount = (opened.rows[name].cast("string").strip().nullif("") for name in (headers["ordered_at"], counted))
    rows = int(opened.rows.filter(day.isnull() & amount.notnull()).count().execute())
    if not 0 < rows <= _MOST_TOTALS:
        return []
    are = "row has" if rows == 1 else "rows have"
    question = Question(
        "cleaning.rejects.allow",
        f"{rows} {are} a number in '{counted}' and no day, as totals have. Shall the report go on without what cannot "
        "be read, however much money stands in it?",
        {"true": "yes: they are totals; they are listed in rejects.csv", "false": "no: stop and say so"},
        "false",
    )
    allow = answers.ask(question) == "true"
    return [Entry("rejects", {"allow": allow}, "whether to go on when more than 5 % cannot be read")]


def _guests(opened: Opened, customer: str, answers: Answers) -> list[Entry]:
    """Ids that are words for nobody, where they stand on more lines than one customer's usually do."""
    seen = opened.sample
    ids = seen.select(id=seen[customer].cast("string").strip())
    ids = ids.filter(ids.id.lower().isin([*_GUESTS, *(f"{word}.0" for word in _GUESTS)]))
    found = ids.group_by("id").agg(rows=ids.count()).order_by("id").to_pyarrow().to_pylist()
    if not found:
        return []
    rows = sum(row["rows"] for row in found)
    shown = ", ".join(row["id"] for row in found)
    question = Question(
        "cleaning.guests",
        f"{opened.said(rows)} lines have a customer id that seems to stand for nobody: {shown}. Are they guests?",
        {"drop": "guests: nobody to follow", "none": "real customers"},
        "drop",
    )
    if answers.ask(question) == "none":
        return []
    pattern = "^(" + "|".join(quote(row["id"]) for row in found) + ")$"
    return [Entry("guests", {"customer_id": pattern}, f"{opened.said(rows)} lines")]
