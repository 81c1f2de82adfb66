"""The end of processes that need not be our children: asked for, waited for, noticed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterable, Sequence

import psutil

from fleetview_agent.errors import BackendFailed

POLL_SECONDS = 0.05
SAME_SECONDS = 5.0
"""How far two readings of one process's start may lie apart; the system's clock moves."""
FORCE_SECONDS = 3.0
"""How long a process may take to vanish after SIGKILL, and orphans after their parent."""


def running(pid: int, created_at: float) -> bool:
    """Whether that very process still runs."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - created_at) < SAME_SECONDS and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def below(pid: int) -> tuple[psutil.Process, ...]:
    """All processes that it started, theirs included."""
    try:
        return tuple(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return ()


def reap(pid: int) -> int | None:
    """The exit status of an ended child of ours, negative for a signal; None for one that runs or is not ours."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


async def last_status(pid: int) -> int | None:
    """The exit status of a process that has ended; None where it was not our child.

    One of several threads is a zombie some time before its status can be had: its other threads end after the first.
    """
    deadline = time.monotonic() + FORCE_SECONDS
    while True:
        status = reap(pid)
        if status is not None or not _is_our_child(pid) or time.monotonic() > deadline:
            return status
        await asyncio.sleep(POLL_SECONDS)


async def end(pid: int, created_at: float, *, seconds: float, insist: bool) -> int | None:
    """Ask a process to end and wait until it and all below it are gone; its exit status where it is our child.

    One that does not end in time is killed where we may insist. Raises BackendFailed.
    """
    if not running(pid, created_at):
        return await last_status(pid)
    children = below(pid)
    _signal(pid, signal.SIGTERM)
    status, gone = await _gone(pid, created_at, seconds)
    if not gone and not insist:
        raise BackendFailed(f"process {pid} was asked to end and did not within {seconds:.0f} s", f"kill -KILL {pid}")
    if not gone:
        _signal(pid, signal.SIGKILL)
        status, gone = await _gone(pid, created_at, FORCE_SECONDS)
    if not gone:
        raise BackendFailed(f"process {pid} does not end, not even by force", "the system may have to be restarted")
    if not await vanish(children, FORCE_SECONDS) and insist:
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        await vanish(children, FORCE_SECONDS)
    return status


async def vanish(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Wait until they are gone; whether they are."""
    deadline = time.monotonic() + seconds
    while any(_is_there(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)
    return True


def processes_of(pids: Iterable[int]) -> tuple[psutil.Process, ...]:
    """Those that are there, by their numbers, and all below them."""
    found: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [psutil.Process(pid), *below(pid)]
    return tuple(found)


async def _gone(pid: int, created_at: float, seconds: float) -> tuple[int | None, bool]:
    """Wait for a process; its exit status where we can have it, and whether it is gone."""
    deadline = time.monotonic() + seconds
    while running(pid, created_at):
        if time.monotonic() > deadline:
            return None, False
        await asyncio.sleep(POLL_SECONDS)
    return await last_status(pid), True


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal. Raises BackendFailed."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as problem:
        raise BackendFailed(f"process {pid} belongs to another account, which must end it") from problem


def _is_our_child(pid: int) -> bool:
    """Whether it is there, running or not, and ours."""
    try:
        return psutil.Process(pid).ppid() == os.getpid()
    except psutil.NoSuchProcess:
        return False


def _is_there(process: psutil.Process) -> bool:
    """Whether it runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
