"""Chapter 01 as the client reads it: questions in order of what is at stake, tables that agree with the record."""

import datetime as dt

import pandas as pd
import pytest

from perennial.analysis import reconciliation
from perennial.chapters import audit_questions, data_audit
from perennial.report import blocks
from perennial.report.scorecard import scorecard
from perennial.spreadsheets import write_csv

DAY = dt.date(2024, 1, 1)


def lines(count: int = 400) -> list[tuple[object, ...]]:
    """Six orders each of customers who come one after another, all year."""
    return [(f"c{n // 6}", (DAY + dt.timedelta(days=n % 366)).isoformat(), 5 + n % 4) for n in range(count)]


def study_of(workbook, rows, **parameters):
    workbook.write("acme", rows, **parameters)
    return data_audit.study(workbook.open("acme"))


def test_questions_come_in_the_order_of_what_is_at_stake_and_are_few(workbook):
    rows = [("", *row[1:]) if place % 3 == 0 else row for place, row in enumerate(lines())]
    study = study_of(workbook, [*rows, *rows[1:3]])
    shares = [question.share for question in study.questions]
    assert shares == sorted(shares, reverse=True) and len(shares) <= audit_questions.MOST
    first = study.questions[0]
    assert first.id == "no_customer" and first.rows == 134
    assert "134 order lines (33.3 %)" in first.seen
    assert all(question.ask.endswith("?") and question.why and question.setting for question in study.questions)
    assert "exact_duplicates" in {question.id for question in study.questions}


def test_a_question_names_a_setting_that_exists(workbook):
    """Every key the questions name is one the parameters know (places in angle brackets stand for a table's name)."""
    from perennial.parameters import Cleaning, Parameters, Returns, Source

    rows = [("", *row[1:]) if place % 3 == 0 else row for place, row in enumerate(lines())]
    study = study_of(workbook, [*rows, *rows[1:9], ("c1", "2024-03-03", -500), ("c2", "2025-03-03", 5)])
    known = {*Parameters.model_fields, *(f"cleaning.{name}" for name in Cleaning.model_fields)}
    known |= {f"cleaning.returns.{name}" for name in Returns.model_fields}
    for question in study.questions:
        for key in question.setting.split(", "):
            if key.startswith("sources."):
                assert len(key.split(".")) == 2 or key.split(".")[2] in Source.model_fields, key
            else:
                assert key in known, key


def test_questions_of_a_file_with_nothing_odd_ask_only_what_no_file_says(workbook):
    study = study_of(workbook, lines(366 * 4), horizon_months=6)
    assert {question.id for question in study.questions} <= {"terms", "missing", "exact_duplicates"}


def test_what_could_not_be_read_is_counted_and_exemplified(workbook):
    rows = [(who, "2024-02-30" if place == 7 else day, amount) for place, (who, day, amount) in enumerate(lines())]
    rows[20] = (*rows[20][:2], "abc")
    study = study_of(workbook, rows)
    assert study.reject_reasons["rows"].sum() == len(study.rejects) == 2
    assert sorted(study.rejects["line"]) == [9, 22]  # the header is line 1
    assert len(study.reject_examples) == 2
    (found,) = [finding for finding in study.findings if finding.id == "audit.rejects"]
    assert found.kind == "caution" and "data/rejects.csv" in found.sentence
    assert {"unreadable"} <= {question.id for question in study.questions}
    assert study.scorecard["unreadable_dates"].status in ("amber", "red")
    assert study.nothing_unread == ""


def test_reconciliation_shows_rows_a_rule_applies_to_beside_those_it_removed(workbook):
    """Three equal lines without a customer, and one line entered twice: three copies, two of them gone before."""
    rows = [*lines(), lines()[0], *[("", "2024-05-05", 7)] * 3]
    study = study_of(workbook, rows, cleaning={"exact_duplicates": "drop"})
    table = study.reconciliation.set_index("step")
    removed = table.drop(["raw", "used"])
    assert table.loc["raw", "rows"] + removed["rows"].sum() == table.loc["used", "rows"] == 400
    assert (removed["found"] >= -removed["rows"]).all()
    assert removed["found"].to_dict() == {"no_customer": 3, "exact_duplicate": 3}
    assert removed["rows"].to_dict() == {"no_customer": -3, "exact_duplicate": -1}
    order = study.rules["rule"].tolist()
    assert [step for step in order if step in removed.index] == removed.index.tolist()
    assert study.rules["removed"].sum() == 4


def test_columns_tell_where_they_come_from_and_the_doubtful_stand_first(workbook):
    rows = [(*row, "x" if place % 4 else "") for place, row in enumerate(lines())]
    workbook.write("acme", rows, header=["customer_id", "ordered_at", "amount", "channel"])
    study = data_audit.study(workbook.open("acme"))
    first = study.columns.iloc[0]
    assert (first["column"], first["in_file"]) == ("channel", "channel")
    assert first["given_share"] == pytest.approx(0.75)


