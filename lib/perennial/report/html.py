"""Executed chapters → one self-contained page: no script, nothing loaded from anywhere, readable on paper and phone."""

import html as markup
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mistune
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from perennial.language import _
from perennial.report import provenance
from perennial.report.execute import ChapterResult, read_notebook

TEMPLATES = Path(__file__).parent / "templates"
# Belt and braces: the page holds no script and no address, and a browser would refuse both.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
)
_HIDDEN = {"parameters", "injected-parameters", "hide-cell"}
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|[kMBT])(?!\w))")
_LINK = re.compile(r'<a href="#([^"]*)">(.*?)</a>', re.S)


@dataclass(frozen=True)
class Section:
    """A heading within a chapter, for the contents."""

    id: str
    title: str


@dataclass
class Chapter:
    """One chapter as it stands in the report; ``body`` is empty where it failed or was left out."""

    stem: str
    title: str
    status: str
    reason: str = ""
    body: str = ""
    sections: list[Section] = field(default_factory=list)


@dataclass
class Numbers:
    """Figures and tables counted through the whole report, by the name they are linked with."""

    labels: dict[str, str] = field(default_factory=dict)
    figures: int = 0
    tables: int = 0

    def next(self, name: str, kind: str) -> str:
        """The label of the next figure or table: ``Figure 7``."""
        if kind == "table":
            self.tables += 1
            label = _("Table {n}", n=self.tables)
        else:
            self.figures += 1
            label = _("Figure {n}", n=self.figures)
        self.labels.setdefault(name, label)
        return label


def render_report(folder: Path, record: dict[str, Any], results: Iterable[ChapterResult]) -> str:
    """The page of a run.

    Parameters
    ----------
    folder : the run's folder, with ``notebooks/<stem>.ipynb`` of every chapter that is ok.
    record : what ``run.json`` will hold.
    results : how the chapters ended, in reading order.
    """
    numbers = Numbers()
    chapters = [render_chapter(folder / "notebooks" / f"{r.stem}.ipynb", r, numbers) for r in results]
    words = provenance.in_words(record)
    repeated = {chapter.title for chapter in chapters}  # each chapter has its own bottom line: one in the contents does
    for chapter in chapters:
        chapter.sections = [section for section in chapter.sections if section.title not in repeated]
    page = environment().get_template("report.html.j2")
    text = page.render(
        record=record,
        chapters=chapters,
        problems=record["problems"],
        appendices=[("method", _("Method")), ("glossary", _("Glossary")), ("provenance", _("Provenance"))],
        **words,
    )
    return link_up(text, numbers, {chapter.stem: chapter.title for chapter in chapters})


def render_chapter(notebook: Path, result: ChapterResult, numbers: Numbers) -> Chapter:
    """One executed notebook as a fragment with unique ids."""
    chapter = Chapter(result.stem, markup.unescape(result.title), result.status, result.reason)
    if result.status == "ok":
        prose = _Prose(chapter)
        chapter.body, _resources = _exporter(prose, numbers).from_notebook_node(read_notebook(notebook))
    return chapter


def environment() -> Environment:
    """Templates with everything escaped unless marked otherwise."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    found.globals.update(_=_, policy=POLICY, style=style)
    return found


def _exporter(prose: "_Prose", numbers: Numbers) -> Any:
    from nbconvert.exporters import HTMLExporter
    from traitlets.config import Config

    config = Config()
    config.TagRemovePreprocessor.enabled = True
    config.TagRemovePreprocessor.remove_cell_tags = _HIDDEN
    exporter = HTMLExporter(
        config=config, template_name="perennial", extra_template_basedirs=[str(TEMPLATES)], exclude_input=True
    )
    exporter.register_filter("prose", mistune.create_markdown(renderer=prose, plugins=["table"]))
    exporter.register_filter("part", lambda output: _part(output, numbers))
    exporter.register_filter("picture", _picture)
    return exporter


class _Prose(mistune.HTMLRenderer):
    """An author's Markdown: headings one level down, with ids of the chapter's own; links only within the report."""

    def __init__(self, chapter: Chapter):
        super().__init__(escape=True)
        self.chapter = chapter

    def text(self, text: str) -> str:
        return markup.escape(markup.unescape(text), quote=False)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        if level == 1:
            return f"<h2>{text}</h2>\n"
        plain = markup.unescape(re.sub(r"<[^>]+>", "", text))
        slug = re.sub(r"\W+", "-", plain.lower()).strip("-") or "section"
        base = f"{self.chapter.stem}-{slug}"
        taken = {section.id for section in self.chapter.sections}
        name, again = base, 2
        while name in taken:
            name, again = f"{base}-{again}", again + 1
        self.chapter.sections.append(Section(name, plain))
        tag = f"h{min(level + 1, 4)}"
        return f'<{tag} id="{name}">{text}</{tag}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        name = Path(url).stem if url.endswith(".ipynb") else url.removeprefix("#")
        is_ours = url.endswith(".ipynb") or url.startswith("#")
        return f'<a href="#{markup.escape(name)}">{text}</a>' if is_ours else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text


def _part(output: Any, numbers: Numbers) -> str:
    """One HTML output; a figure's head opens the figure that its foot closes."""
    inner = _BEFORE_UNIT.sub("\u00a0", "".join(output.data["text/html"]))  # a number and its unit share a line
    marks = output.metadata.get("perennial", {})
    part, name = marks.get("part", ""), markup.escape(marks.get("name", ""))
    if part == "style":
        return ""
    if part in ("figure-head", "table"):
        label = numbers.next(name, "table" if part == "table" else "figure")
        opening = f'<figure id="fig-{name}"><div class="fig-number">{label}</div>{inner}'
        return opening + ("</figure>" if part == "table" else "")
    return f"{inner}</figure>" if part == "figure-foot" else inner


def _picture(output: Any) -> str:
    about = output.metadata.get("image/png", {})
    alt = markup.escape(about.get("alt", ""), quote=True)
    size = "".join(f' {side}="{int(about[side])}"' for side in ("width", "height") if side in about)
    data = "".join(output.data["image/png"]).replace("\n", "")
    return f'<div class="picture"><img src="data:image/png;base64,{data}" alt="{alt}"{size}></div>'


def link_up(text: str, numbers: Numbers, titles: dict[str, str]) -> str:
    """Name what the links point to; take out links to what is not in this report."""
    known = set(re.findall(r'\bid="([^"]+)"', text))

    def linked(found: re.Match[str]) -> str:
        target, words = found.groups()
        generated = words == _("see")
        if target not in known:
            return "" if generated else words
        if generated:
            words = numbers.labels.get(target.removeprefix("fig-"), "").replace(" ", "&nbsp;")
            words = words or markup.escape(titles.get(target, _("see")))
        return f'<a href="#{target}">{words}</a>'

    return _LINK.sub(linked, text)
