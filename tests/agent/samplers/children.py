"""What tests of programs need that print lines: a clock, waiting for what comes, and who is still there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from fleetview_agent.samplers.probing import Moment, Reading, Unreadable
from fleetview_agent.samplers.programs import LineProgram

AWAKE = Moment(0.0)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def until(holds: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)


def told(program: LineProgram, moment: Moment = AWAKE) -> str:
    """What a reading gives: the line, or why there is none."""
    try:
        return program.read(moment)
    except Unreadable as why:
        return f"unreadable: {why}"


def first_reading(read: Callable[[Moment], Reading]) -> Reading:
    """The first that has figures."""
    readings: list[Reading] = []

    def has_figures() -> bool:
        try:
            readings.append(read(AWAKE))
        except Unreadable:
            return False
        return True

    until(has_figures, "a reading with figures")
    return readings[-1]


def why_not(read: Callable[[Moment], Reading], part: str) -> str:
    """The reason in which `part` stands, once it is given."""
    reasons = [""]

    def given() -> bool:
        try:
            read(AWAKE)
        except Unreadable as why:
            reasons.append(str(why))
        return part in reasons[-1]

    until(given, f"the reason {part!r}, after {reasons[-1]!r}")
    return reasons[-1]


def is_gone(pid: int) -> bool:
    """Whether a process ended, be it that nobody took its exit status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def open_files() -> int:
    """How many descriptors we hold."""
    return len(tuple(Path("/proc/self/fd").iterdir()))


def a_script(path: Path, body: str) -> str:
    """A program for the shell."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
