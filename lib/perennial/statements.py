"""What a chapter says: findings, key figures, captions. Plain values, made by chapters, shown by the report."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["finding", "caution", "action"]


@dataclass(frozen=True)
class Finding:
    """One sentence of the report with the number it rests on.

    Attributes
    ----------
    id : stable name, ``<topic>.<what>``, e.g. ``"base.top_decile_share"``.
    chapter : the notebook's stem, e.g. ``"02_customer_base"``.
    sentence : the finding in words, Markdown without headings, client text already escaped.
    value, low, high : the number behind it and its interval where it is estimated; None where there is none.
    unit : ``"share"``, ``"customers"``, ``"days"``, a currency code, …
    importance : 0 to 1; the summary ranks by it.
    kind : ``"finding"``, ``"caution"`` (what the data cannot say) or ``"action"`` (what to do).
    figure : name of the chart or table it refers to, for the link.
    doubt : a word that stands beside the value wherever it is shown, ``"provisional"``; mostly empty.
    """

    id: str
    chapter: str
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    importance: float = 0.5
    kind: Kind = "finding"
    figure: str = ""
    doubt: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As written to ``findings.json``."""
        return asdict(self)


@dataclass(frozen=True)
class KeyFigure:
    """One number on the first screen: already formatted, with what it means under it."""

    label: str
    value: str
    note: str = ""  # change against the previous period, interval, or n
    definition: str = ""


@dataclass(frozen=True)
class Caption:
    """The words around a chart or table.

    Attributes
    ----------
    title : the finding in at most 15 words, made from the data.
    subtitle : measure, unit, population, period.
    source : source, as-of date, n, what was left out.
    reading : one or two sentences on how to read it, or the doubt; may be empty.
    """

    title: str
    subtitle: str = ""
    source: str = ""
    reading: str = ""

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it."""
        return f"{self.title} ({self.subtitle})" if self.subtitle else self.title


@dataclass(frozen=True)
class Exhibit:
    """A chart or table with its words.

    Attributes
    ----------
    frame : the numbers; what a chart shows, kept as ``data/<name>.csv``.
    caption : the words around it.
    formats, labels : how the table's cells and headings are written, by column.
    """

    frame: "pd.DataFrame"
    caption: Caption
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A section of a chapter.

    Attributes
    ----------
    exhibits : charts and tables by name; one that could not be made is in ``absent`` instead, with the reason.
    absent : by name, why a chart or table is not shown, in a sentence.
    says : what the section says in its own place, a paragraph each.
    findings : what of it belongs in the chapter's bottom line: little, and the most important first.
    """

    exhibits: Mapping[str, Exhibit] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
