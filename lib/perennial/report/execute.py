"""Run one chapter's notebook in a kernel of its own, and say in words how it ended."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from perennial.errors import ParameterError
from perennial.language import _

Status = Literal["ok", "failed", "skipped"]
# A chapter that says its data or its model is not there has not failed: the report says so and stands.
_ABSENT = ("MissingTableError", "ModelError")
_SAID_IN_WORDS = (*_ABSENT, "PerennialError", "ParameterError", "InputError", "ReportError")


@dataclass(frozen=True)
class ChapterResult:
    """How a chapter ended. ``reason`` is a sentence, empty where all went well; ``seconds`` is wall time."""

    stem: str
    title: str
    status: Status
    reason: str = ""
    seconds: float = 0.0
    peak_memory_mb: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As written to ``run.json``."""
        return asdict(self)


def read_notebook(path: Path) -> Any:
    """A notebook as it stands on disk."""
    import nbformat  # slow to import: the command line does without until it has results

    return nbformat.read(str(path), as_version=4)


def warm_up() -> None:
    """Import what runs notebooks, while another worker prepares the tables."""
    import papermill  # noqa: F401


def title_of(path: Path) -> str:
    """The first heading of a notebook; its file name where it has none."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        found = re.search(r"^#\s+(.+)$", source, re.M) if cell["cell_type"] == "markdown" else None
        if found:
            return found.group(1).strip()
    return path.stem


def check_names(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the notebook does not declare (papermill would only warn)."""
    from papermill import inspect_notebook

    declared = list(inspect_notebook(str(notebook).replace("{", "{{").replace("}", "}}")))
    unknown = [name for name in parameters if name not in declared]
    if unknown:
        names = ", ".join(declared) or "none"
        problems = [f"unknown parameter '{name}'; the notebook declares: {names}" for name in unknown]
        raise ParameterError(f"{notebook.name} cannot be run:", problems)


def run_notebook(
    notebook: str, output: str, parameters: dict[str, Any], folder: str, home: str, cell_seconds: int
) -> tuple[Status, str]:
    """Execute a notebook into ``output``; the status and, unless ok, the reason in words.

    Parameters
    ----------
    folder : working directory of the kernel.
    home : the project's folder, handed to the kernel.
    cell_seconds : the most that one cell may take.
    """
    os.environ["PERENNIAL_HOME"] = home
    check_names(Path(notebook), parameters)
    with tempfile.TemporaryDirectory(prefix="pk") as sockets:
        error = _execute(notebook, output, parameters, folder, cell_seconds, sockets)
    return judge(Path(output), error, cell_seconds)


def _execute(
    notebook: str, output: str, parameters: dict[str, Any], folder: str, cell_seconds: int, sockets: str
) -> Exception | None:
    import papermill
    from traitlets.config import Config

    config = Config()
    if os.name == "posix":  # TCP ports race; sockets of a kernel's own do not
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = f"{sockets}/k"
    config.KernelManager.connection_file = f"{sockets}/kernel.json"
    try:
        papermill.execute_notebook(
            _as_template(notebook),
            _as_template(output),
            parameters,
            cwd=folder,
            progress_bar=False,
            execution_timeout=cell_seconds,
            config=config,
            shutdown_kernel="immediate",
        )
    except Exception as error:
        return error
    return None


def _as_template(path: str) -> str:
    """Papermill puts paths through ``str.format``."""
    return path.replace("{", "{{").replace("}", "}}")


def judge(output: Path, error: Exception | None, cell_seconds: int = 0) -> tuple[Status, str]:
    """Whether an executed notebook may stand in a report.

    A saved notebook of a killed kernel looks complete, so success needs all of: no exception, no mark of one in the
    metadata, no error output, and a number on every code cell that is not empty.
    """
    if error is not None:
        return _explain(error, cell_seconds)
    if not output.is_file():
        return "failed", _("it left no notebook")
    notebook = read_notebook(output)
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        for shown in cell.outputs:
            if shown.output_type == "error":
                return _error_cell(shown.ename, shown.evalue)
        if cell.execution_count is None:
            return "failed", _("it stopped before its last cell")
    if notebook.metadata.get("papermill", {}).get("exception"):
        return "failed", _("a cell ended with an error")
    return "ok", ""


def _explain(error: Exception, cell_seconds: int) -> tuple[Status, str]:
    kind = type(error).__name__
    if kind == "PapermillExecutionError":
        return _error_cell(error.ename, error.evalue, error.exec_count)  # type: ignore[attr-defined]
    if kind == "CellTimeoutError":
        return "failed", _("a cell took longer than {seconds} seconds", seconds=cell_seconds)
    if kind == "DeadKernelError":
        return "failed", _("its kernel died in the middle, often because memory ran out")
    return "failed", f"{kind}: {error}"


def _error_cell(name: str, value: str, count: int | None = None) -> tuple[Status, str]:
    if name in _SAID_IN_WORDS:
        return "skipped" if name in _ABSENT else "failed", value
    if name == "SystemExit":
        return "failed", _("a cell ended the notebook early (sys.exit)")
    if count is None:
        return "failed", f"{name}: {value}"
    return "failed", _("cell {count} stopped with {name}: {value}", count=count, name=name, value=value)


def clean_executed(path: Path, output: str) -> None:
    """Make an executed notebook fit to be opened again: no paths of this machine, no staging folder."""
    import nbformat

    notebook = read_notebook(path)
    for key in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(key, None)
    notebook.metadata.get("papermill", {}).get("parameters", {}).pop("output", None)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace(output, "")
    fresh = path.with_suffix(".tmp")
    nbformat.write(notebook, str(fresh))
    shutil.move(fresh, path)
