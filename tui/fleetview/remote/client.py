"""One agent, asked over HTTP: a method for each of its requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from fleetview.fleet import DOWN_INTERVALS, STALE_INTERVALS
from fleetview.remote.answers import DONE, OPERATIONS, Accepted, decode_chunk, field_of_data, refusal
from fleetview.remote.errors import Lost, RemoteError, Unreachable
from fleetview.remote.greeting import first_event, is_snapshot, known_snapshot
from fleetview.remote.lines import LONGEST_BYTES, split_lines
from fleetview_agent.wire import (
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    Event,
    Generation,
    History,
    LogLine,
    LogLines,
    Operation,
    Order,
    Plan,
    Processes,
    ProcessMemory,
    Snapshot,
    StreamOptions,
    decode_event,
    understood,
)
from fleetview_agent.wire.numbers import parse

ANSWER_SECONDS = 30.0
"""How long a plain request may take."""
SILENCE_SLACK_SECONDS = 5.0
"""Granted to an event stream beyond its intervals."""
MOST_NONSENSE = 100
"""Lines without sense after which whatever tells them is no agent, unless its snapshot came before."""

Answer = TypeVar("Answer", bound=BaseModel)


class AgentClient:
    """What can be asked of one agent. Every method raises RemoteError and nothing else."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.name = name
        self.dropped = 0
        """Lines that made no sense."""
        self._http = http

    async def snapshot(self) -> Snapshot:
        """Everything that is true of the node now."""
        content = await self._ask("GET", "/api/snapshot")
        with self._ours():
            value = parse(content)
            return known_snapshot(self.name, value) if is_snapshot(value) else Snapshot.model_validate(value)

    async def events(self, interval: float) -> AsyncGenerator[Event, None]:
        """A snapshot, then what changes; raises Lost when the stream ends or falls silent.

        Raises Unreachable where what answers is no agent, or one of a version that cannot be understood.
        """
        silence = interval * DOWN_INTERVALS + SILENCE_SLACK_SECONDS
        query = {"interval": str(interval)}
        async with (
            self.answer("GET", "/api/events", query=query, seconds=silence) as response,
            aclosing(lines_of(response)) as lines,
        ):
            if not response.headers.get("content-type", "").startswith("application/x-ndjson"):
                raise self._no_agent()
            yield await self._greeting(lines, interval, silence)
            while True:
                try:
                    async with asyncio.timeout(silence):
                        event = await self._next_event(lines)
                except TimeoutError:
                    raise self._silent(silence) from None
                if event is not None:
                    yield event

    async def _greeting(self, lines: AsyncIterator[bytes | None], interval: float, silence: float) -> Snapshot:
        """The snapshot with which every stream begins; what is nothing but nonsense is soon called so."""
        nonsense = 0
        try:
            async with asyncio.timeout(silence) as patience:
                async for line in lines:
                    try:
                        event = first_event(self.name, line or b"")
                    except (ValueError, RecursionError):
                        self.dropped += 1
                        nonsense += 1
                        if nonsense == 1:
                            patience.reschedule(asyncio.get_running_loop().time() + interval * STALE_INTERVALS)
                        if line is None or nonsense == MOST_NONSENSE:
                            break
                        continue
                    if isinstance(event, Snapshot):
                        return event
        except TimeoutError:
            raise (self._no_agent() if nonsense else self._silent(silence)) from None
        raise self._no_agent() if nonsense else self._ended()

    async def _next_event(self, lines: AsyncIterator[bytes | None]) -> Event | None:
        """The next line that makes sense; None for one that only a newer version understands."""
        async for line in lines:
            try:
                if line is not None:
                    return decode_event(line)
            except (ValueError, RecursionError):
                pass
            self.dropped += 1
        raise self._ended()

    def _no_agent(self) -> Unreachable:
        """Something answers, and it is nothing that we know."""
        return Unreachable(f"what answers for {self.name} is not a fleetview agent")

    def _silent(self, seconds: float) -> Lost:
        """Nobody says anything."""
        return Lost(f"nothing was heard from {self.name} for {seconds:.0f} s")

    def _ended(self) -> Lost:
        """The stream is over."""
        return Lost(f"the agent of {self.name} ended the connection")

    async def plan(self, request: Order) -> Plan:
        """What the request would do; nothing happens."""
        return self.decoded(Plan, await self._ask("POST", "/api/plan", body=request))

    async def operate(self, request: Order) -> str:
        """Ask for an operation; the id under which events tell how it goes."""
        return self.decoded(Accepted, await self._ask("POST", "/api/operations", body=request)).id

    async def cancel(self, operation_id: str) -> None:
        """End an operation early; the node goes back to where it was."""
        await self._ask("DELETE", f"/api/operations/{quote(operation_id, safe='')}")

    async def journal(self, limit: int) -> tuple[Operation, ...]:
        """Operations that have ended, newest first."""
        content = await self._ask("GET", "/api/journal", query={"limit": str(limit)})
        with self._ours():
            return OPERATIONS.validate_python(understood(parse(content)))

    async def history(self, since: float, step_seconds: int) -> History:
        """Figures of the last 48 hours from this time on, by the node's clock; a step is a multiple of ten seconds."""
        query = {"since": repr(since), "step": str(step_seconds)}
        return self.decoded(History, await self._ask("GET", "/api/history", query=query))

    async def logs(self, backend: str | None) -> tuple[LogLine, ...]:
        """The newest lines of all logs of the node or of one, oldest first; None: of all."""
        query = {"backend": backend} if backend else None
        return self.decoded(LogLines, await self._ask("GET", "/api/logs", query=query)).lines

    async def processes(self) -> tuple[ProcessMemory, ...]:
        """Those that hold the most memory, the largest first."""
        return self.decoded(Processes, await self._ask("GET", "/api/processes")).processes

    def chat(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer as it is made; closing the iterator ends the request. Raises Lost for an answer without an end."""
        return self._generated("/v1/chat/completions", request)

    def complete(self, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """What comes after a text, without any chat template; otherwise as `chat`."""
        return self._generated("/v1/completions", request)

    async def _generated(self, path: str, request: Generation) -> AsyncGenerator[ChatChunk, None]:
        """The chunks of an answer up to its end."""
        streamed = request.model_copy(update={"stream": True, "stream_options": StreamOptions(include_usage=True)})
        async with (
            self.answer("POST", path, body=streamed, seconds=None) as response,
            aclosing(lines_of(response)) as lines,
        ):
            async for line in lines:
                if (data := field_of_data(line)) is None:
                    continue
                if data == DONE:
                    return
                try:
                    chunk = decode_chunk(data)
                except (ValueError, RecursionError):
                    self.dropped += 1
                else:
                    yield chunk
        raise Lost(f"the answer of {self.name} broke off")

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: BaseModel | None = None
    ) -> bytes:
        """The content of a plain answer."""
        async with self.answer(method, path, query=query, body=body, seconds=ANSWER_SECONDS) as response:
            return await self._content(response)

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: BaseModel | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None,
    ) -> AsyncIterator[httpx.Response]:
        """A successful answer while its content is read; `seconds` is the longest wait for the next part of it."""
        content: str | AsyncIterable[bytes] | None
        if isinstance(body, BaseModel):
            content, headers = body.model_dump_json(exclude_none=True), {"content-type": "application/json"}
        else:
            content = body
        timeout = httpx.Timeout(ANSWER_SECONDS, read=seconds)
        with translated(self.name):
            async with self._http.stream(
                method, path, params=query, content=content, headers=headers, timeout=timeout
            ) as response:
                if not response.is_success:
                    with self._ours():
                        raise refusal(json.loads(await self._content(response)), response.status_code)
                yield response

    async def _content(self, response: httpx.Response) -> bytes:
        """The whole of an answer, unless it is longer than any of ours."""
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > LONGEST_BYTES:
                raise Unreachable(f"{self.name} answers without end: it is not a fleetview agent")
        return bytes(content)

    def decoded(self, model: type[Answer], content: bytes) -> Answer:
        """An answer as the model it should be."""
        with self._ours():
            return model.model_validate(parse(content))

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Say of an answer that cannot be decoded that it is not ours."""
        try:
            yield
        except (ValueError, RecursionError) as problem:
            told = "its answer lacks what this version needs" if isinstance(problem, ValidationError) else None
            raise Unreachable(f"what answers for {self.name} is not a fleetview agent", told) from problem


def lines_of(response: httpx.Response) -> AsyncGenerator[bytes | None, None]:
    """The lines of an answer as they come."""
    return split_lines(response.aiter_raw())


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what HTTP and sockets raise into the family of RemoteError."""
    try:
        yield
    except RemoteError:
        raise
    except httpx.ConnectTimeout as problem:
        raise Unreachable(f"{name} does not answer") from problem
    except httpx.ConnectError as problem:
        raise Unreachable(f"no agent answers on {name}: {_words(problem)}") from problem
    except httpx.ReadTimeout as problem:
        raise Lost(f"{name} does not answer any more") from problem
    except httpx.RemoteProtocolError as problem:
        if "isconnected" in str(problem) or "closed" in str(problem):
            raise Lost(f"the connection to {name} broke") from problem
        raise Unreachable(f"what answers for {name} is not a fleetview agent") from problem
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as problem:
        raise Lost(f"the connection to {name} broke: {_words(problem)}") from problem
    except OSError as problem:
        raise Lost(f"the connection to {name} broke: {problem.strerror or problem}") from problem


def _words(problem: Exception) -> str:
    """What lies behind an error of httpx, in the words of the operating system."""
    cause: BaseException | None = problem
    while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
        cause = cause.__cause__ or cause.__context__
    words = cause.strerror if isinstance(cause, OSError) else None
    return (words or str(problem) or type(problem).__name__).lower()