def test_the_scorecard_is_told_in_words_and_shapes_beside_its_colours(workbook):
    rows = [("", *row[1:]) if place % 3 == 0 else row for place, row in enumerate(lines())]
    study = study_of(workbook, rows)
    from perennial.chapters.audit_scores import status_names

    shown = scorecard(study.scored, status_names())
    assert shown.count("<tbody>") >= 5 and shown.count("<tr>") >= 22
    for word in ("● Green", "■ Red", "Completeness", "Lines without customer"):
        assert word.split()[-1] in shown
    assert "■</span> Red: settle first" in shown
    assert "nan" not in shown.lower()


def test_client_text_in_a_question_is_no_markup(workbook):
    """A file's name reaches the page through a question's text."""
    rows = [(*row[:2], "abc" if place == 5 else row[2]) for place, row in enumerate(lines())]
    workbook.write_csv("<b>a*b_c*.csv", ["customer_id", "ordered_at", "amount"], rows)
    columns = {name: name for name in ("customer_id", "ordered_at", "amount")}
    study = study_of(workbook, rows, sources={"transactions": {"path": "data/<b>a*b_c*.csv", "columns": columns}})
    (asked,) = [question for question in study.questions if question.id == "unreadable"]
    assert "<b>a*b_c*.csv" in asked.seen
    assert "<b>" not in study.asked_text and "a*b" not in study.asked_text


def test_days_of_the_month_that_always_stand_out_are_named(workbook):
    """Two to four orders on any day, forty more on each 5th and 20th of eleven months."""
    days = [DAY + dt.timedelta(days=n) for n in range(330)]
    rows = [(f"c{n % 150}_{k}", day.isoformat(), 10) for n, day in enumerate(days) for k in range(2 + n % 3)]
    rows += [(f"m{k}", day.isoformat(), 10) for day in days if day.day in (5, 20) for k in range(40)]
    study = study_of(workbook, rows)
    (found,) = [finding for finding in study.findings if finding.id == "audit.spikes"]
    assert "22 of the 22 days that stand out are a 5th or 20th of the month." in found.sentence
    (question,) = [question for question in study.questions if question.id == "spikes"]
    assert "fixed days of the month" in question.ask


def test_a_first_month_above_the_later_ones_is_told_though_not_marked(workbook):
    """Fifty customers in the first month, twenty in each later one: too few to call them known before."""
    rows = [
        (f"c{month}_{n}", (dt.date(2024, month, 1) + dt.timedelta(days=n % 27)).isoformat(), 10)
        for month in range(1, 13)
        for n in range(50 if month == 1 else 20)
    ]
    study = study_of(workbook, rows)
    assert not study.beginning.known
    assert study.captions["audit_new"].title.startswith("The first month brings 2.5 times the new customers")


def test_folders_of_the_maker_are_not_shown(workbook):
    rejects = pd.DataFrame({"file": ["/home/me/in/a.csv", "/home/me/in/more/a.csv"], "line": [1, 2]})
    assert reconciliation.in_short(rejects)["file"].tolist() == ["a.csv", "more/a.csv"]
    assert reconciliation.in_short(rejects[:1])["file"].tolist() == ["a.csv"]
    assert not len(reconciliation.in_short(rejects[:0]))


def test_a_rule_that_is_set_to_keep_says_how_many_lines_it_applies_to(workbook):
    rows = [(*row[:2], 0) if place < 3 else row for place, row in enumerate(lines())]
    rules = study_of(workbook, rows).rules.set_index("rule")
    assert rules.loc["zero_amount", ["found", "removed"]].tolist() == [3, 0]


def test_returns_are_told_of_all_lines_and_of_those_used(workbook):
    """50 of 1,000 sold to customers come back; 400 of 500 sold to nobody known do, on lines that are not used."""
    days = [(dt.date(2024, 1, 1) + dt.timedelta(days=n)).isoformat() for n in range(100)]
    rows = [(f"c{n % 60}", day, 10) for n, day in enumerate(days)]
    rows += [("c1", days[50], -50), *[("", day, 5) for day in days], ("", days[60], -400)]
    study = study_of(workbook, rows)
    found = study.scorecard["returns"]
    assert found.value == pytest.approx(450 / 1500)
    assert found.where == "5.0 % on the lines used"
    (question,) = [question for question in study.questions if question.id == "returns"]
    assert "as they arrived, used or not," in question.seen
    assert question.seen.endswith("30.0 % of what was sold (5.0 % on the lines used).")


def test_rules_that_keep_their_lines_count_them_and_others_say_they_did_not_look(workbook):
    rows = [*lines(), ("c1", "2024-03-03", -5), ("c2", "2024-03-04", -5)]
    study = study_of(workbook, rows)
    rules = study.rules.set_index("rule")
    assert rules.loc["returned", ["found", "removed"]].tolist() == [2, 0]
    unasked = rules.index[rules["found"].isna()].tolist()
    assert unasked == [
        "guest", "staff", "test_order", "pseudo_product", "negative_price", "cancelled_order", "cancelled",
        "below_minimum", "repeated_id",
    ]  # fmt: skip
    shown = blocks.table(study.rules, "audit_rules", study.rule_formats, rows=len(study.rules))
    assert shown.count(">not looked for<") == len(unasked)
    write_csv(study.rules, workbook.root / "rules.csv")
    text = (workbook.root / "rules.csv").read_text(encoding="utf-8")
    assert "cleaning.returns.treat: drop,2,0\n" in text and "cleaning.returns.treat: net,,0\n" in text


