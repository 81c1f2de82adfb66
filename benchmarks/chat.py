"""A chat over ssh and over the agent's own socket, each against the engine called directly, in pairs.

A real small model answers the same prompts on both sides of a pair, at temperature 0, with as many threads as the
machine has cores but one. No prompt was read before: it begins with a word of its own. Both sides must read the same
number of tokens and give the same answer. The engine alone is the loop that llama-cpp-python offers for generating
tokens, which does less than its chat completions do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from figures import promise, spread, this_machine
from machine import REAL, a_machine, behind

from fleetview.config import NodeConfig
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview_agent.wire import ChatMessage, ChatRequest, LoadOptions, LoadRequest, OperationChanged, Usage

BACKEND, MODEL = "llamacpp", "SmolLM2-135M-Instruct.Q4_1"
CONTEXT = 512
WORDS = ("amber", "birch", "coral", "delta", "ember", "frost", "grove", "haven", "ivory", "jolly", "karma", "lemon")
PROMISED_RATIO, PROMISED_SECONDS = 0.97, 0.015


@dataclass(frozen=True)
class Answer:
    """What came, and when."""

    text: str
    prompt_tokens: int
    tokens: int
    first_seconds: float
    last_seconds: float

    @property
    def rate(self) -> float:
        """Tokens per second, by the time between the first and the last one."""
        return (self.tokens - 1) / (self.last_seconds - self.first_seconds)


class BareEngine:
    """The engine in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self, prompt: str, limit: int, *, raw: bool = False) -> Answer:
        """Ask it; with `raw`, have it go on with a text, so far as the limit allows."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"prompt": prompt, "limit": limit, "raw": raw}) + "\n")
        self._process.stdin.flush()
        return Answer(**json.loads(self._process.stdout.readline()))


@contextmanager
def a_bare_engine(file: Path) -> Iterator[BareEngine]:
    """llama.cpp with the model in it."""
    script = Path(__file__).with_name("bare_engine.py")
    command = [sys.executable, str(script), str(file), str(max(1, (os.cpu_count() or 2) - 1)), str(CONTEXT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield BareEngine(process)
        process.communicate()


async def load(client: AgentClient) -> Path:
    """See that the model is in memory; where its file lies."""
    async with aclosing(client.events(1.0)) as events:
        await anext(events)
        wish = LoadRequest(author="bench@desk", backend=BACKEND, model=MODEL, options=LoadOptions(context=CONTEXT))
        operation = await client.operate(wish)
        async for event in events:
            if isinstance(event, OperationChanged) and event.operation.id == operation and event.operation.result:
                assert event.operation.result == "done", event.operation.cause
                break
    snapshot = await client.snapshot()
    models = (model for state in snapshot.backends for model in state.models)
    return next(Path(model.path) for model in models if model.name == MODEL and model.path)


async def ask(client: AgentClient, prompt: str, limit: int) -> Answer:
    """An answer by the agent."""
    request = ChatRequest(
        model=f"{BACKEND}/{MODEL}",
        messages=(ChatMessage(role="user", content=prompt),),
        temperature=0.0,
        max_tokens=limit,
    )
    text, first, last = "", None, 0.0
    usage: Usage | None = None
    began = time.perf_counter()
    async with aclosing(client.chat(request)) as chunks:
        async for chunk in chunks:
            if chunk.text:
                last = time.perf_counter() - began
                first = first or last
            text += chunk.text
            usage = chunk.usage or usage
    assert first is not None
    assert usage is not None
    return Answer(text, usage.prompt_tokens, usage.completion_tokens, first, last)


def prompt_of(turn: int, way: int) -> str:
    """Long to answer, and with nothing in common with the ones before."""
    first, second = WORDS[turn % len(WORDS)], WORDS[(turn + way + 1 + turn // len(WORDS)) % len(WORDS)]
    return f"{first} {second}: write a long story about the sea, a lighthouse, and whoever lives there."


async def compare(ways: Mapping[str, NodeConfig], local: NodeConfig, rounds: int, limit: int) -> int:
    """Ask by each way and directly, in turn; the exit status."""
    async with AsyncExitStack() as stack:
        clients = {way: await stack.enter_async_context(connect(node)) for way, node in ways.items()}
        async with connect(local) as client:
            file = await load(client)
        engine = stack.enter_context(a_bare_engine(file))
        pairs: dict[str, list[tuple[Answer, Answer]]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for place, (way, client) in enumerate(clients.items()):
                prompt = prompt_of(turn, place)
                if turn % 2:
                    ours, bare = await ask(client, prompt, limit), engine.answer(prompt, limit)
                else:
                    bare, ours = engine.answer(prompt, limit), await ask(client, prompt, limit)
                assert (ours.text, ours.prompt_tokens, ours.tokens) == (bare.text, bare.prompt_tokens, bare.tokens)
                if turn:
                    pairs[way].append((ours, bare))
    return max([_tell(way, answers) for way, answers in pairs.items()])


def _tell(way: str, pairs: list[tuple[Answer, Answer]]) -> int:
    """Print what one way costs; the exit status."""
    ratios = [ours.rate / bare.rate for ours, bare in pairs]
    later = [ours.first_seconds - bare.first_seconds for ours, bare in pairs]
    best = max(ours.rate for ours, _ in pairs) / max(bare.rate for _, bare in pairs)
    soonest = min(ours.first_seconds for ours, _ in pairs) - min(bare.first_seconds for _, bare in pairs)
    print(f"{way} against the engine alone, {pairs[0][0].prompt_tokens} tokens read, {pairs[0][0].tokens} written")
    print(f"  tokens/s            {spread([ours.rate for ours, _ in pairs], '')}")
    print(f"  of the engine alone {spread([bare.rate for _, bare in pairs], '')}")
    print(f"  ratio, in pairs     {spread(ratios, '', 3)}  of the fastest of both {best:.3f}")
    print(f"  first token later   {spread([seconds * 1e3 for seconds in later], ' ms')}  {soonest * 1e3:.1f} ms")
    kept = statistics.median(ratios) >= PROMISED_RATIO and statistics.median(later) <= PROMISED_SECONDS
    return promise(f"{way}: at least {PROMISED_RATIO} of the tokens/s, first token at most 15 ms later", kept=kept)


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="pairs by each way; default %(default)s")
    parser.add_argument("--tokens", type=int, default=128, help="of each answer, at most; default %(default)s")
    arguments = parser.parse_args()
    print(f"chat with {MODEL}; {this_machine()}", flush=True)
    with a_machine(REAL) as machine, machine.door() as server:
        ways = {"over ssh": behind(server), "local socket": machine.here}
        return asyncio.run(compare(ways, machine.here, arguments.rounds, arguments.tokens))


if __name__ == "__main__":
    sys.exit(main())
