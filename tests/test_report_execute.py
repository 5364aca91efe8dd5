"""Notebooks that raise, die, hang or stop early: each is recognised, said in words, and takes nobody along."""

import psutil
import pytest

from perennial.report.execute import clean_executed, read_notebook, run_notebook, title_of
from perennial.report.workers import Pool, Task
from tiny_notebooks import write_notebook

CASES = {
    "fine": "print(client, output)",
    "complains": "import sys; print('a warning', file=sys.stderr)",
    "raises": "raise ValueError('no such thing')",
    "dies": "import os; os._exit(0)",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "hangs": "import time; time.sleep(60)",
    "exits": "import sys; sys.exit(0)",
    "lacks_table": "from perennial.errors import MissingTableError\nraise MissingTableError('tiny has no tickets')",
    "lacks_model": "from perennial.errors import ModelError\nraise ModelError('nobody ever repeats')",
    "kills_worker": "import os; os.kill(os.getppid(), 9)",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("a {brace} in the path")


@pytest.fixture(scope="module")
def outcomes(folder):
    """Every case, run two at a time."""
    tasks = []
    for name, cell in CASES.items():
        notebook = write_notebook(folder / f"{name}.ipynb", cell, "after = 1")
        tasks.append(task(folder, name, notebook, {"client": "tiny", "output": "/staged/here"}))
    tasks.append(task(folder, "misspelt", folder / "fine.ipynb", {"clinet": "tiny"}))
    tasks.append(task(folder, "endless", folder / "hangs.ipynb", {"client": "tiny"}, limit=3))
    with Pool(2, folder / "log.txt") as pool:
        return pool.run(tasks, lambda *_told: None)


def task(folder, name, notebook, parameters, limit=60):
    output = str(folder / f"{name}.out.ipynb")
    cell_seconds = 4  # above the limit of the endless task, which is to end the whole run and not the cell
    arguments = (str(notebook), output, parameters, str(folder), str(folder), cell_seconds)
    return Task(name, run_notebook, arguments, limit_seconds=limit)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case, status, words",
    [
        ("fine", "ok", ""),
        ("complains", "ok", ""),
        ("raises", "failed", "stopped with ValueError: no such thing"),
        ("dies", "failed", "its kernel died"),
        ("killed", "failed", "its kernel died"),
        ("hangs", "failed", "a cell took longer than 4 seconds"),
        ("exits", "failed", "ended the notebook early"),
        ("lacks_table", "skipped", "tiny has no tickets"),
        ("lacks_model", "skipped", "nobody ever repeats"),
    ],
)
def test_how_a_chapter_ended_is_said_in_words(outcomes, case, status, words):
    told, reason = outcomes[case].value
    assert told == status
    assert words in reason and bool(words) == bool(reason)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case, words", [("kills_worker", "its process was killed"), ("endless", "it took longer than 0.05 minutes")]
)
def test_a_lost_worker_costs_only_its_own_chapter(outcomes, case, words):
    assert words in outcomes[case].problem


@pytest.mark.slow
def test_misspelt_parameter_is_refused_with_the_names_there_are(outcomes):
    assert outcomes["misspelt"].kind == "ParameterError"
    assert "unknown parameter 'clinet'; the notebook declares: client, output" in outcomes["misspelt"].problem


@pytest.mark.slow
def test_time_and_memory_of_each_chapter_are_measured(outcomes):
    assert outcomes["fine"].seconds > 0.1
    assert 50 < outcomes["fine"].peak_memory_mb < 2000


@pytest.mark.slow
def test_no_process_is_left(outcomes):
    mine = psutil.Process().children(recursive=True)
    left = [
        child for child in mine if "ipykernel" in " ".join(child.cmdline()) or "spawn_main" in " ".join(child.cmdline())
    ]
    assert left == []


@pytest.mark.slow
def test_executed_notebook_forgets_where_it_was_made(outcomes, folder):
    path = folder / "fine.out.ipynb"
    clean_executed(path, "/staged/here")
    notebook = read_notebook(path)
    injected = next(cell for cell in notebook.cells if "injected-parameters" in cell.metadata.tags)
    assert injected.source.count("tiny") == 1 and "/staged" not in injected.source
    assert str(folder) not in str(notebook.metadata)


def test_title_is_the_first_heading(tmp_path):
    assert title_of(write_notebook(tmp_path / "x.ipynb", title="Who stays")) == "Who stays"
