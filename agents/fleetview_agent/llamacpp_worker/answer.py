"""One request: read the prompt, generate tokens, say what came of it."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

from llama_cpp import llama_cpp as library
from llama_cpp.llama_grammar import LlamaGrammar

from fleetview_agent.llamacpp_worker.engine import RANDOM_SEED, Engine
from fleetview_agent.llamacpp_worker.pipe import Send
from fleetview_agent.llamacpp_worker.prompt import Prompt
from fleetview_agent.llamacpp_worker.text import TextStream

FLUSH_SECONDS = 0.01
"""Tokens that come faster than this travel together; the first one never waits."""
DEFAULT_TEMPERATURE, DEFAULT_TOP_P = 0.8, 0.95
PIECE_BYTES = 256


class Cancelled(Exception):
    """Nobody wants the answer any more."""


@dataclass(frozen=True)
class Sampling:
    """How to generate."""

    limit: int
    temperature: float = DEFAULT_TEMPERATURE
    top_p: float = DEFAULT_TOP_P
    top_k: int = 40
    min_p: float = 0.05
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int = RANDOM_SEED
    stops: tuple[str, ...] = ()
    ignore_eos: bool = False
    """Whether to go on where the model would end."""
    grammar: LlamaGrammar | None = None
    """What the answer must follow."""


class Answer:
    """Generates one answer and reports it, by frames."""

    def __init__(self, engine: Engine, request: int, send: Send, unwanted: Callable[[], bool]) -> None:
        self._engine = engine
        self._request = request
        self._send = send
        self._unwanted = unwanted
        self._prompt_tokens = 0
        self._cached: int | None = None
        """Prompt tokens that need not be read; None before the first batch."""
        self._generated = 0
        self._first_at = self._last_at = 0.0
        self._text = ""
        self._unsent = 0
        self._sent_at = 0.0

    def run(self, prompt: Prompt, sampling: Sampling) -> None:
        """Answer. Raises Cancelled between two tokens or two batches; the engine can go on after that."""
        self._prompt_tokens = len(prompt.tokens)
        began_at = time.monotonic()
        text = TextStream((*sampling.stops, *prompt.stops))
        self._engine.watch = self._watch
        self._engine.set_seed(sampling.seed)
        with contextlib.closing(self._tokens(prompt, sampling)) as tokens:
            finish_reason: Literal["stop", "length"] = "length"
            for token in tokens:
                self._count()
                if self._is_end(token) and not sampling.ignore_eos:
                    finish_reason = "stop"
                    break
                self._text += text.feed(_piece(self._engine, token))
                if text.stopped or self._generated >= sampling.limit:
                    finish_reason = "stop" if text.stopped else "length"
                    break
                self._flush_now_and_then()
        self._text += text.finish()
        self._flush()
        self._send(self._done(finish_reason, began_at))

    def _tokens(self, prompt: Prompt, sampling: Sampling) -> Generator[int, None, None]:
        """One token after the other."""
        return self._engine.generate(
            prompt.tokens,
            temp=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            min_p=sampling.min_p,
            presence_penalty=sampling.presence_penalty,
            frequency_penalty=sampling.frequency_penalty,
            grammar=sampling.grammar,
        )

    def _is_end(self, token: int) -> bool:
        """Whether the model ends its answer with this token."""
        return bool(library.llama_vocab_is_eog(self._engine.vocabulary, token))

    def _watch(self, left: int) -> None:
        """Called before each batch, of the prompt or of one generated token."""
        if self._unwanted():
            raise Cancelled
        if self._generated:
            return
        if self._cached is None:
            self._cached = self._prompt_tokens - left
        self._send(
            {
                "is": "prompt",
                "id": self._request,
                "read": self._prompt_tokens - left,
                "total": self._prompt_tokens,
                "at": time.monotonic(),
            }
        )

    def _count(self) -> None:
        """A token came."""
        self._last_at = time.monotonic()
        self._generated += 1
        self._unsent += 1
        if self._generated == 1:
            self._first_at = self._last_at

    def _flush_now_and_then(self) -> None:
        if self._last_at - self._sent_at >= FLUSH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        """Send what is there."""
        if not self._unsent:
            return
        self._send({"is": "tokens", "id": self._request, "text": self._text, "n": self._unsent, "at": self._last_at})
        self._text, self._unsent, self._sent_at = "", 0, self._last_at

    def _done(self, finish_reason: str, began_at: float) -> dict[str, object]:
        """The last frame; rates are by the time between tokens, of which there is one less.

        The first token falls out of the reading of the prompt, and its time belongs there.
        """
        cached = self._cached or 0
        read, prompt_seconds = self._prompt_tokens - cached, self._first_at - began_at
        seconds, steps = self._last_at - self._first_at, self._generated - 1
        return {
            "is": "done",
            "id": self._request,
            "finish_reason": finish_reason,
            "usage": {
                "prompt_tokens": self._prompt_tokens,
                "completion_tokens": self._generated,
                "cached_tokens": cached,
            },
            "timings": {
                "cache_n": cached,
                "prompt_n": read,
                "prompt_ms": prompt_seconds * 1e3,
                "prompt_per_second": read / prompt_seconds if read and prompt_seconds > 0 else None,
                "predicted_n": self._generated,
                "predicted_ms": seconds * 1e3,
                "predicted_per_second": steps / seconds if steps and seconds > 0 else None,
            },
        }


def _piece(engine: Engine, token: int) -> bytes:
    """The bytes of one token; control tokens have none."""
    buffer = ctypes.create_string_buffer(PIECE_BYTES)
    size = library.llama_token_to_piece(engine.vocabulary, token, buffer, PIECE_BYTES, 0, False)
    if size < 0:
        buffer = ctypes.create_string_buffer(-size)
        size = library.llama_token_to_piece(engine.vocabulary, token, buffer, -size, 0, False)
    return buffer.raw[:size]
