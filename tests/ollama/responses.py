"""How the stand-in answers: one object, or lines that end with their client."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.ollama.errors import Refused
from tests.ollama.store import Json

_JSON = "application/json; charset=utf-8"
LINES = "application/x-ndjson"


def as_response(message: Json) -> Json:
    """A message in the manner of /api/generate."""
    return {
        "response": message.get("content", ""),
        **({"thinking": message["thinking"]} if "thinking" in message else {}),
    }


def as_message(message: Json) -> Json:
    """A message in the manner of /api/chat."""
    return {"message": {"role": "assistant", "content": "", **message}}


def whole(lines: list[Json]) -> Json:
    """One object in place of many lines."""
    last = lines[-1]
    if "response" in last:
        return {**last, **_joined(lines, "response", "thinking")}
    messages = [line["message"] for line in lines]
    message = {**last["message"], **_joined(messages, "content", "thinking")}
    return {**last, "message": message}


def _joined(pieces: list[Json], *keys: str) -> Json:
    """Each text in one piece, where there is any."""
    texts = {key: "".join(piece.get(key, "") for piece in pieces) for key in keys}
    return {key: text for key, text in texts.items() if text}


async def progress(request: Request, body: Json, lines: AsyncGenerator[Json, None]) -> Response:
    """The lines of a pull or a create, whose status is always good once it has begun."""
    if body.get("stream", True):
        return StreamingResponse(lines_of(None, lines), media_type=LINES)
    try:
        return JSONResponse([line async for line in watched(request, lines)][-1])
    except Refused as problem:
        return JSONResponse({"error": problem.message}, problem.status)


async def lines_of(first: Json | None, lines: AsyncGenerator[Json, None]) -> AsyncGenerator[str, None]:
    """One JSON object in a line; what goes wrong is a line too."""
    async with contextlib.aclosing(lines):
        if first is not None:
            yield f"{as_text(first)}\n"
        try:
            async for line in lines:
                yield f"{as_text(line)}\n"
        except Refused as problem:
            yield f"{as_text({'error': problem.message})}\n"


async def watched(request: Request, lines: AsyncGenerator[Json, None]) -> AsyncGenerator[Json, None]:
    """The lines, broken off when the client goes away."""
    async with contextlib.aclosing(lines):
        with contextlib.suppress(StopAsyncIteration):
            while True:
                yield await unless_gone(request, anext(lines))


async def unless_gone(request: Request, line: Awaitable[Json]) -> Json:
    """Wait for a line or an answer, unless the client goes away before it."""
    work = asyncio.ensure_future(line)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise Refused(499, "client closed the connection")
        return await work
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.wait({work, gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def body_of(request: Request) -> Json:
    """What was sent; Ollama does not ask for a content type."""
    if not (content := await request.body()):
        raise Refused(400, "missing request body")
    try:
        body = json.loads(content)
    except json.JSONDecodeError as problem:
        raise Refused(400, f"invalid character: {problem}") from problem
    return dict(body)


def as_json(value: Json, status: int = 200) -> Response:
    return Response(as_text(value), status, headers={"content-type": _JSON})


def as_text(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
