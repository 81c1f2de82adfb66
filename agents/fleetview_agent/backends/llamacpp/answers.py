"""The requests to one model: one is answered, the others wait in line."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from fleetview_agent.backends.llamacpp.meter import Meter
from fleetview_agent.errors import AgentError, BackendFailed, BadRequest, ContextExceeded
from fleetview_agent.llamacpp_worker.pipe import Frame
from fleetview_agent.wire import ChatChunk, Timings, Traffic, Usage


@dataclass(eq=False)
class Request:
    """One request, waiting or being answered."""

    command: Frame
    asked_at: float = field(default_factory=time.monotonic)
    first_text_at: float | None = None
    withdrawn: bool = False
    pieces: asyncio.Queue[ChatChunk | AgentError] = field(default_factory=asyncio.Queue)


class Answers:
    """The line before one model, and what its frames say about the request in hand.

    The next request is sent only when the child has confirmed the end of the one before it, also of a cancelled one.
    Nothing here waits for that: whoever cancels is free at once.
    """

    def __init__(self, model: str, send: Callable[[Frame], None], answered: Callable[[], None]) -> None:
        self._model = model
        self._send = send
        self._answered = answered
        self._line: deque[Request] = deque()
        self._current: Request | None = None
        self._count = 0
        self._meter = Meter()
        self._ended_at = time.monotonic()
        self.time_to_first_token_seconds: float | None = None
        """Of the last answer, from the asking on, waiting in line included."""

    @property
    def idle_seconds(self) -> float | None:
        """Since the last answer ended; None while one is running."""
        return None if self._current else time.monotonic() - self._ended_at

    async def stream(self, command: Frame) -> AsyncGenerator[ChatChunk, None]:
        """Ask, and yield the answer up to its last chunk; closing this cancels the request."""
        self._count += 1
        request = Request({**command, "id": self._count})
        self._line.append(request)
        self._go_on()
        try:
            while True:
                piece = await request.pieces.get()
                if isinstance(piece, AgentError):
                    raise piece
                yield piece
                if piece.finish_reason is not None:
                    return
        finally:
            self._withdraw(request)

    def receive(self, frame: Frame) -> None:
        """The child reports on the request in hand."""
        request = self._current
        if request is None or frame["id"] != request.command["id"]:
            return
        match frame["is"]:
            case "prompt":
                self._meter.prompt(frame["read"], frame["total"], frame["at"])
            case "tokens":
                self._meter.tokens(frame["n"], frame["at"])
                self._hand_on(request, frame["text"])
            case "done":
                self._end(request, _last_chunk(frame))
            case "exceeded":
                self._end(request, self._exceeded(frame))
            case "refused":
                self._end(request, BadRequest(f"{self._model} {frame['message']}", frame["hint"]))
            case "cancelled":
                self._end(request, BackendFailed(f"the answer of {self._model} was cancelled"))

    def fail(self, problem: AgentError) -> None:
        """End every request: the model is gone."""
        requests = [request for request in (self._current, *self._line) if request is not None]
        self._current = None
        self._line.clear()
        self._meter.ended()
        for request in requests:
            request.pieces.put_nowait(problem)

    def traffic(self, backend: str) -> Traffic:
        """What was done since the previous call; the token that warms a model is nobody's answer."""
        now = time.monotonic()
        answering = self._current is not None and self._current.command["do"] != "warm"
        return Traffic(
            backend=backend,
            model=self._model,
            in_flight=int(answering),
            queued=len(self._line),
            prompt_progress=self._meter.progress(),
            prompt_tokens_per_second=self._meter.prompt_rate(now),
            generation_tokens_per_second=self._meter.generation_rate(now, answering=self._current is not None),
        )

    def _go_on(self) -> None:
        """Send the next request, if the child is free."""
        if self._current is None and self._line:
            self._current = self._line.popleft()
            self._send(self._current.command)

    def _withdraw(self, request: Request) -> None:
        """Nobody wants this answer any more; or it has ended, and nothing is left to do."""
        if request in self._line:
            self._line.remove(request)
        elif request is self._current and not request.withdrawn:
            request.withdrawn = True
            self._send({"do": "cancel", "id": request.command["id"]})

    def _hand_on(self, request: Request, text: str) -> None:
        """Some text came; tokens without text are half a character or could begin a stop string."""
        if not text:
            return
        if request.first_text_at is None:
            request.first_text_at = time.monotonic()
        request.pieces.put_nowait(ChatChunk(text=text))

    def _end(self, request: Request, last: ChatChunk | AgentError) -> None:
        """The child is free again."""
        request.pieces.put_nowait(last)
        self._current = None
        self._ended_at = time.monotonic()
        self._meter.ended()
        if request.first_text_at is not None and request.command["do"] != "warm":
            self.time_to_first_token_seconds = request.first_text_at - request.asked_at
        self._go_on()
        self._answered()

    def _exceeded(self, frame: Frame) -> ContextExceeded:
        """The prompt is too long."""
        return ContextExceeded(
            f"the prompt has {frame['prompt_tokens']} tokens, and the context of {self._model} has room for "
            f"{frame['context']}, prompt and answer together",
            "shorten the conversation, or load the model with a larger context",
        )


def _last_chunk(frame: Frame) -> ChatChunk:
    """The end of an answer, with its figures."""
    return ChatChunk(
        finish_reason=frame["finish_reason"], usage=Usage(**frame["usage"]), timings=Timings(**frame["timings"])
    )
