"""Progress of a run: a live table on a terminal, plain lines elsewhere."""

import time

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from perennial.report.workers import Outcome

_UNSHOWN = "warm up"


class Progress:
    """Shows what runs and what ended; ``tell`` is what :func:`perennial.report.run.make_report` calls."""

    def __init__(self, client: str, console: Console | None = None):
        self.client = client
        self.console = console or Console(soft_wrap=True)
        self._running: dict[str, tuple[str, float]] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._live = Live(console=self.console, get_renderable=self._table, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()

    def tell(self, what: str, name: str, title: str, outcome: Outcome | None) -> None:
        """Take note of a step that ``"started"`` or ``"ended"``."""
        if name == _UNSHOWN:
            return
        if what == "started":
            self._running[name] = (title, time.monotonic())
            return
        self._running.pop(name, None)
        if outcome:
            self.console.print(self._line(title, outcome))

    def _line(self, title: str, outcome: Outcome) -> Text:
        status, reason = _status(outcome)
        marks = {"ok": ("✓", "green"), "skipped": ("–", "yellow"), "failed": ("✗", "red")}
        mark, style = marks[status]
        line = Text.assemble((mark, style), f" {self.client}: {title}  {outcome.seconds:.1f} s")
        return line.append(f"  {reason}", style=style) if reason else line

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for title, since in self._running.values():
            table.add_row(Spinner("dots"), f"{self.client}: {title}", f"{time.monotonic() - since:.0f} s")
        return table


def _status(outcome: Outcome) -> tuple[str, str]:
    if outcome.problem:
        return "failed", outcome.problem
    if isinstance(outcome.value, tuple):
        return outcome.value[0], outcome.value[1]
    return "ok", ""
