"""`fleetview chat`: one prompt to one model; the answer goes to standard output as it is made."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from contextlib import aclosing
from dataclasses import dataclass, field

from fleetview.author import author
from fleetview.cli.output import put_json
from fleetview.config import FleetConfig
from fleetview.present.numbers import count, duration, rate
from fleetview.present.text import visible
from fleetview.remote.connect import connect
from fleetview.remote.errors import Lost
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_model, pick_node
from fleetview_agent.wire import ChatChunk, ChatMessage, ChatRequest, Snapshot, Timings, Usage

DIM, NORMAL = "\x1b[2m", "\x1b[0m"


def read_prompt(arguments: Namespace) -> str:
    """What to ask: `-p`, or all of standard input where that is no terminal. Raises CommandError."""
    prompt: str | None = arguments.prompt
    if prompt is None and sys.stdin is not None and not sys.stdin.isatty():
        prompt = sys.stdin.read()
    if not (prompt and prompt.strip()):
        raise CommandError("there is nothing to ask; give a prompt with -p or on standard input", Exit.USAGE)
    return prompt


@dataclass
class Answer:
    """An answer as far as it has come."""

    began_at: float
    first_at: float | None = None
    texts: list[str] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None

    def add(self, chunk: ChatChunk) -> None:
        """Take one more piece."""
        if self.first_at is None and (chunk.text or chunk.thinking):
            self.first_at = time.monotonic()
        self.texts.append(chunk.text)
        self.finish_reason = chunk.finish_reason or self.finish_reason
        self.usage = chunk.usage or self.usage
        self.timings = chunk.timings or self.timings

    @property
    def time_to_first_token(self) -> float | None:
        """Seconds from the request to the first piece of text."""
        return None if self.first_at is None else self.first_at - self.began_at

    @property
    def tokens_per_second(self) -> float | None:
        """As the engine measured it."""
        return self.timings.predicted_per_second if self.timings else None


async def run(arguments: Namespace, config: FleetConfig, logins: Logins, prompt: str) -> int:
    """Ask, and print the answer as it comes; for programs, also what there was of one that broke off."""
    node = pick_node(config, arguments.node)
    async with connect(node, logins, interval=config.fleet.interval_seconds) as client:
        model = _model(arguments.model, node.name, await client.snapshot())
        messages: tuple[ChatMessage, ...] = (ChatMessage(role="user", content=prompt),)
        if arguments.system:
            messages = (ChatMessage(role="system", content=arguments.system), *messages)
        answer = Answer(time.monotonic())
        writer = Writer(silent=arguments.json)
        request = ChatRequest(model=model, messages=messages, user=author()[:256])
        try:
            async with aclosing(client.chat(request)) as chunks:
                async for chunk in chunks:
                    answer.add(chunk)
                    writer.write(chunk)
        except Lost:
            if arguments.json:
                _tell(answer, node.name, model, as_json=True)
            raise
        finally:
            writer.end()
    _tell(answer, node.name, model, as_json=arguments.json)
    return Exit.DONE


def _model(word: str | None, node: str, snapshot: Snapshot) -> str:
    """The model to ask: the one that is meant, or the only one that is ready. Raises CommandError."""
    if word is not None:
        return "/".join(pick_model(node, snapshot.backends, word))
    ready = [
        f"{state.backend}/{row.name}" for state in snapshot.backends for row in state.resident if row.phase == "ready"
    ]
    if len(ready) == 1:
        return ready[0]
    if ready:
        raise CommandError(f"several models are ready on {node}: say {' or '.join(ready)}", Exit.USAGE)
    raise CommandError(f"no model is ready on {node}; `fleetview load {node} MODEL` loads one", Exit.REFUSED)


class Writer:
    """Writes an answer piece by piece: as the model made it, unless a terminal could obey it.

    What the model thinks first goes, dimmed, to a watching terminal alone.
    """

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._watched = sys.stdout.isatty()
        self._thinks = sys.stderr.isatty()
        self._thinking = False
        self._last = "\n"

    def write(self, chunk: ChatChunk) -> None:
        """One more piece."""
        if self._silent:
            return
        if chunk.thinking and self._thinks:
            sys.stderr.write(f"{'' if self._thinking else DIM}{visible(chunk.thinking)}")
            sys.stderr.flush()
            self._thinking = True
        if chunk.text:
            self._end_thinking()
            sys.stdout.write(visible(chunk.text) if self._watched else chunk.text)
            sys.stdout.flush()
            self._last = chunk.text[-1]

    def end(self) -> None:
        """Whatever is written next begins a line."""
        self._end_thinking()
        if self._last != "\n":
            sys.stdout.write("\n")
            sys.stdout.flush()

    def _end_thinking(self) -> None:
        if self._thinking:
            sys.stderr.write(f"{NORMAL}\n\n")
            sys.stderr.flush()
            self._thinking = False


def _tell(answer: Answer, node: str, model: str, *, as_json: bool) -> None:
    """Print the figures; for programs, everything."""
    if as_json:
        put_json(
            {
                "node": node,
                "model": model,
                "content": "".join(answer.texts),
                "finish_reason": answer.finish_reason,
                "usage": answer.usage,
                "timings": answer.timings,
                "time_to_first_token_seconds": answer.time_to_first_token,
                "tokens_per_second": answer.tokens_per_second,
            }
        )
        return
    tokens = f" · {count(answer.usage.completion_tokens, 'token')}" if answer.usage else ""
    cut = " · cut at its length limit" if answer.finish_reason == "length" else ""
    first = duration(answer.time_to_first_token)
    sys.stderr.write(f"first token {first} · {rate(answer.tokens_per_second)} tok/s{tokens}{cut}\n")
