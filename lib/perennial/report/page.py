"""What a notebook writes on: figures, tables, findings and sentences, shown and (in a run) kept as files."""

import re
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from perennial.charts import theme
from perennial.errors import ParameterError
from perennial.language import _, set_language
from perennial.parameter_file import CLIENT_NAME
from perennial.report import blocks
from perennial.report.blocks import Formatter
from perennial.report.findings import read_findings, write_facts, write_findings, write_json, write_table
from perennial.statements import Caption, Finding, KeyFigure, Part

_PART_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


def open_page(chapter: str, client: str, output: str = "") -> "Page":
    """Open a client for a chapter's notebook and set the look and language of what follows.

    Parameters
    ----------
    chapter : the notebook's stem, ``"02_customer_base"``.
    client : name of a parameter file, ``"demo"`` for ``parameters/demo.yaml``.
    output : folder in which a run collects the chapter's files; empty: nothing is written.

    Raises
    ------
    ParameterError : a notebook parameter cannot be used, or there is no such client.
    """
    check_notebook_parameters(client, output)
    from perennial.client import open_client

    opened = open_client(client)
    set_language(opened.parameters.language)
    theme.set_theme()
    page = Page(chapter, opened, Path(output) if output else None)
    page._show(blocks.NOTEBOOK_STYLE, "", "style")
    return page


def check_notebook_parameters(client: Any, output: Any) -> None:
    """Raise one clear message for everything wrong with a notebook's parameters."""
    problems = []
    if not isinstance(client, str) or not CLIENT_NAME.fullmatch(client):
        problems.append(f"client: expected a name of small letters, digits, - and _, such as demo; got {client!r}")
    if not isinstance(output, str):
        problems.append(f'output: expected a folder as text, or "" to write nothing; got {output!r}')
    if problems:
        raise ParameterError("The notebook's parameters cannot be used:", problems)


