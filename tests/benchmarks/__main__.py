"""``make bench``: time and peak memory of what must stay fast, printed as one table.

Each line runs a command in a process of its own, as a user would, and reports the median of a few runs; the commands
take turns, so that a slow minute of the machine is shared by all. Times are those of whole processes; where a command
prints its own seconds, without the start of Python and its libraries, these are shown and the whole process beside
them. Memory is the largest sum over the process and all its children (kernels included), sampled every 50 ms.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table
from tests.benchmarks import value
from tests.benchmarks.reading import LINES, make

REPO = Path(__file__).resolve().parents[2]
OPEN = "from perennial.client import open_client; c = open_client({name!r}); c.summary.count().execute()"


def tree_memory(process: psutil.Process) -> int:
    """Bytes held by a process and all its children, shared pages counted once each (PSS where the system tells).

    A process alone is asked for its resident memory, which takes next to no time; PSS stops it for some hundredths of
    a second where it holds a gigabyte.
    """
    children = process.children(recursive=True)
    if not children:
        return int(process.memory_info().rss)
    total = 0
    for one in [process, *children]:
        try:
            total += one.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total


@dataclass(frozen=True)
class Run:
    """One run of a command: seconds of the whole process and those it printed itself, peak megabytes, exit code."""

    whole: float
    told: float | None
    megabytes: float
    code: int

    @property
    def seconds(self) -> float:
        """The seconds that count."""
        return self.whole if self.told is None else self.told


def run(command: list[str]) -> Run:
    """Run a command to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
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
    said, _ = process.communicate()
    whole = time.perf_counter() - started
    done.set()
    watcher.join()
    told = re.search(r"^SECONDS (\d+\.\d+)$", said, re.MULTILINE)
    return Run(whole, float(told[1]) if told else None, peak / 1e6, process.returncode)


def forget(client: str) -> None:
    """Drop a client's cached tables, so that the next run makes them."""
    shutil.rmtree(REPO / ".cache" / client, ignore_errors=True)


@dataclass(frozen=True)
class Benchmark:
    """A command with its limits: seconds, megabytes, or a multiple of another benchmark's median seconds."""

    name: str
    command: list[str]
    forgets: str = ""  # the client whose cache is dropped before every run
    seconds: float | None = None
    megabytes: float | None = None
    times: tuple[float, str] | None = None

    def limits(self) -> str:
        """The limits as a reader sees them."""
        parts = [f"{self.seconds:.0f} s" if self.seconds else "", f"{self.megabytes:.0f} MB" if self.megabytes else ""]
        if self.times:
            share, other = self.times
            parts.append(f"{share:.0f} × {other}" if share >= 1 else f"1/{1 / share:.0f} of {other}")
        return ", ".join(part for part in parts if part) or "-"


def of_value(people: Path) -> list[Benchmark]:
    """Those of the value models, on a file of a million simulated customers."""
    made = []
    for name in ("BG/NBD", "MBG/NBD", "Pareto/NBD", "NBD"):
        theirs = f"1 M customers, {name}: lifetimes, all rows"
        command = [sys.executable, "-m", "tests.benchmarks.value"]
        if name in value.FITTERS:
            made.append(Benchmark(theirs, [*command, "lifetimes", name, str(people)]))
        limit = (1 / 15, theirs) if name in value.FITTERS else None
        made.append(
            Benchmark(f"1 M customers, {name}: distinct rows", [*command, "fit", name, str(people)], times=limit)
        )
    made.append(Benchmark("1 M customers scored", [*command, "score", "BG/NBD", str(people)], seconds=3))
    for name in ("BG/NBD", "Pareto/NBD"):
        made.append(
            Benchmark(f"1 M customers, {name}: 200 resamples", [*command, "resample", name, str(people)], seconds=60)
        )
    return made


