"""The dashboard itself: when it paints, what it takes with 8 nodes, and how it answers keys with many.

Nodes are sockets of this machine, which one agent with made-up figures serves at 1 Hz. What is compared with a bare
Textual app (`bare_app.py`) is measured in pairs, the two in turn.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from figures import promise, share, spread, this_machine, times
from machine import Machine, a_machine
from many_nodes import DESCRIPTORS, MIB, many_sockets
from pane import Cells, Pane, a_dashboard, in_a_pane

COLUMNS, ROWS = 80, 24
EIGHT = 8
FLEETS = (32, 64, 128, 256)
SETTLE_SECONDS = 5.0
PAUSE_SECONDS = 0.15
"""Between two keys, on average: somebody who moves quickly."""
PROMISED_PAINT_SECONDS, PROMISED_PAINT_RATIO = 0.6, 1.15
PROMISED_EIGHT = (0.03, 88 * MIB, 6e3)
PROMISED_MANY = 0.25
PROMISED_KEY_SECONDS = 0.05
MARK = "▸"
PARTS = ("first-paint", "eight", "many")

Program = Callable[[], AbstractContextManager[Pane]]


@dataclass(frozen=True)
class Taken:
    """What a program took while it was watched."""

    share: float
    """Of one core."""
    memory: int
    bytes_per_second: float


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=PARTS, help="default: all")
    parser.add_argument("--pairs", type=int, default=9, help="starts of each program; default %(default)s")
    parser.add_argument("--seconds", type=float, default=60.0, help="watched each; default %(default)s")
    parser.add_argument("--keys", type=int, default=300, help="pressed for each fleet; default %(default)s")
    arguments = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))
    print(f"the dashboard at {COLUMNS}x{ROWS}; {this_machine()}", flush=True)
    missed = 0
    with a_machine() as machine:
        if "first-paint" in arguments.parts:
            missed |= with_fleet(machine, EIGHT, lambda fleet: first_paint(fleet, arguments.pairs))
        if "eight" in arguments.parts:
            missed |= with_fleet(machine, EIGHT, lambda fleet: eight(fleet, arguments.seconds))
        for count in FLEETS if "many" in arguments.parts else ():
            missed |= with_fleet(
                machine, count, lambda fleet, n=count: many(fleet, n, arguments.seconds, arguments.keys)
            )
    return missed


def with_fleet(machine: Machine, count: int, measure: Callable[[Path], int]) -> int:
    """Measure with so many nodes."""
    folder = machine.folder / f"fleet-{count}"
    folder.mkdir(exist_ok=True)
    with many_sockets(folder, count) as nodes:
        return measure(machine.fleet_file(*nodes))


def bare() -> AbstractContextManager[Pane]:
    """The bare app."""
    return in_a_pane((sys.executable, str(Path(__file__).with_name("bare_app.py"))), COLUMNS, ROWS)


def dashboard(fleet: Path) -> Program:
    """The dashboard of that fleet."""
    return lambda: a_dashboard(fleet, COLUMNS, ROWS)


def first_paint(fleet: Path, pairs: int) -> int:
    """From the start of each program until its first line stands on the terminal."""
    ours, theirs = [], []
    for _ in range(pairs + 1):
        theirs.append(_painted(bare, lambda cells: "bare" in cells.text()))
        ours.append(_painted(dashboard(fleet), lambda cells: "NODE" in cells.text() and "help" in cells.text()))
    ours, theirs = ours[1:], theirs[1:]  # the first of each fills the caches
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    print(f"first paint, dashboard: {spread(ours, ' s', 2)}")
    print(f"first paint, bare app:  {spread(theirs, ' s', 2)}")
    print(f"median of the pairs' ratios: {ratio:.2f}")
    kept = statistics.median(ours) <= PROMISED_PAINT_SECONDS or ratio <= PROMISED_PAINT_RATIO
    return promise(f"first paint within {PROMISED_PAINT_SECONDS} s or {PROMISED_PAINT_RATIO} of a bare app", kept=kept)


def _painted(program: Program, shown: Callable[[Cells], bool]) -> float:
    """Seconds from exec until it shows."""
    began = time.monotonic()
    with program() as pane:
        pane.wait(shown, "the first picture")
        return time.monotonic() - began


def eight(fleet: Path, seconds: float) -> int:
    """What the dashboard takes with 8 nodes, and what the bare app takes, in turn."""
    ours, theirs = [], []
    for _ in range(3):
        theirs.append(_watched(bare, lambda cells: "bare" in cells.text(), seconds / 3))
        ours.append(_watched(dashboard(fleet), _all_up(EIGHT), seconds))
    for name, taken in (("dashboard, 8 nodes", ours), ("bare app", theirs)):
        print(f"{name}: {spread([one.share * 100 for one in taken], ' % of a core')}")
        print(f"  {spread([one.memory / MIB for one in taken], ' MiB resident', 0)}")
        print(f"  {spread([one.bytes_per_second / 1e3 for one in taken], ' kB/s to the terminal')}")
    middle = (
        statistics.median(one.share for one in ours),
        statistics.median(one.memory for one in ours),
        statistics.median(one.bytes_per_second for one in ours),
    )
    kept = all(got <= most for got, most in zip(middle, PROMISED_EIGHT, strict=True))
    return promise("8 nodes: at most 3 % of a core, 88 MiB, 6 kB/s", kept=kept)


def _watched(program: Program, ready: Callable[[Cells], bool], seconds: float) -> Taken:
    """What a program takes once it is ready."""
    with program() as pane:
        pane.wait(ready, "it to be ready", 120.0)
        pane.follow(SETTLE_SECONDS)
        return _taken(pane, seconds)


def _taken(pane: Pane, seconds: float) -> Taken:
    """What it takes from now on."""
    before, written = pane.process.cpu_times(), pane.written
    pane.follow(seconds)
    after = pane.process.cpu_times()
    busy = after.user + after.system - before.user - before.system
    return Taken(busy / seconds, pane.process.memory_info().rss, (pane.written - written) / seconds)


def many(fleet: Path, count: int, seconds: float, keys: int) -> int:
    """What the dashboard takes with so many nodes, and how long after a key the selection has moved."""
    with a_dashboard(fleet, COLUMNS, ROWS) as pane:
        pane.wait(_all_up(count), "all nodes to be up", 120.0)
        pane.follow(SETTLE_SECONDS)
        taken = _taken(pane, seconds)
        delays = [_key_to_paint(pane, "k" if number // 25 % 2 else "j") for number in range(keys)]
    print(f"{count} nodes: {taken.share:.1%} of a core, {taken.memory / MIB:.0f} MiB", end=", ")
    print(f"{taken.bytes_per_second / 1e3:.1f} kB/s to the terminal; key to paint {times(delays)}", flush=True)
    if count < FLEETS[-1]:
        return 0
    kept = taken.share <= PROMISED_MANY and share(delays, 0.99) <= PROMISED_KEY_SECONDS
    return promise(f"{count} nodes: at most {PROMISED_MANY:.0%} of a core, key to paint p99 at most 50 ms", kept=kept)


def _key_to_paint(pane: Pane, key: str) -> float:
    """Seconds from a key until the mark stands on another row, pressed at any moment of a second."""
    pane.follow(random.uniform(0, 2 * PAUSE_SECONDS))  # noqa: S311 -- nothing is to be kept secret
    before = _marked(pane.cells)
    pane.press(key)
    return pane.wait(lambda cells: _marked(cells) not in {before, None}, "the selection to move", 10.0)


def _marked(cells: Cells) -> str | None:
    """The name in the selected row, while one is marked."""
    rows = ["".join(row) for row in cells.rows]
    marked = [row.split()[1] for row in rows if row.startswith(MARK) and len(row.split()) > 1]
    return marked[0] if len(marked) == 1 else None


def _all_up(count: int) -> Callable[[Cells], bool]:
    """Whether the header says so."""
    return lambda cells: f"{count} of {count} up" in cells.text()


if __name__ == "__main__":
    sys.exit(main())
