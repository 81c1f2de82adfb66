"""What the agent costs while somebody watches it once a second and nothing happens.

One client follows the agent's events. The agent is a process of its own with both engines configured; what is counted
is its time on the processors, whoever else wants them, and its resident memory, without its children's. Each case has
an agent of its own, and the cases take turns.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from figures import promise, spread
from machine import Machine, a_machine
from ollamas import a_program, a_server

from fleetview.remote.connect import connect
from fleetview_agent.wire import Sampled
from tests.ollama.servers import free_port
from tests.openssh import a_short_folder

MIB = 1 << 20
SETTLE_SAMPLES = 6
"""In a row, with nothing else told between them: what is done once after the start is not what is done at rest."""
PROMISED_SHARE, PROMISED_MIB = 0.005, 56.0
OFF = "[ollama]\nenabled = false\n"


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    share: float
    """Of one core."""
    memory_mib: float


def measure(seconds: int, rounds: int) -> int:
    """Measure and tell; the exit status."""
    with a_short_folder() as folder, the_cases(folder) as cases:
        costs: dict[str, list[Cost]] = {case: [] for case in cases}
        for _ in range(rounds):
            for case, text in cases.items():
                with a_machine(text) as machine:
                    costs[case] += asyncio.run(watch(machine, seconds))
    for case, measured in costs.items():
        tell(case, measured)
    shares = [statistics.median(cost.share for cost in measured) for measured in costs.values()]
    most = max(cost.memory_mib for measured in costs.values() for cost in measured)
    what = f"in every case at most {PROMISED_SHARE:.1%} of a core and {PROMISED_MIB:g} MiB"
    return promise(what, kept=max(shares) <= PROMISED_SHARE and most <= PROMISED_MIB)


def tell(what: str, measured: Sequence[Cost]) -> None:
    """Print what something took in all rounds."""
    print(what)
    print(f"  {spread([cost.share * 100 for cost in measured], ' %', 2)} of a core")
    print(f"  {spread([cost.memory_mib for cost in measured], ' MiB')}", flush=True)


@contextmanager
def the_cases(folder: Path) -> Iterator[dict[str, str]]:
    """The settings of the agent in each case, while the servers run that they are about."""
    program = a_program(folder)
    with ExitStack() as stack:
        empty = stack.enter_context(a_server(program, folder / "empty", resident=False))
        full = stack.enter_context(a_server(program, folder / "full", resident=True))
        yield {
            "Ollama is off": OFF,
            "Ollama is not installed": settings(f"127.0.0.1:{free_port()}", folder / "nothing", folder / "absent"),
            "Ollama is stopped": settings(f"127.0.0.1:{free_port()}", program, folder / "stopped"),
            "Ollama answers, no model is resident": settings(empty.address, program, empty.models),
            "Ollama answers, one model is resident": settings(full.address, program, full.models),
        }


def settings(address: str, program: Path, models: Path) -> str:
    """The agent's, for one server."""
    return f'[ollama]\naddress = "{address}"\nprogram = "{program}"\nmodels = "{models}"\n'


async def watch(
    machine: Machine,
    seconds: int,
    others: Sequence[psutil.Process] = (),
    each_second: Callable[[], None] = lambda: None,
) -> list[Cost]:
    """Follow the agent's events; what it took meanwhile, and then what each of the others took."""
    assert machine.agent.process is not None
    processes = (machine.agent.process, *others)
    before, seen = [spent(process) for process in processes], -SETTLE_SAMPLES
    async with connect(machine.here) as client, aclosing(client.events(1.0)) as events:
        async for event in events:
            if isinstance(event, Sampled):
                each_second()
                seen += 1
                if seen == 0:
                    before = [spent(process) for process in processes]
                if seen == seconds:
                    break
            elif seen < 0:
                seen = -SETTLE_SAMPLES
        return [
            Cost((spent(process) - earlier) / seconds, process.memory_info().rss / MIB)
            for process, earlier in zip(processes, before, strict=True)
        ]


def spent(process: psutil.Process) -> float:
    """Seconds on the processors so far."""
    times = process.cpu_times()
    return times.user + times.system
