"""Who holds the memory of this machine, looked up when somebody asks."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

import psutil

from fleetview_agent.wire import Processes, ProcessMemory

SHOWN = 20
_GONE = (psutil.Error, OSError)
"""The process has ended, or is none of our business."""


def largest(engines: Mapping[int, str], names: frozenset[str], number: int = SHOWN) -> Processes:
    """The processes that hold the most memory, as far as this account may see them. Blocking.

    `engines`: process → the backend that it serves, where that is known; `names`: backends whose servers' processes
    are called like them.
    """
    sizes: list[tuple[int, int]] = []
    for process in psutil.process_iter():
        try:
            sizes.append((process.memory_info().rss, process.pid))
        except _GONE:
            continue
    rows = (_row(pid, size, engines, names) for size, pid in heapq.nlargest(number, sizes) if size)
    return Processes(processes=tuple(row for row in rows if row is not None))


def _row(pid: int, size: int, engines: Mapping[int, str], names: frozenset[str]) -> ProcessMemory | None:
    """One process; None where it has ended meanwhile."""
    try:
        process = psutil.Process(pid)
        name = process.name()
    except _GONE:
        return None
    try:
        user: str | None = process.username()
    except (*_GONE, KeyError):  # an account without a name
        user = None
    backend = engines.get(pid) or (name if name in names else None)
    return ProcessMemory(pid=pid, name=name[:200], memory_bytes=size, user=user, serves=backend)
