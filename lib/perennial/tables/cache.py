"""Folders of results that are made once: written beside and renamed into place, so that none is ever half made."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

KEPT_CACHES = 3


def cached_folder(home: Path, key: str, make: Callable[[Path], None]) -> Path:
    """The folder ``home/key``, made by ``make`` in a neighbouring place first if it is not there yet."""
    folder = home / key
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{key}.lock"):
        if not folder.exists():
            staging = Path(tempfile.mkdtemp(prefix=".making-", dir=home))
            try:
                make(staging)
                staging.rename(folder)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                raise
        folder.touch()
    _prune(home, keep=folder)
    return folder


def _prune(home: Path, keep: Path) -> None:
    caches = [p for p in home.iterdir() if p.is_dir() and not p.name.startswith(".making-") and p != keep]
    caches.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for old in caches[KEPT_CACHES - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
        (home / f"{old.name}.lock").unlink(missing_ok=True)


def fingerprint(*parts: object) -> str:
    """Sixteen hexadecimal digits that stand for all the parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(json.dumps(part, sort_keys=True, default=str).encode() + b"\0")
    return digest.hexdigest()[:16]


def code_fingerprint(folders: Iterable[Path]) -> str:
    """A digest of Python source, so that a change of code makes its results anew."""
    sources = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return fingerprint(*[(path.name, path.read_text(encoding="utf-8")) for path in sources])


def sha256(path: Path, remembered: Path) -> str:
    """The digest of a file, taken again only when its size, time of change or inode has changed.

    ``remembered`` is the JSON file that keeps digests between runs.
    """
    with FileLock(remembered.with_suffix(".lock")):
        known = _known(remembered)
        entry = known.get(str(path))
        if entry is None or entry["stamp"] != _stamp(path):
            entry = {"stamp": _stamp(path)}
            with path.open("rb") as file:
                entry["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
            fresh = remembered.with_suffix(".new")
            fresh.write_text(json.dumps({**known, str(path): entry}), encoding="utf-8")
            fresh.replace(remembered)
    return str(entry["sha256"])


def is_remembered(path: Path, remembered: Path) -> bool:
    """Whether :func:`sha256` knows the file's digest without taking it."""
    entry = _known(remembered).get(str(path))
    return entry is not None and bool(entry["stamp"] == _stamp(path))


def _known(remembered: Path) -> dict[str, Any]:
    return json.loads(remembered.read_text(encoding="utf-8")) if remembered.is_file() else {}


def _stamp(path: Path) -> list[str | int]:
    facts = path.stat()
    return [str(path), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
