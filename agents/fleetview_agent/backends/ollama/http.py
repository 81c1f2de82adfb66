"""HTTP to Ollama's server: JSON there and back, and streams of it.

httpcore is imported when a server has been found to listen: it takes some 4 MiB and 0.1 s, which where Ollama does not
run would be spent to learn nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fleetview_agent.backends.ollama.refusals import Nonsense, error_words, failure, refusal
from fleetview_agent.errors import BackendFailed, BadRequest
from fleetview_agent.wire.numbers import parse

if TYPE_CHECKING:
    import httpcore

CONNECT_SECONDS = 5.0
LARGEST_BODY = 16 << 20
LARGEST_LINE = 8 << 20
MOST_CONNECTIONS = 256
"""Every answer in progress has one, and so has every load; a status must still get through."""
IDLE_SECONDS = 30.0
_HALF_A_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")

Headers = list[tuple[bytes | str, bytes | str]]
Json = dict[str, Any]  # Any: what a server of somebody else's sends


class Unreachable(BackendFailed):
    """Nothing answers there."""


class BrokenOff(BackendFailed):
    """The connection ended before the answer did; the server may go on with what it was asked."""


class Http:
    """A few connections to one server. Every failure is of the AgentError family."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._connected: httpcore.AsyncConnectionPool | None = None
        """None until somebody has been found to listen."""

    async def get(self, path: str, *, timeout: float = 5.0) -> Any:  # noqa: ASYNC109 - of the whole request
        """The JSON that is there."""
        return await self._json("GET", path, None, timeout)

    async def post(self, path: str, body: Mapping[str, Any] | None, *, timeout: float | None) -> Any:  # noqa: ASYNC109 - as above
        """The JSON that is answered; None where the answer is empty."""
        return await self._json("POST", path, body, timeout)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        content: AsyncIterator[bytes] | None = None,
        length: int | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of the whole request; None: as long as it takes
    ) -> tuple[int, bytes]:
        """The status and body of an answer, whatever the status; `content` of `length` bytes is sent in pieces."""
        headers, sent = self._sent(body) if content is None else (self._headers(length), content)
        pool = await self._pool()
        with self._told(timeout):
            async with (
                asyncio.timeout(timeout),
                pool.stream(
                    method, self._url(path), headers=headers, content=sent, extensions=_patience(None)
                ) as answer,
            ):
                return answer.status, await self._body(answer)

    async def stream(
        self, path: str, body: Mapping[str, Any], *, stall_seconds: float | None
    ) -> AsyncGenerator[Json, None]:
        """The lines of a streamed answer; one that tells an error raises it. Closing this ends the request."""
        headers, sent = self._sent(body)
        pool = await self._pool()
        with self._told(stall_seconds):
            async with pool.stream(
                "POST", self._url(path), headers=headers, content=sent, extensions=_patience(stall_seconds)
            ) as answer:
                if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                    raise refusal(answer.status, await self._body(answer), path, self.address)
                async with aclosing(_lines(answer.aiter_stream(), path)) as lines:
                    async for line in lines:
                        value = self._decoded(line, path)
                        if (words := error_words(value)) is not None:
                            raise failure(words)
                        if not isinstance(value, dict):
                            raise self._nonsense(path)
                        yield value

    async def close(self) -> None:
        """End all connections."""
        if self._connected is not None:
            await self._connected.aclose()

    async def _pool(self) -> httpcore.AsyncConnectionPool:
        """The connections. Raises Unreachable where there have never been any, and nobody listens now."""
        if self._connected is None:
            await self._knock()
            import httpcore

            self._connected = self._connected or httpcore.AsyncConnectionPool(
                max_connections=MOST_CONNECTIONS, max_keepalive_connections=2, keepalive_expiry=IDLE_SECONDS
            )
        return self._connected

    async def _knock(self) -> None:
        """Connect, and leave. Raises Unreachable."""
        host, _, port = self.address.rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, OverflowError):  # the latter for a port that there cannot be
            raise self._unreachable() from None
        writer.close()

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None, seconds: float | None) -> Any:
        """The JSON of an answer that is no failure."""
        status, data = await self.request(method, path, body=body, timeout=seconds)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(status, data, path, self.address)
        value = self._decoded(data, path) if data.strip() else None
        if (words := error_words(value)) is not None:
            raise failure(words)
        return value

    def _url(self, path: str) -> str:
        return f"http://{self.address}{path}"

    def _headers(self, length: int | None) -> Headers:
        """What every request says; without a length, its content goes in chunks."""
        # The host is said as it is configured: httpcore leaves out the brackets of an IPv6 address.
        headers: Headers = [("Host", self.address), ("Accept", "application/json")]
        return headers if length is None else [*headers, ("Content-Length", str(length))]

    def _sent(self, body: Mapping[str, Any] | None) -> tuple[Headers, bytes]:
        """Headers and bytes of a request that fits into memory."""
        try:
            data = b"" if body is None else json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise BadRequest("the request cannot be written as JSON", "nest it less deeply") from None
        return [*self._headers(len(data)), ("Content-Type", "application/json")], data

    async def _body(self, answer: httpcore.Response) -> bytes:
        """All of an answer."""
        pieces = bytearray()
        async for piece in answer.aiter_stream():
            pieces += piece
            if len(pieces) > LARGEST_BODY:
                raise Nonsense(f"an answer of {self.address} is larger than {LARGEST_BODY >> 20} MiB, and was dropped")
        return bytes(pieces)

    def _decoded(self, data: bytes, path: str) -> object:
        """The JSON in some bytes."""
        try:
            value = parse(data)
            if _HALF_A_CHARACTER.search(data):
                json.dumps(value, ensure_ascii=False).encode()  # raises for text that cannot be sent on
        except (ValueError, RecursionError):
            raise self._nonsense(path) from None
        return value

    def _nonsense(self, path: str) -> Nonsense:
        return Nonsense(
            f"what {self.address} answered to {path} cannot be understood",
            "see that it is Ollama that listens there, and upgrade it if it is old",
        )

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"Ollama does not answer at {self.address}", "start it: fleetview start NODE ollama")

    @contextmanager
    def _told(self, seconds: float | None) -> Iterator[None]:
        """The failures of connections, in words."""
        import httpcore

        try:
            yield
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            raise self._unreachable() from None
        except (httpcore.TimeoutException, TimeoutError):
            waited = f" for {seconds:g} s" if seconds is not None else ""
            raise BackendFailed(
                f"Ollama at {self.address} has said nothing{waited}", "see its log; restarting it may help"
            ) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            raise BrokenOff(
                f"Ollama at {self.address} broke off in the middle of an answer",
                "see its log for the reason, and that it is Ollama that listens there",
            ) from None


def _patience(stall_seconds: float | None) -> dict[str, dict[str, float | None]]:
    """How long httpcore waits for a connection, and for the next bytes of an answer."""
    waits = {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS}
    return {"timeout": {**waits, "read": stall_seconds, "write": stall_seconds}}


async def _lines(pieces: AsyncIterator[bytes], path: str) -> AsyncGenerator[bytes, None]:
    """The lines of a stream, without empty ones; the last one may lack its end."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LARGEST_LINE:
            raise Nonsense(f"a line of the answer to {path} is larger than {LARGEST_LINE >> 20} MiB, and was dropped")
        for line in whole:
            if line.strip():
                yield line
    if rest.strip():
        yield rest
