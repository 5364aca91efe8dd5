"""Worker processes: tasks run side by side, a dead or endless one never takes the others along, none is orphaned.

Processes, not threads: papermill changes the working directory, and a killed task must leave nothing behind.
Workers watch their parent and kernels watch their worker, so that killing the command ends all of them.
"""

import multiprocessing as mp
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from perennial.errors import PerennialError
from perennial.language import _
from perennial.report.processes import end_with_parent, kill_tree, memory_mb, tree_memory_mb, write_to

_TICK_SECONDS = 0.2


@dataclass(frozen=True)
class Task:
    """A function of a module and its arguments (both picklable), to start once the tasks ``after`` have ended."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    after: frozenset[str] = frozenset()
    limit_seconds: float = 1800


@dataclass(frozen=True)
class Outcome:
    """How a task ended: its ``value``, or the ``problem`` in words and the ``kind`` of error."""

    task: str
    value: Any = None
    problem: str = ""
    kind: str = ""
    seconds: float = 0.0
    peak_memory_mb: float = 0.0


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    started: float = 0.0
    peak: float = 0.0


@dataclass
class Pool:
    """At most ``jobs`` worker processes; use as a context so that none outlives it."""

    jobs: int
    log: Path
    peak_memory_mb: float = 0.0
    _workers: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            _end(worker, gently=error[0] is None)
        self._workers.clear()

    def run(self, tasks: Sequence[Task], tell: Callable[[str, Task, Outcome | None], None]) -> dict[str, Outcome]:
        """Run all tasks; ``tell("started" | "ended", task, outcome)`` is called as they go."""
        waiting, done = list(tasks), dict[str, Outcome]()
        while waiting or any(worker.task for worker in self._workers):
            for task in [task for task in waiting if task.after <= done.keys()]:
                if (worker := self._idle()) is None:
                    break
                waiting.remove(task)
                _give(worker, task)
                tell("started", task, None)
            for task, outcome in self._collect():
                done[task.name] = outcome
                tell("ended", task, outcome)
        return done

    def _idle(self) -> _Worker | None:
        for lost in [worker for worker in self._workers if not worker.task and not worker.process.is_alive()]:
            self._drop(lost)
        free = [worker for worker in self._workers if worker.task is None]
        if not free and len(self._workers) < self.jobs:
            free = [_start(self.log)]
            self._workers += free
        return free[0] if free else None

    def _collect(self) -> list[tuple[Task, Outcome]]:
        busy = [worker for worker in self._workers if worker.task]
        ready = wait([worker.pipe for worker in busy], timeout=_TICK_SECONDS)
        self._measure(busy)
        ended = []
        for worker in busy:
            outcome = self._outcome(worker, worker.pipe in ready)
            if outcome and worker.task:
                ended.append((worker.task, outcome))
                worker.task = None
        return ended

    def _outcome(self, worker: _Worker, ready: bool) -> Outcome | None:
        assert worker.task
        seconds = time.monotonic() - worker.started
        told: dict[str, Any] | None = None
        if ready:
            try:
                told = worker.pipe.recv()
            except (EOFError, OSError):
                told = {"problem": _("its process was killed, often because memory ran out"), "kind": "Killed"}
                self._drop(worker)
        elif seconds > worker.task.limit_seconds:
            minutes = f"{worker.task.limit_seconds / 60:.3g}"
            told = {"problem": _("it took longer than {minutes} minutes", minutes=minutes), "kind": "Timeout"}
            self._drop(worker)
        return Outcome(worker.task.name, seconds=seconds, peak_memory_mb=worker.peak, **told) if told else None

    def _drop(self, worker: _Worker) -> None:
        _end(worker, gently=False)
        self._workers.remove(worker)

    def _measure(self, busy: list[_Worker]) -> None:
        total = memory_mb(os.getpid())
        for worker in self._workers:
            used = tree_memory_mb(worker.process.pid)
            total += used
            worker.peak = max(worker.peak, used)
        self.peak_memory_mb = max(self.peak_memory_mb, total)


def _start(log: Path) -> _Worker:
    ours, theirs = mp.Pipe()
    process = mp.get_context("spawn").Process(target=_serve, args=(theirs, os.getpid(), str(log)), daemon=False)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _give(worker: _Worker, task: Task) -> None:
    worker.task, worker.started, worker.peak = task, time.monotonic(), 0.0
    worker.pipe.send((task.function, task.arguments))


def _end(worker: _Worker, gently: bool) -> None:
    """Let a worker finish, or kill it with all it started."""
    worker.pipe.close()
    if gently:
        worker.process.join(5)
    if worker.process.is_alive():
        kill_tree(worker.process.pid)
        worker.process.join(5)


def _serve(pipe: Connection, parent: int, log: str) -> None:
    """A worker's life: take a task, answer, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=end_with_parent, args=(parent,), daemon=True).start()
    write_to(log)
    while True:
        try:
            function, arguments = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(function, arguments))


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    try:
        return {"value": function(*arguments)}
    except PerennialError as error:
        return {"problem": str(error), "kind": type(error).__name__}
    except Exception as error:
        import traceback

        traceback.print_exc()
        return {"problem": f"{type(error).__name__}: {error}", "kind": type(error).__name__}
