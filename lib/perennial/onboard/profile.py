"""What each column of an opened table holds: how full it is, how many values, and what they look like."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir

from perennial.tables.clean.personal import looks_personal

SAMPLED_ROWS, SAMPLED_CELLS = 20_000, 1_000_000
FEW = 12  # so few values in a longer file tell nobody from another, whatever their header says
_TIME = r"([ T,]+\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?(\s*(Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_DATE = re.compile(
    rf"(\D{{1,10}}[ ,])?(\d{{4}}[-./年]\d{{1,2}}[-./月]\d{{1,2}}日?|\d{{1,2}}[-./]\d{{1,2}}[-./](\d{{4}}|\d{{2}})"
    rf"|(19|20)\d{{2}}(0[1-9]|1[0-2])([0-2]\d|3[01])"
    rf"|\d{{1,2}}[ .-]+[^\W\d]{{3,9}}\.?[ .,-]+\d{{2,4}}|[^\W\d]{{3,9}}\.? \d{{1,2}},? \d{{4}}){_TIME}"
    r"([ ,(]*[^\W\d]+\)?)?"
)
_NUMBER = re.compile(
    r"\(?[-+−]?\s*([A-Z]{0,3}[$€£¥￥kr]{0,2})?\s*[-+−]?\d[\d .,'’\u00a0\u202f]*(元|[$€£¥%]|[A-Za-z]{2,3})?\)?-?"
)
_FRACTION = re.compile(r"[.,]\d{1,2}\D{0,4}$")


@dataclass(frozen=True)
class Profile:
    """One column. ``distinct`` is approximate; shares are of the filled cells of a sample spread over all rows."""

    name: str
    rows: int
    filled: int
    distinct: int
    sample: Counter[str]
    dates: float
    numbers: float
    fractions: float
    personal: str | None

    @property
    def longest(self) -> int:
        """Characters of the longest sampled value."""
        return max(map(len, self.sample), default=0)

    @property
    def repeats(self) -> float:
        """Filled rows per distinct value; 1 where nothing repeats."""
        return self.filled / self.distinct if self.distinct else 0.0

    @property
    def is_key(self) -> bool:
        """Whether (nearly) every row has a value of its own; counts are approximate by a few per cent."""
        return self.filled >= 0.99 * self.rows and self.distinct >= 0.93 * self.rows

    def looks(self) -> str:
        """A few words on what the column holds, without any of its values."""
        if not self.filled:
            return "empty"
        if self.personal:
            return f"{self.personal}, not read"
        kind = "dates" if self.dates > 0.8 else "numbers" if self.numbers > 0.8 else "text"
        share = f", {self.filled / self.rows:.0%} filled" if self.filled < self.rows else ""
        return f"{kind}, {'a value of its own in each row' if self.is_key else f'{self.distinct:,} values'}{share}"


def profile_columns(rows: ir.Table, sample: ir.Table) -> dict[str, Profile]:
    """Profiles of all columns of a table held by the engine: counts of all rows, looks of a sample of them."""
    names = [name for name in rows.columns if not name.startswith("_")]
    measures: dict[str, ir.Value] = {}
    for n, name in enumerate(names):
        text = rows[name].cast("string")
        measures |= {f"f{n}": text.nullif("").count(), f"d{n}": text.approx_nunique()}
    counts = rows.aggregate(rows=rows.count(), **measures).to_pyarrow().to_pylist()[0]
    size = max(200, min(SAMPLED_ROWS, SAMPLED_CELLS // max(1, len(names))))
    seen = _values(spread(sample, size), names)
    return {
        name: _profile(name, int(counts["rows"]), counts[f"f{n}"], min(counts[f"d{n}"], counts[f"f{n}"]), seen[name])
        for n, name in enumerate(names)
    }


def spread(rows: ir.Table, size: int) -> ir.Table:
    """About so many rows, spread evenly over a table; all of them where it is not much longer."""
    step = int(rows.count().execute()) // size
    return rows if step < 2 else rows.filter(rows.rowid() % step == 0)


def _values(rows: ir.Table, names: Sequence[str]) -> dict[str, Counter[str]]:
    """Values without blanks around them, and how often they stand in the rows."""
    held = rows.select(*[rows[name].cast("string").strip().nullif("").name(name) for name in names]).to_pyarrow()
    return {name: Counter(value for value in held[name].to_pylist() if value is not None) for name in names}


def _profile(name: str, rows: int, filled: int, distinct: int, sample: Counter[str]) -> Profile:
    return Profile(
        name,
        rows,
        int(filled),
        int(distinct),
        sample,
        _share(sample, lambda text: _DATE.fullmatch(text)),
        _share(sample, lambda text: _NUMBER.fullmatch(text)),
        _share(sample, lambda text: _FRACTION.search(text)),
        looks_personal(name if distinct > FEW or rows <= FEW else "", list(sample)[:500]),
    )


def _share(sample: Counter[str], fits: Callable[[str], object]) -> float:
    total = sum(sample.values())
    found = sum(times for text, times in sample.items() if fits(unicodedata.normalize("NFKC", text).strip()))
    return found / total if total else 0.0
