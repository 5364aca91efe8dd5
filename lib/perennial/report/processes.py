"""Processes seen from outside: what a tree of them uses, how to end it, and how a child goes with its parent."""

import os
import sys
import time

import psutil

_MEGABYTE = 1024**2


def kill_tree(pid: int | None) -> None:
    """Kill a process and everything below it."""
    for process in reversed(_tree(pid)):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def memory_mb(pid: int) -> float:
    """Resident memory of one process, in megabytes."""
    return psutil.Process(pid).memory_info().rss / _MEGABYTE


def tree_memory_mb(pid: int | None) -> float:
    """Resident memory of a process and everything below it, in megabytes."""
    total = 0.0
    for process in _tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / _MEGABYTE


def _tree(pid: int | None) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end_with_parent(parent: int) -> None:
    """Watch the process that started this one, and go when it goes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def write_to(log: str) -> None:
    """What libraries print goes to a file, not into the progress display."""
    sys.stdout.flush()
    sys.stderr.flush()
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
