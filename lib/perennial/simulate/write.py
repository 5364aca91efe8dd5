"""The simulation as CSV files: fixed formats and line ends, so that the same seed gives the same bytes."""

import csv
import io
import json
from pathlib import Path

import pandas as pd

from perennial.simulate import Simulation

MONEY = {
    "amount", "margin", "discount", "wallet", "cost", "value", "price_per_month", "revenue", "profit", "overdue_amount",
    "spend_next_year", "yearly_spend", "headroom",
}  # fmt: skip
PLAIN = {("interactions", "value"), ("leads", "value")}  # counts and round sums: no decimals


def write_simulation(simulation: Simulation, folder: Path) -> list[Path]:
    """Write every table to ``folder`` and the truth to ``folder/truth``; returns the files written."""
    written = []
    for frames, where in [(simulation.tables, folder), (simulation.truth, folder / "truth")]:
        where.mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            written.append(where / f"{name}.csv")
            written[-1].write_bytes(to_csv(name, frame).encode("utf-8"))
    written.append(folder / "truth" / "truth.json")
    text = json.dumps(simulation.parameters, indent=1, ensure_ascii=False) + "\n"
    written[-1].write_bytes(text.encode("utf-8"))
    return written


def to_csv(name: str, frame: pd.DataFrame) -> str:
    """One table as text: money with 2 decimals, ISO dates and times, true/false, blanks for what is missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*[_format_column(name, c, frame[c]) for c in frame.columns], strict=True))
    return out.getvalue()


def _format_column(table: str, column: str, values: pd.Series) -> list[str]:
    known = values.notna()
    if values.dtype.kind == "M":
        style = "%Y-%m-%d" if column in DATES else "%Y-%m-%dT%H:%M:%S"
        text = values.dt.strftime(style)
    elif values.dtype.kind == "f":
        spec = ".0f" if (table, column) in PLAIN else ".2f" if column in MONEY else ".6g"
        text = values.map(lambda v: format(v, spec))
    elif values.dtype.kind == "b":
        text = values.map({True: "true", False: "false"})
    else:
        text = values.astype(str)
    return text.where(known, "").tolist()


DATES = {"acquired_at", "started_at", "ended_at", "renews_at", "period_start"}
