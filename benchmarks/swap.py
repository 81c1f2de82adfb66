"""A swap by the agent against a fresh process that imports the engine, loads the same file and generates one token.

Two files of one model take turns. Of each pair one side goes first, of the next pair the other one; both have the same
context, threads, batch and flash attention, and the files are in the page cache. A swap takes from the wish to the word
that it is done, and so holds its plan, the end of the former model and one token; the fresh process takes from its
start to its token, and need not end. The agent holds one model meanwhile, as it always does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from figures import promise, spread, this_machine
from machine import Machine, a_machine
from operations import done, files

from fleetview.remote.connect import connect
from fleetview_agent.wire import LoadOptions, Operation, SwapRequest

MODELS = ("SmolLM2-135M-Instruct.Q8_0", "SmolLM2-135M-Instruct.Q4_1")
CONTEXT, BATCH = 2048, 512
THREADS = max(1, (os.cpu_count() or 2) - 1)
SETTINGS = f"[ollama]\nenabled = false\n[llamacpp]\nthreads = {THREADS}\n"
PHASES = ("plan", "drain", "evict", "load", "warm")
PROMISED_RATIO, PROMISED_SECONDS = 1.10, 0.1


@dataclass(frozen=True)
class Pair:
    """The same file, both ways."""

    swap_seconds: float
    fresh_seconds: float
    operation: Operation

    @property
    def promised_seconds(self) -> float:
        """What the swap may take."""
        return PROMISED_RATIO * self.fresh_seconds + PROMISED_SECONDS


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=12, help="default %(default)s")
    arguments = parser.parse_args()
    print(f"swap, {CONTEXT} tokens of context, {THREADS} threads; {this_machine()}", flush=True)
    with a_machine(SETTINGS) as machine:
        return tell(asyncio.run(measure(machine, arguments.pairs)))


async def measure(machine: Machine, number: int) -> list[Pair]:
    """Swap and start afresh in turn; the first pair of each file warms up and does not count."""
    pairs = []
    async with connect(machine.here) as client, aclosing(client.events(1.0)) as events:
        paths = await files(client, events, "llamacpp", MODELS)
        await done(client, events, wish(MODELS[-1]))
        for turn in range(number + len(MODELS)):
            model, path = MODELS[turn % len(MODELS)], paths[turn % len(MODELS)]
            fresh = await start_afresh(path) if turn // 2 % 2 else None
            seconds, operation = await done(client, events, wish(model))
            fresh = await start_afresh(path) if fresh is None else fresh
            if turn >= len(MODELS):
                pairs.append(Pair(seconds, fresh, operation))
    return pairs


def wish(model: str) -> SwapRequest:
    """To have this model in the place of the other one."""
    options = LoadOptions(context=CONTEXT)
    return SwapRequest(author="bench@desk", backend="llamacpp", model=model, options=options)


async def start_afresh(file: Path) -> float:
    """Seconds until a new process has generated a token."""
    script = Path(__file__).with_name("bare_load.py")
    words = [str(script), str(file), str(THREADS), str(CONTEXT), str(BATCH)]
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    said = await process.stdout.readline()
    seconds = time.perf_counter() - began
    assert said == b"token\n", "the fresh process generated nothing"
    await process.wait()
    return seconds


def tell(pairs: Sequence[Pair]) -> int:
    """Print the figures; the exit status."""
    print(f"  swap           {spread([pair.swap_seconds for pair in pairs], ' s', 3)}")
    print(f"  fresh process  {spread([pair.fresh_seconds for pair in pairs], ' s', 3)}")
    print(f"  ratio, in pairs {spread([pair.swap_seconds / pair.fresh_seconds for pair in pairs], '', 3)}")
    took = {phase: [in_phase(pair.operation, phase) for pair in pairs] for phase in PHASES}
    print(
        "  of the swap    "
        + "  ".join(f"{phase} {statistics.median(each) * 1e3:.0f} ms" for phase, each in took.items())
    )
    spare = [pair.promised_seconds - pair.swap_seconds for pair in pairs]
    print(f"  to spare       {spread([seconds * 1e3 for seconds in spare], ' ms')}")
    what = f"a swap takes at most {PROMISED_RATIO:.2f} × a fresh process + {PROMISED_SECONDS * 1e3:.0f} ms"
    return promise(what, kept=statistics.median(spare) >= 0)


def in_phase(operation: Operation, phase: str) -> float:
    """Seconds of one phase."""
    return sum(row.seconds or 0.0 for row in operation.phases if row.phase == phase)


if __name__ == "__main__":
    sys.exit(main())
