"""A made-up fleet in one process, which ends with whoever started it and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fleetview_agent.errors import ConfigError
from fleetview_agent.simulation.machines import MachineSpec
from fleetview_agent.simulation.node import Clock, live

MARK = ".fleetview-simulation"
"""A file that says of a folder: everything in it may be removed."""
BEGIN_SECONDS = 14 * 3600.0
"""Of the made-up day: early in the afternoon, when most is asked."""


def simulate(folder: Path, specs: Sequence[MachineSpec], seed: str, *, has_past: bool) -> None:
    """Serve these machines, each at `FOLDER/NAME/agent.sock`, until standard input closes or a signal comes.

    Raises ConfigError for a folder that holds anything else.
    """
    with _throwaway(folder):
        asyncio.run(_simulate(folder, specs, seed, has_past=has_past))


async def _simulate(folder: Path, specs: Sequence[MachineSpec], seed: str, *, has_past: bool) -> None:
    """Let every machine live until told to end."""
    ended = asyncio.Event()
    _watch_the_end(ended.set)
    began, zero = time.time(), time.monotonic()
    clock = Clock(
        now=lambda: BEGIN_SECONDS + time.monotonic() - zero,
        wall=lambda: began + time.monotonic() - zero,
    )
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(live(spec, folder / spec.name, seed, clock, has_past=has_past)) for spec in specs]
        await ended.wait()
        for task in lives:
            task.cancel()


def _watch_the_end(end: Callable[[], None]) -> None:
    """Call `end` when standard input closes, as it does when its other end has died, or when a signal comes."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    if sys.stdin is None:  # closed before we began
        return
    descriptor = sys.stdin.fileno()

    def read() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            end()

    try:
        loop.add_reader(descriptor, read)
    except PermissionError:  # a file, or /dev/null: nobody is at its other end, and a signal will come
        return


@contextmanager
def _throwaway(folder: Path) -> Iterator[None]:
    """A folder that is gone afterwards. Raises ConfigError where that would take anything that is not ours."""
    if folder.is_symlink():  # what it leads to would stay behind
        raise ConfigError(f"{folder} is a link to another folder", "name a folder that is not there yet")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise ConfigError(f"{folder} holds something else", "name a folder that is not there yet")
        (folder / MARK).touch()
    except OSError as problem:
        raise ConfigError(f"{folder}: {problem.strerror or problem}", "name another folder") from problem
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