def benchmarks(lines: Path, people: Path) -> list[Benchmark]:
    """All benchmarks, in the order they are run, on files of ten million order lines and of a million customers."""
    python, perennial = sys.executable, str(Path(sys.executable).parent / "perennial")
    opened = [python, "-c", OPEN.format(name="completejourney")]
    reading = [python, "-m", "tests.benchmarks.reading"]
    copied = "10 M lines: DuckDB's own copy"
    return [
        Benchmark("cdnow report, nothing cached", [perennial, "report", "cdnow"], "cdnow", 60, 2000),
        Benchmark("cdnow report, tables cached", [perennial, "report", "cdnow"], "", 60, 2000),
        Benchmark("cdnow check, tables cached", [perennial, "check", "cdnow"], "", 10),
        Benchmark("demo report, nothing cached", [perennial, "report", "demo"], "demo"),
        Benchmark(
            "completejourney report, nothing cached", [perennial, "report", "completejourney"], "completejourney"
        ),
        Benchmark("completejourney tables, 1.47 M lines", opened, "completejourney"),
        Benchmark("completejourney opened from the cache", opened, "", 5),
        Benchmark(copied, [*reading, "copy", str(lines)]),
        Benchmark("10 M lines: canonical Parquet", [*reading, "canonical", str(lines)], "", None, 4000, (2, copied)),
        Benchmark(
            "10 M lines: client opened, with its customer summary", [*reading, "opened", str(lines)], "", None, 4000
        ),
        *of_value(people),
    ]


def main() -> int:
    """Run all, print the table; non-zero where a command failed or a limit was passed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--only", default="", help="run those whose name contains this")
    chosen = arguments.parse_args()
    table = Table(
        "benchmark", "runs", "seconds (min, median, max)", "whole process", "peak MB", "limit", "",
        title=f"{os.cpu_count()} cores",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        lines, people = Path(folder) / "lines.csv", Path(folder) / "people.parquet"
        picked = [one for one in benchmarks(lines, people) if chosen.only in one.name]
        if any(str(lines) in one.command for one in picked):
            make(lines, LINES)
        if any(str(people) in one.command for one in picked):
            value.make(people)
        found = measure(picked, chosen.runs)
    medians = {name: statistics.median(one.seconds for one in results) for name, results in found.items()}
    broken = False
    for one in picked:
        results = found[one.name]
        peak = max(result.megabytes for result in results)
        failed, over = any(result.code for result in results), passed_limit(one, medians, peak)
        broken |= failed or over
        verdict = "FAILED" if failed else "OVER" if over else ""
        whole = f"{statistics.median(result.whole for result in results):.1f}"
        table.add_row(one.name, str(chosen.runs), spread(results), whole, f"{peak:.0f}", one.limits(), verdict)
    Console(width=160).print(table)
    return int(broken)


def spread(results: list[Run]) -> str:
    """Least, median and most seconds."""
    seconds = sorted(result.seconds for result in results)
    digits = 1 if seconds[0] >= 2 else 2
    return ", ".join(f"{one:.{digits}f}" for one in (seconds[0], statistics.median(seconds), seconds[-1]))


def measure(picked: list[Benchmark], rounds: int) -> dict[str, list[Run]]:
    """The runs of each benchmark, by its name; the benchmarks take turns."""
    found: dict[str, list[Run]] = {one.name: [] for one in picked}
    for _ in range(rounds):
        for one in picked:
            if one.forgets:
                forget(one.forgets)
            found[one.name].append(run(one.command))
    return found


def passed_limit(one: Benchmark, medians: dict[str, float], peak: float) -> bool:
    """Whether a benchmark's median seconds or its peak memory passed one of its limits."""
    median = medians[one.name]
    slow = bool(one.seconds and median > one.seconds)
    relative = bool(one.times and one.times[1] in medians and median > one.times[0] * medians[one.times[1]])
    return slow or relative or bool(one.megabytes and peak > one.megabytes)


if __name__ == "__main__":
    sys.exit(main())