class Page:
    """A chapter's page: ``page.client`` is the opened client, the rest shows and keeps things."""

    def __init__(self, chapter: str, client: Any, output: Path | None = None):
        self.chapter = chapter
        self.client = client
        self.output = output
        self._reasons: set[str] = set()  # given on this page for what is not shown

    def figure(
        self,
        chart: Axes | Figure | Iterable[Axes],
        caption: Caption,
        frame: pd.DataFrame,
        *,
        name: str,
        formats: Mapping[str, Formatter] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Show a chart under its finding, its table folded beneath and kept as ``data/<name>.csv``."""
        figure = _figure_of(chart)
        self._show(blocks.head(caption), _lines(caption.title, caption.subtitle), "figure-head", _named(name))
        self._show_picture(figure, caption.alt)
        self._keep(frame, name)
        folded = blocks.folded(blocks.table(frame, name, formats, labels), name)
        self._show(blocks.foot(caption) + folded, caption.source, "figure-foot", name)

    def table(
        self,
        frame: pd.DataFrame,
        caption: Caption | str,
        name: str,
        *,
        formats: Mapping[str, Formatter] | None = None,
        labels: Mapping[str, str] | None = None,
        rows: int = blocks.SHOWN_ROWS,
    ) -> None:
        """Show the first rows of a table under its finding; keep all of it as ``data/<name>.csv``."""
        caption = Caption(caption) if isinstance(caption, str) else caption
        self._keep(frame, _named(name))
        shown = blocks.head(caption) + blocks.table(frame, name, formats, labels, rows) + blocks.foot(caption)
        self._show(shown, _lines(caption.title, caption.subtitle, caption.source), "table", name)

    def exhibit(
        self, part: Part, name: str, draw: Callable[..., Axes | Figure] | None = None, rows: int = 0, **options: Any
    ) -> None:
        """Show a part's chart (``draw`` makes it from the frame) or table by name, or say once why it is not there.

        Parameters
        ----------
        rows : of a table, how many are shown; 0: as many as of any table.
        options : go to ``draw``.
        """
        if name not in part.exhibits:
            reason = part.absent[name]
            self.say("" if reason in self._reasons else reason)
            self._reasons.add(reason)
            return
        shown = part.exhibits[name]
        look: dict[str, Any] = {"formats": shown.formats, "labels": shown.labels}
        if draw is None:
            self.table(shown.frame, shown.caption, name, **look, rows=rows or blocks.SHOWN_ROWS)
        else:
            self.figure(draw(shown.frame, **options), shown.caption, shown.frame, name=name, **look)

    def listing(self, frame: pd.DataFrame, text: str, caption: Caption, name: str) -> None:
        """Show the rows of a table as sentences (Markdown, client text escaped); keep it as ``data/<name>.csv``."""
        self._keep(frame, _named(name))
        shown = blocks.head(caption) + f'<div class="listing">{blocks.markdown(text)}</div>' + blocks.foot(caption)
        self._show(shown, _lines(caption.title, text), "table", name)

    def scorecard(self, frame: pd.DataFrame, names: Mapping[str, str], caption: Caption, name: str) -> None:
        """Show criteria under their dimensions with colours in words; keep them as ``data/<name>.csv``."""
        from perennial.report.scorecard import scorecard

        self._keep(frame, _named(name))
        shown = blocks.head(caption) + scorecard(frame, names) + blocks.foot(caption)
        said = [f"{row.criterion}: {row.measured} ({names[row.status]})" for row in frame.itertuples()]
        self._show(shown, _lines(caption.title, *said), "table", name)

    def bottom_line(self, findings: Iterable[Finding], most: int = 99) -> None:
        """Show findings, what to do and what the data cannot say, of each at most so many; keep this chapter's own."""
        findings = list(findings)
        text = _bottom_line(findings, self.chapter, most)
        shown = f'<div class="bottom-line">{blocks.markdown(text)}</div>'
        self._show(shown, blocks.plain(text), "bottom-line")
        if self.output:
            own = [finding for finding in findings if finding.chapter == self.chapter]
            write_findings(own, self.output / "findings" / f"{self.chapter}.json")

    def key_figures(self, figures: Iterable[KeyFigure]) -> None:
        """Show numbers of the first screen: value, label, change or interval."""
        figures = list(figures)
        lines = [f"{f.label}: {f.value}" + (f" ({f.note})" if f.note else "") for f in figures]
        self._show(blocks.key_figures(figures), blocks.plain("\n".join(lines)), "key-figures")
        if self.output:
            write_json([vars(f) for f in figures], self.output / "key_figures" / f"{self.chapter}.json")

    def say(self, text: str) -> None:
        """Show a generated paragraph (Markdown; client text in it already escaped)."""
        if text:
            self._show(blocks.markdown(text), blocks.plain(text), "say")

    def says(self, part: Part) -> None:
        """Show what a section says in its own place."""
        for text in part.says:
            self.say(text)

    def caution(self, text: str) -> None:
        """Show why a number is weak."""
        if text:
            self._show(f'<div class="caution">{blocks.markdown(text)}</div>', blocks.plain(text), "caution")

    def missing(self, table: str, what: str, in_files: str = "") -> None:
        """Show which data would unlock a part that this client's data does not measure.

        ``in_files`` says which of it stands in the client's files all the same.
        """
        text = _(
            "Not measured: {what}. The table **{table}** would unlock it; this client did not give it.",
            what=what,
            table=table,
        )
        if in_files:
            text = _(
                "Not measured: {what}. The table **{table}** would unlock it, and part of it is there: {in_files}",
                what=what,
                table=table,
                in_files=in_files,
            )
        self._show(f'<div class="unlock">{blocks.markdown(text)}</div>', blocks.plain(text), "unlock")

    def facts(self, **totals: Any) -> None:
        """Keep totals (``revenue``, ``customers``, …) that must be the same in every chapter of a run."""
        if self.output:
            write_facts(totals, self.output / "facts" / f"{self.chapter}.json")

    def findings(self) -> list[Finding]:
        """What the chapters of this run have found so far; empty outside a run."""
        return read_findings(self.output / "findings") if self.output else []

    def _keep(self, frame: pd.DataFrame, name: str) -> None:
        if self.output:
            write_table(frame, self.output / "data" / f"{name}.csv")

    def _show(self, inner: str, text: str, part: str, name: str = "") -> None:
        marks = {"perennial": {"part": part, "name": name}}
        display({"text/html": blocks.block(inner), "text/plain": text}, raw=True, metadata=marks)

    def _show_picture(self, figure: Figure, alt: str) -> None:
        width, height = figure.get_size_inches() * figure.dpi
        size = {"alt": blocks.plain(alt), "width": round(width), "height": round(height)}
        data = {"image/png": _png(figure), "text/plain": blocks.plain(alt)}
        display(data, raw=True, metadata={"image/png": size, "perennial": {"part": "picture", "name": ""}})


def _figure_of(chart: Axes | Figure | Iterable[Axes]) -> Figure:
    if isinstance(chart, Figure):
        return chart
    axes = chart if isinstance(chart, Axes) else next(iter(chart))
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def _png(figure: Figure) -> bytes:
    """The picture at twice the screen's density, the same bytes for the same chart; the figure is closed.

    Charts have few colours: a palette of 256 looks the same and takes two fifths of the room.
    """
    with BytesIO() as drawn, BytesIO() as file:
        quick = {"compress_level": 1}
        figure.savefig(drawn, format="png", dpi=figure.dpi * theme.DENSITY, pil_kwargs=quick)
        plt.close(figure)
        with Image.open(drawn) as picture:
            few = picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(file, "PNG")
        return file.getvalue()


def _named(name: str) -> str:
    if not _PART_NAME.fullmatch(name):
        raise ValueError(f"names of figures and tables are small letters, digits and _; got {name!r}")
    return name


def _lines(*texts: str) -> str:
    return blocks.plain("\n".join(text for text in texts if text))


def _bottom_line(findings: list[Finding], chapter: str, most: int) -> str:
    headings = {"finding": "", "action": _("What to do"), "caution": _("What the data cannot say")}
    parts = []
    for kind, heading in headings.items():
        own = [finding for finding in findings if finding.kind == kind]
        ranked = sorted(own, key=lambda finding: -finding.importance)[:most]
        items = [f"- {finding.sentence}{_link(finding, chapter)}" for finding in own if finding in ranked]
        if items:
            parts += [f"**{heading}**"] if heading else []
            parts.append("\n".join(items))
    return "\n\n".join(parts)


def _link(finding: Finding, chapter: str) -> str:
    """To the chart or chapter that shows it; the report takes out links to what is not in it."""
    if not finding.figure and finding.chapter == chapter:
        return ""
    target = f"fig-{finding.figure}" if finding.figure else finding.chapter
    return f" [{_('see')}](#{target})"