def test_rules_that_were_asked_for_and_apply_to_nothing_say_zero(workbook):
    cleaning = {
        "returns": {"treat": "net", "where": {"customer_id": "^x"}}, "guests": {"customer_id": "^guest"},
        "minimum_order": 0.5,
    }  # fmt: skip
    rules = study_of(workbook, lines(), cleaning=cleaning).rules.set_index("rule")
    asked = ["guest", "cancelled_order", "returned", "cancelled", "below_minimum", "zero_amount"]
    assert rules.loc[asked, "found"].tolist() == [0] * 6
    assert rules.loc[["staff", "negative_price"], "found"].isna().all()


def test_the_order_of_the_questions_is_said_beside_them(workbook):
    rows = [("", *row[1:]) if place % 3 == 0 else row for place, row in enumerate(lines())]
    caption = study_of(workbook, rows).captions["audit_questions"]
    assert caption.title.endswith("the largest share at stake first")
    assert "the larger share, of lines or of money, or of an estimate" in caption.subtitle


def test_a_sale_far_from_the_usual_may_have_been_cancelled_later(workbook):
    large = [("c1", "2024-06-03", 90_000), ("c2", "2024-06-03", 70_000), ("c3", "2024-06-03", 60_000)]
    back = [("c1", "2024-06-04", -90_000), ("c3", "2024-06-05", -59_000), ("c4", "2024-06-05", -70_000)]
    study = study_of(workbook, [*lines(), *large, *back])
    (question,) = [question for question in study.questions if question.id == "outliers"]
    assert "3 order lines" in question.seen and "€220 k" in question.seen
    assert question.seen.endswith("1 of them, €90.0 k, is taken back by an equal return and nets out.")
    assert question.ask.startswith("Are the others real sales")
    kept = study_of(workbook, [*lines(), large[1]])
    (question,) = [question for question in kept.questions if question.id == "outliers"]
    assert "taken back" not in question.seen


def test_ids_in_full_among_masked_ones_are_told(workbook):
    """Where nearly all are masked, three in full are a slip; where half are, they are a habit."""
    rows = [(f"*****{n % 90:04}", day, amount) for n, (_who, day, amount) in enumerate(lines())]
    rows = [("1234567890", *row[1:]) if n in (5, 7, 9) else row for n, row in enumerate(rows)]
    study = study_of(workbook, rows)
    flags = study.flags.set_index("mark")["rows"]
    assert flags["unmasked_id"] == 3 and flags["masked_id"] == 397
    (question,) = [question for question in study.questions if question.id == "masked_ids"]
    assert "3 lines show it in full" in question.seen
    (caution,) = [finding for finding in study.findings if finding.id == "audit.masked"]
    assert caution.kind == "caution" and "99.2 % of lines" in caution.sentence
    half = [(f"c{n}", *row[1:]) if n % 2 else row for n, row in enumerate(rows)]
    study = study_of(workbook, half)
    assert "unmasked_id" not in set(study.flags["mark"])


def coded(codes: list[str]) -> list[tuple[object, ...]]:
    """As :func:`lines`, with a product each; every tenth takes its money back."""
    return [
        (*row[:2], -row[2] if place % 10 == 9 else row[2], codes[place % len(codes)])
        for place, row in enumerate(lines(420))
    ]


def test_codes_in_use_without_a_digit_are_asked_about_with_what_they_bring_and_take(workbook):
    rows = coded([f"{n}A" for n in range(20)] + ["M"])
    workbook.write("acme", rows, header=["customer_id", "ordered_at", "amount", "product_id"])
    study = data_audit.study(workbook.open("acme"))
    money = [row[2] for row in rows if row[3] == "M"]
    (code,) = study.odd_codes
    plus, minus = sum(m for m in money if m > 0), -sum(m for m in money if m < 0)
    assert code == ("M", 20, plus, minus) and plus and minus
    (question,) = [question for question in study.questions if question.id == "odd_codes"]
    assert question.rows == 20 and question.setting == "cleaning.pseudo_products"
    assert f"M (€{plus}, −€{minus})" in question.seen and "20 order lines (4.8 %)" in question.seen


def test_codes_without_a_digit_are_not_odd_where_many_have_none(workbook):
    header = ["customer_id", "ordered_at", "amount", "product_id"]
    for codes in (["tea", "coffee"], ["1A", "2A", "3A", "tea"], ["1", "2"]):
        workbook.write("acme", coded(codes), header=header)
        assert data_audit.study(workbook.open("acme")).odd_codes == []
