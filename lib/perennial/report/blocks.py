"""The few building blocks of a page as HTML: titles, tables, key figures, cautions; text is escaped here."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

import mistune
import pandas as pd

from perennial.formats import MISSING, number, percent
from perennial.language import _, plural
from perennial.report.headings import capital, cell_text, code_text, heading
from perennial.statements import Caption, KeyFigure

Formatter = Callable[[Any], str]
SHOWN_ROWS = 12

# What a notebook looks like in JupyterLab; the report has its own style sheet and leaves this out.
NOTEBOOK_STYLE = """<style>
.perennial {font-family: system-ui, sans-serif; line-height: 1.5; color: #1f2933; max-width: 46rem}
.perennial .fig-title {font-weight: 600; font-size: 1.05rem; margin-top: .8rem}
.perennial .fig-subtitle, .perennial .fig-source, .perennial .key-note {color: #52606d; font-size: .85rem}
.perennial summary {color: #52606d; font-size: .85rem; cursor: pointer}
.perennial .key-figures {display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: .5rem 0}
.perennial .key-figures dd {margin: 0}
.perennial .key-value {font-size: 1.6rem; font-weight: 600}
.perennial .caution {border-left: 3px solid #c2410c; padding-left: .8rem}
.perennial .unlock {border-left: 3px solid #9aa5b1; padding-left: .8rem; color: #52606d}
.perennial table {font-variant-numeric: tabular-nums; border-collapse: collapse; font-size: .85rem}
.perennial td, .perennial th {padding: .2rem .7rem; border-bottom: 1px solid #dfe4ea; text-align: left}
.perennial .n {text-align: right}
.perennial .chip {border: 1px solid #9aa5b1; border-radius: 1em; padding: 0 .6em; white-space: nowrap}
</style>"""

_NAME_BREAK = re.compile(r"(?<=\w_)(?=\w)|(?<=\w)(?=\.[a-z])")  # where a file name may go on in the next line
_render = mistune.create_markdown(escape=False)


def block(inner: str) -> str:
    """HTML set apart as ours; dollar signs inside are money, never mathematics."""
    return f'<div class="perennial mathjax_ignore tex2jax_ignore">{inner}</div>'


def markdown(text: str) -> str:
    """A generated sentence in Markdown as HTML; raw HTML in it is shown as text."""
    # entities from formats.escape must survive, so tags are disarmed before rendering, not by the renderer
    return str(_render(text.replace("<", "&lt;").replace(">", "&gt;"))).strip()


def plain(text: str) -> str:
    """A generated sentence as a terminal shows it."""
    return html.unescape(text)


def head(caption: Caption) -> str:
    """Title and subtitle above a picture or table."""
    parts = [f'<div class="fig-title">{_text(caption.title)}</div>']
    if caption.subtitle:
        parts.append(f'<div class="fig-subtitle">{_text(caption.subtitle)}</div>')
    return "".join(parts)


def foot(caption: Caption) -> str:
    """Source line and how to read it, beneath a picture or table."""
    source = f'<div class="fig-source">{_text(caption.source)}</div>' if caption.source else ""
    reading = f'<div class="fig-reading">{markdown(caption.reading)}</div>' if caption.reading else ""
    return source + reading


def _text(text: str) -> str:
    """Captions may hold text already escaped by :func:`perennial.formats.escape`: escape once, not twice."""
    return html.escape(html.unescape(text), quote=True)


def folded(inner: str, name: str) -> str:
    """A table one click away from its chart."""
    summary = html.escape(_("Table behind this chart (data/{name}.csv)", name=name))
    return f"<details><summary>{summary}</summary>{inner}</details>"


def key_figures(figures: list[KeyFigure]) -> str:
    """A row of key figures; the note says change, interval or n."""
    return f'<dl class="key-figures">{"".join(map(_key_figure, figures))}</dl>'


def _key_figure(figure: KeyFigure) -> str:
    note = f'<dd class="key-note">{_text(figure.note)}</dd>' if figure.note else ""
    term = f'<dd class="key-definition">{_text(figure.definition)}</dd>' if figure.definition else ""
    label = f'<dt class="key-label">{_text(figure.label)}</dt>'
    value = f'<dd class="key-value">{_text(figure.value)}</dd>'
    return f'<div class="key-figure">{label}{value}{note}{term}</div>'


def table(
    frame: pd.DataFrame,
    name: str,
    formats: Mapping[str, Formatter] | None = None,
    labels: Mapping[str, str] | None = None,
    rows: int = SHOWN_ROWS,
) -> str:
    """A frame as an HTML table of at most ``rows`` rows, numbers on the right, file named for the rest."""
    frame = flat(frame)
    if frame.empty:
        return f'<p class="fig-source">{html.escape(_("Nothing to list."))}</p>'
    styles = {column: _style(column, frame[column], formats or {}) for column in frame.columns}
    right = {column: "n" if _is_right(frame[column]) else "t" for column in frame.columns}
    names = labels or {}
    headers = "".join(
        f'<th scope="col" class="{side}">{_text(capital(str(names.get(column) or heading(column))))}</th>'
        for column, side in right.items()
    )
    lines = [
        "".join(
            f'<td class="{side}">{_cell(value, styles[column])}</td>'
            for value, (column, side) in zip(row, right.items(), strict=True)
        )
        for row in frame.head(rows).itertuples(index=False, name=None)
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="table-box"><table><thead><tr>{headers}</tr></thead><tbody>{body}</tbody></table></div>'
        + _more(len(frame) - rows, name)
    )


def _more(left: int, name: str) -> str:
    if left <= 0:
        return ""
    one, many = "… {count} more row in {file}", "… {count} more rows in {file}"
    words = plural(one, many, left, count=number(left), file=f"data/{name}.csv")
    return f'<div class="fig-source">{html.escape(words)}</div>'


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a meaningful index as columns and one level of text headers."""
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    columns = [" ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in frame.columns]
    return frame.set_axis(columns, axis=1)


def _is_right(column: pd.Series) -> bool:
    """Numbers, dates and amounts stand on the right; text on the left."""
    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return True
    known = column.dropna()
    return bool(len(known)) and not any(isinstance(value, str) for value in known.head(50))


def _style(name: str, column: pd.Series, given: Mapping[str, Formatter]) -> Formatter:
    if name in given:
        return given[name]
    if name.endswith(("share", "rate", "probability")) and pd.api.types.is_float_dtype(column):
        return lambda value: percent(value, 1)
    return lambda value: code_text(name, cell_text(value))


def _cell(value: Any, style: Formatter) -> str:
    text = html.escape(MISSING if value is pd.NaT or value is pd.NA else style(value), quote=True)
    return _NAME_BREAK.sub("<wbr>", text) if isinstance(value, str) else text
