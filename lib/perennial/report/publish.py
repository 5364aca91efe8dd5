"""Reports on disk: one run at a time per client, staged out of sight, published in one rename.

``reports/<client>/latest`` is a relative link that only ever points to a complete report.
"""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from perennial.errors import ReportError
from perennial.language import _

KEPT_RUNS = 5
_STAGING = ".staging-"
_FAILED = "-failed"


@contextmanager
def claim(home: Path) -> Iterator[None]:
    """Hold a client's reports for one run.

    Raises
    ------
    ReportError : another run of this client is under way.
    """
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / ".lock", timeout=0):
            clear_leftovers(home)
            yield
    except Timeout:
        message = _(
            "A report for {client} is being made by another process. Wait for it to end, or stop it first.",
            client=home.name,
        )
        raise ReportError(message) from None


def clear_leftovers(home: Path) -> None:
    """Remove what killed runs left; only while holding the claim."""
    for left in [*home.glob(f"{_STAGING}*"), *home.glob(".latest-*")]:
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def new_run(home: Path, now: dt.datetime) -> str:
    """A name for this run that sorts by time and is not taken."""
    base = f"{now:%Y-%m-%d_%H%M%S}"
    name, again = base, 2
    while (home / name).exists() or (home / f"{name}{_FAILED}").exists():
        name, again = f"{base}-{again}", again + 1
    return name


def new_staging(home: Path, run: str) -> Path:
    """A folder out of sight for the run's files."""
    staging = home / f"{_STAGING}{run}"
    for part in ("notebooks", "data"):
        (staging / part).mkdir(parents=True)
    return staging


def publish(staging: Path, home: Path, run: str, complete: bool) -> Path:
    """Rename a staged run into place; a complete one becomes ``latest``, a failed one stays aside."""
    folder = home / (run if complete else f"{run}{_FAILED}")
    os.rename(staging, folder)
    if complete:
        link = home / f".latest-{run}"
        link.symlink_to(folder.name, target_is_directory=True)
        os.replace(link, home / "latest")
    prune(home)
    return folder


def runs(home: Path) -> list[Path]:
    """Published runs of a client, oldest first, failed ones among them."""
    folders = [path for path in home.iterdir() if path.is_dir() and not path.is_symlink()]
    return sorted(path for path in folders if not path.name.startswith("."))


def is_failed(folder: Path) -> bool:
    """Whether a published run is one that stayed aside."""
    return folder.name.endswith(_FAILED)


def prune(home: Path) -> None:
    """Keep the last runs, and the one that ``latest`` points to whatever its age."""
    latest = (home / "latest").resolve()
    for old in runs(home)[:-KEPT_RUNS]:
        if old.resolve() != latest:
            shutil.rmtree(old, ignore_errors=True)
