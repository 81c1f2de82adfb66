"""What `fleetview bench` measures, against llama-cpp-python with nothing of ours around it, in pairs.

Both have the same file, threads, batch and flash attention, and read prompts of as many words that nobody has read
before. On both sides the first token belongs to the prompt, and the others to the generation.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys

from chat import BACKEND, MODEL, Answer, BareEngine, a_bare_engine, load
from figures import promise, spread, this_machine
from machine import REAL, a_machine

from fleetview.bench.prompts import prompt_of, rescaled
from fleetview.bench.task import Task
from fleetview.config import NodeConfig
from fleetview.measuring.runs import Run, one_run
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect

PROMISED = 0.03
PROBE_WORDS = 64


async def a_task(client: AgentClient, pp: int, tg: int) -> Task:
    """The model that was loaded, as `bench` takes it."""
    snapshot = await client.snapshot()
    resident = next(row for state in snapshot.backends for row in state.resident if row.name == MODEL)
    return Task("local", BACKEND, resident, None, snapshot.machine, None, pp, tg, 1)


async def compare(node: NodeConfig, rounds: int, pp: int, tg: int) -> int:
    """Measure both in turn; the exit status."""
    async with connect(node) as client:
        file = await load(client)
        task = await a_task(client, pp, tg)
        words = rescaled(PROBE_WORDS, (await one_run(client, task, PROBE_WORDS, 1)).prompt_tokens, pp)
        with a_bare_engine(file) as engine:
            pairs = [await _pair(client, engine, task, words, ours_first=bool(turn % 2)) for turn in range(rounds + 1)]
    return _tell(pairs[1:])


async def _pair(
    client: AgentClient, engine: BareEngine, task: Task, words: int, *, ours_first: bool
) -> tuple[Run, Answer]:
    """One run on each side."""
    if ours_first:
        return await one_run(client, task, words, task.tg), engine.answer(prompt_of(words), task.tg, raw=True)
    bare = engine.answer(prompt_of(words), task.tg, raw=True)
    return await one_run(client, task, words, task.tg), bare


def _tell(pairs: list[tuple[Run, Answer]]) -> int:
    """Print what came of it; the exit status."""
    assert all(run.generated_tokens == bare.tokens for run, bare in pairs)
    kept = []
    for what, ours, bare in (
        (
            "reads",
            [run.prompt_rate or 0.0 for run, _ in pairs],
            [one.prompt_tokens / one.first_seconds for _, one in pairs],
        ),
        ("writes", [run.rate or 0.0 for run, _ in pairs], [one.rate for _, one in pairs]),
    ):
        ratios = [one / other for one, other in zip(ours, bare, strict=True)]
        print(f"{what}, tokens/s        {spread(ours, '')}")
        print(f"  by the engine alone   {spread(bare, '')}")
        print(f"  ratio, in pairs       {spread(ratios, '', 3)}  of the fastest of both {max(ours) / max(bare):.3f}")
        kept.append(abs(statistics.median(ratios) - 1) <= PROMISED)
    return promise("within 3 % of the engine alone", kept=all(kept))


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="pairs; default %(default)s")
    parser.add_argument("--pp", type=int, default=256, help="tokens of each prompt; default %(default)s")
    parser.add_argument("--tg", type=int, default=128, help="tokens of each answer; default %(default)s")
    arguments = parser.parse_args()
    print(f"bench of {MODEL}; {this_machine()}", flush=True)
    with a_machine(REAL) as machine:
        return asyncio.run(compare(machine.here, arguments.rounds, arguments.pp, arguments.tg))


if __name__ == "__main__":
    sys.exit(main())
