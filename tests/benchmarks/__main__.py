"""``make bench``: whole-process time and peak memory of what must stay fast, printed as one table.

Each line runs a command in a process of its own, as a user would, and reports the median of a few runs. Memory is the
largest sum over the process and all its children (kernels included), sampled every 50 ms.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

REPO = Path(__file__).resolve().parents[2]
OPEN = "from perennial.client import open_client; c = open_client({name!r}); c.summary.count().execute()"


def tree_memory(process: psutil.Process) -> int:
    """Bytes held by a process and all its children, shared pages counted once each (PSS where the system tells)."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total


def run(command: list[str]) -> tuple[float, float, int]:
    """Wall seconds, peak megabytes and exit code of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            try:
                peak = max(peak, tree_memory(psutil.Process(process.pid)))
            except psutil.Error:
                return
            done.wait(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    return time.perf_counter() - started, peak / 1e6, code


def forget(client: str) -> None:
    """Drop a client's cached tables, so that the next run makes them."""
    shutil.rmtree(REPO / ".cache" / client, ignore_errors=True)


def benchmarks() -> list[tuple[str, str, list[str], bool, float | None, float | None]]:
    """Name, client, command, whether its cache is dropped first, and the limits in seconds and megabytes."""
    python, perennial = sys.executable, str(Path(sys.executable).parent / "perennial")
    return [
        ("cdnow report, nothing cached", "cdnow", [perennial, "report", "cdnow"], True, 60, 2000),
        ("cdnow report, tables cached", "cdnow", [perennial, "report", "cdnow"], False, 60, 2000),
        ("demo report, nothing cached", "demo", [perennial, "report", "demo"], True, None, None),
        (
            "completejourney report, nothing cached",
            "completejourney",
            [perennial, "report", "completejourney"],
            True,
            None,
            None,
        ),
        (
            "completejourney tables, 1.47 M lines",
            "completejourney",
            [python, "-c", OPEN.format(name="completejourney")],
            True,
            None,
            None,
        ),
        (
            "completejourney opened from the cache",
            "completejourney",
            [python, "-c", OPEN.format(name="completejourney")],
            False,
            5,
            None,
        ),
    ]


def main() -> int:
    """Run all, print the table; non-zero where a command failed or a limit was passed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", default="", help="run those whose name contains this")
    chosen = arguments.parse_args()
    table = Table(
        "benchmark", "runs", "seconds (min, median, max)", "peak MB", "limit", title=f"{os.cpu_count()} cores"
    )
    broken = False
    for name, client, command, cold, seconds_limit, memory_limit in benchmarks():
        if chosen.only not in name:
            continue
        results = []
        for _ in range(chosen.runs):
            if cold:
                forget(client)
            results.append(run(command))
        seconds = sorted(result[0] for result in results)
        median, peak = statistics.median(seconds), max(result[1] for result in results)
        failed = any(result[2] for result in results)
        over = bool(seconds_limit and median > seconds_limit) or bool(memory_limit and peak > memory_limit)
        broken |= failed or over
        limits = " ".join(
            [f"{seconds_limit:.0f} s" if seconds_limit else "", f"{memory_limit:.0f} MB" if memory_limit else ""]
        )
        verdict = "FAILED" if failed else "OVER" if over else limits.strip() or "-"
        table.add_row(
            name, str(chosen.runs), f"{seconds[0]:.1f}, {median:.1f}, {seconds[-1]:.1f}", f"{peak:.0f}", verdict
        )
    Console(width=120).print(table)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
