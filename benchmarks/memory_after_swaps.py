"""The agent's own memory after many swaps, against what it was after the first few.

What is counted is the resident memory of the agent's process, without its children's: once with simulated models, once
with real ones by llama.cpp. A client follows its events meanwhile. The figure is that of the end of the swaps that are
named; whatever grows with every swap grows a fortyfold more in the first case, and sixfold in the second.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing

from figures import promise, this_machine
from machine import SIMULATED, Machine, a_machine
from operations import done, files

from fleetview.remote.connect import connect
from fleetview_agent.wire import LoadOptions, SwapRequest

MB = 1_000_000
FEW = 5
"""Swaps after which everything has been imported and used once."""
STEPS = 5
"""Figures on the way to the last one."""
CONTEXT = 512
PROMISED_MB = 5.0
REAL = "[ollama]\nenabled = false\n"
REAL_MODELS = ("SmolLM2-135M-Instruct.Q8_0", "SmolLM2-135M-Instruct.Q4_1")
SIMULATED_MODELS = ("sim-small", "sim-large")


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulated", type=int, default=200, help="swaps; default %(default)s, 0 for none")
    parser.add_argument("--real", type=int, default=30, help="swaps by llama.cpp; default %(default)s, 0 for none")
    arguments = parser.parse_args()
    print(f"memory of the agent after swaps; {this_machine()}", flush=True)
    status = 0
    if arguments.simulated:
        status |= judge("simulated", SIMULATED, SIMULATED_MODELS, arguments.simulated)
    if arguments.real:
        status |= judge("llamacpp", REAL, REAL_MODELS, arguments.real)
    return status


def judge(backend: str, settings: str, models: Sequence[str], swaps: int) -> int:
    """Measure one of the cases and tell; the exit status."""
    with a_machine(settings) as machine:
        memory = asyncio.run(measure(machine, backend, models, swaps))
    told = "  ".join(f"{number}: {used / MB:.1f} MB" for number, used in memory.items())
    grown = (memory[swaps] - memory[min(FEW, swaps)]) / MB
    print(f"{backend}, after swap {told}", flush=True)
    what = f"{backend}: after {swaps} swaps {grown:+.1f} MB, at most {PROMISED_MB:g} MB more than after {FEW}"
    return promise(what, kept=grown <= PROMISED_MB)


async def measure(machine: Machine, backend: str, models: Sequence[str], swaps: int) -> dict[int, int]:
    """What the agent has in memory after the first few swaps, the last one, and some between, in bytes."""
    process = machine.agent.process
    assert process is not None
    memory = {}
    looks = {FEW, *range(swaps // STEPS, swaps, max(1, swaps // STEPS)), swaps}
    async with connect(machine.here) as client, aclosing(client.events(1.0)) as events:
        if backend == "llamacpp":
            await files(client, events, backend, models)
        for number in range(1, swaps + 1):
            await done(client, events, wish(backend, models[number % len(models)]))
            if number in looks:
                memory[number] = int(process.memory_info().rss)
    return memory


def wish(backend: str, model: str) -> SwapRequest:
    """To have this model in the place of the other one."""
    return SwapRequest(author="bench@desk", backend=backend, model=model, options=LoadOptions(context=CONTEXT))


if __name__ == "__main__":
    sys.exit(main())
