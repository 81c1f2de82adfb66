"""HTTP of copies: what a model consists of, and the bytes of its files, out and in."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fleetview_agent.agent import Agent
from fleetview_agent.copying.incoming import Span
from fleetview_agent.copying.offered import Offer, pieces
from fleetview_agent.errors import AgentError, BadRequest, NotFound
from fleetview_agent.serving.failures import error_response
from fleetview_agent.serving.stream import NDJSON, Stream

BYTES = "application/octet-stream"
PATH = "/api/blobs/{sha256}"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


def blob_routes(agent: Agent) -> list[Route]:
    """Every route, over one agent that is running."""

    async def parts(request: Request) -> Response:
        return Stream(_lines(agent, _asked(request, "backend"), _asked(request, "model")), NDJSON)

    async def look(request: Request) -> Response:
        sha256 = _sha256(request)
        state = agent.incoming.state(sha256)
        if state.state == "missing":
            state = await agent.offered.state(sha256)
        return Response(headers={"blob-state": state.state, "blob-size-bytes": str(state.size_bytes)})

    async def give(request: Request) -> Response:
        return _part_of(await agent.offered.offer(_sha256(request)), request.headers.get("range"))

    async def take(request: Request) -> Response:
        try:
            state = await agent.incoming.receive(_sha256(request), _span(request), _body(request))
        except AgentError as problem:
            answer = error_response(problem, request.url.path)
            answer.headers["connection"] = "close"  # so that whoever sends gigabytes stops
            return answer
        return Response(state.model_dump_json(), media_type="application/json")

    return [
        Route("/api/parts", parts),
        Route(PATH, look, methods=["HEAD"]),
        Route(PATH, give),
        Route(PATH, take, methods=["PUT"]),
    ]


async def _lines(agent: Agent, backend: str, model: str) -> AsyncGenerator[bytes, None]:
    """How far it is known what the model consists of, a line each."""
    async for found in agent.offered.parts(backend, model):
        yield found.model_dump_json(exclude_none=True).encode() + b"\n"


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    """What is sent, up to its end or until the client leaves."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        return


def _part_of(offer: Offer, asked: str | None) -> Response:
    """The bytes that are asked for; all of them where nothing is said. Raises BadRequest."""
    first, last = 0, offer.size_bytes - 1
    if asked is not None:
        found = _RANGE.fullmatch(asked)
        first = int(found[1]) if found else offer.size_bytes
        last = min(last, int(found[2])) if found and found[2] else last
        if first > last:
            raise BadRequest(f"{asked[:60]} is no range of a file of {offer.size_bytes} bytes", "bytes=FIRST-LAST")
    answer = Stream(pieces(offer, first, last), BYTES)
    answer.headers["content-length"] = str(last - first + 1)
    if asked is not None:
        answer.status_code = 206
        answer.headers["content-range"] = f"bytes {first}-{last}/{offer.size_bytes}"
    return answer


def _asked(request: Request, name: str) -> str:
    """A word of the query. Raises BadRequest."""
    if value := request.query_params.get(name):
        return value
    raise BadRequest(f"{name} is missing from the query")


def _sha256(request: Request) -> str:
    """Which file is meant. Raises NotFound."""
    value: str = request.path_params["sha256"]
    if _SHA256.fullmatch(value):
        return value
    raise NotFound(f"{value[:80]} is not a sha256", "64 hexadecimal digits, in lower case")


def _span(request: Request) -> Span:
    """Which bytes are sent. Raises BadRequest."""
    if found := _CONTENT_RANGE.fullmatch(request.headers.get("content-range", "")):
        return Span(*map(int, found.groups()))
    raise BadRequest("a file is sent with a Content-Range", "bytes FIRST-LAST/TOTAL")
