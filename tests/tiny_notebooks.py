"""Notebooks and a client of a few lines, made in code, for tests that break them on purpose."""

import csv
import datetime as dt
import random
from pathlib import Path

import nbformat
from nbformat import v4

PARAMETERS = 'client = "tiny"\noutput = ""'
OPEN = """
import os, time
import pandas as pd
from perennial.charts import theme
from perennial.report.page import open_page
from perennial.statements import Caption, Finding, KeyFigure
page = open_page({stem!r}, client, output)
"""
CHAPTER = """
frame = pd.DataFrame({{"month": ["2020-01", "2020-02"], "revenue": [1.5, 2.5]}})
frame["said"] = ["<script>alert(1)</script>", "=1+1"]
axes = theme.new_axes()
axes.bar([0, 1], frame.revenue)
page.figure(axes, Caption("Revenue <script>alert(2)</script> grew", "EUR by month", "Source"), frame, name="fig_{stem}")
page.bottom_line([Finding("{stem}.a", {stem!r}, "Revenue grew to €2.50.", 2.5, unit="EUR", figure="fig_{stem}")])
page.facts(revenue={revenue}, customers=3)
"""
SUMMARY = """
page.key_figures([KeyFigure("Revenue", "€2.50"), KeyFigure("Customers", "3")])
page.bottom_line(page.findings())
"""


def write_notebook(path: Path, *cells: str, title: str = "Tiny", parameters: str = PARAMETERS) -> Path:
    """A notebook with a title, a parameters cell and code cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    book.cells = [v4.new_markdown_cell(f"# {title}"), v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    book.cells += [v4.new_code_cell(cell) for cell in cells]
    nbformat.write(book, str(path))
    return path


def write_chapter(root: Path, stem: str, *cells: str, title: str, revenue: str = "4.0") -> Path:
    """A chapter of the tiny client: opens its page, shows one chart, then runs the cells given."""
    shown = SUMMARY if stem == "00_summary" else CHAPTER.format(stem=stem, revenue=revenue)
    return write_notebook(root / "notebooks" / f"{stem}.ipynb", OPEN.format(stem=stem), shown, *cells, title=title)


def write_client(root: Path, chapters: list[str]) -> Path:
    """A project folder with one client, ``tiny``: 150 customers, about 500 orders in two years."""
    for folder in ("parameters", "data", "notebooks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with (root / "data" / "tiny.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "day", "amount"])
        writer.writerows(_orders())
    lines = [
        "title: Tiny <b>& Co</b>",
        "currency: EUR",
        "as_of: 2021-12-31",
        "sources:",
        "  transactions:",
        "    path: data/tiny.csv",
        "    columns: {customer_id: customer, ordered_at: day, amount: amount}",
        f"chapters: [{', '.join(chapters)}]",
    ]
    (root / "parameters" / "tiny.yaml").write_text("\n".join(lines), encoding="utf-8")
    return root


def _orders() -> list[tuple[str, str, str]]:
    chance, start, end = random.Random(1), dt.date(2020, 1, 1), dt.date(2021, 12, 31)
    rows = []
    for customer in range(150):
        day = start + dt.timedelta(days=chance.randrange(365))
        gap, mean = chance.gammavariate(2, 60), chance.gammavariate(6, 6)
        while day <= end:
            rows.append((f"=c{customer:03d}", day.isoformat(), f"{max(1, chance.gauss(mean, 5)):.2f}"))
            if chance.random() < 0.2:
                break
            day += dt.timedelta(days=1 + int(chance.expovariate(1 / gap)))
    return rows
