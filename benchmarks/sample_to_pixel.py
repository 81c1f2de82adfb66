"""How long a sample takes from the node's counters to the operator's terminal, over ssh on loopback.

The agent's figures are made up, so that each sample looks different from the one before it. Its time is taken as the
reading begins. The dashboard runs in a terminal of its own; a sample has arrived when the bytes that make the node's
row show both its load and its power have been read from that terminal. Both clocks are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time

from figures import promise, share, this_machine, times
from machine import Machine, a_machine, behind
from pane import Pane, a_dashboard

from fleetview.present.numbers import percent, watts
from fleetview.remote.connect import connect
from fleetview_agent.wire import Sample

NAME = "far"
PROMISED_SECONDS = 0.1
WARM_UP_SAMPLES = 5
REMEMBERED_SECONDS = 60.0
"""Between looks at the samples that the agent keeps, which are those of two minutes."""

MOST_INTERVALS = 2
"""After which a sample is not looked for any more: the figures come back, with the waves that they are made of."""

Shown = tuple[float, str]
"""When a row came to say what."""


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between samples; default %(default)s")
    parser.add_argument("--samples", type=int, default=150, help="default %(default)s")
    arguments = parser.parse_args()
    print(f"sample to pixel over ssh, every {arguments.interval:g} s; {this_machine()}", flush=True)
    with a_machine() as machine, machine.door() as server:
        fleet = machine.fleet_file(behind(server, NAME), interval=arguments.interval)
        with a_dashboard(fleet) as pane:
            pane.wait(lambda cells: " W " in cells.line(NAME), "the first figures")
            samples, shown = _follow(machine, pane, (arguments.samples + WARM_UP_SAMPLES) * arguments.interval)
    delays, unseen = _delays(samples[WARM_UP_SAMPLES:], shown)
    print(times(delays))
    print(f"samples that never stood on the terminal: {unseen}")
    kept = share(delays, 0.99) <= PROMISED_SECONDS and unseen == 0
    return promise(f"p99 at most {PROMISED_SECONDS * 1e3:g} ms, and every sample shown", kept=kept)


def _follow(machine: Machine, pane: Pane, seconds: float) -> tuple[list[Sample], list[Shown]]:
    """The samples that were read meanwhile, and what the row came to say."""
    shown: list[Shown] = []
    samples: dict[float, Sample] = {}
    began = time.time()
    ends, looks = began + seconds, began + REMEMBERED_SECONDS
    while (now := time.time()) < ends:
        if (at := pane.read(ends - now)) is not None:
            line = pane.cells.line(NAME)
            if not shown or line != shown[-1][1]:
                shown.append((at, line))
        if now > looks:
            looks += REMEMBERED_SECONDS
            samples |= asyncio.run(_remembered(machine))
    samples |= asyncio.run(_remembered(machine))
    return [sample for at, sample in sorted(samples.items()) if began < at < ends - 1], shown


async def _remembered(machine: Machine) -> dict[float, Sample]:
    """The samples that the agent keeps, by their times, asked for without ssh."""
    async with connect(machine.here) as client:
        return {sample.at: sample for sample in (await client.snapshot()).samples}


def _delays(samples: list[Sample], shown: list[Shown]) -> tuple[list[float], int]:
    """How long each sample took to be shown, and how many never were."""
    delays = []
    for sample, after in zip(samples, [*samples[1:], None], strict=True):
        figures = (f" {percent(sample.gpu_ratio)} ", f" {watts(sample.power_watts)} ")
        gone = sample.at + MOST_INTERVALS * (after.at - sample.at) if after else math.inf
        there = (at for at, line in shown if sample.at <= at < gone and all(figure in line for figure in figures))
        if (at := next(there, None)) is not None:
            delays.append(at - sample.at)
    return delays, len(samples) - len(delays)


if __name__ == "__main__":
    sys.exit(main())
