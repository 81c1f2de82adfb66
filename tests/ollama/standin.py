"""Ollama's HTTP, over real llama-servers: what the real one answers, key by key."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tests.ollama import rows
from tests.ollama.around import guarded, logged
from tests.ollama.chat import Asked, answer, check, embed
from tests.ollama.errors import Refused, not_found
from tests.ollama.making import create, pull
from tests.ollama.responses import (
    LINES,
    as_json,
    as_message,
    as_response,
    body_of,
    lines_of,
    progress,
    unless_gone,
    watched,
    whole,
)
from tests.ollama.runners import Runners
from tests.ollama.settings import Settings
from tests.ollama.store import Store

VERSION = "0.33.0-rc2"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class StandIn:
    """The server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.models)
        self.runners = Runners(settings, self.store)

    def app(self) -> ASGIApp:
        """What answers requests."""
        handlers: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
            ("GET", "/", self.root),
            ("GET", "/api/version", self.version),
            ("GET", "/api/tags", self.tags),
            ("GET", "/api/ps", self.resident),
            ("POST", "/api/show", self.show),
            ("POST", "/api/generate", self.generate),
            ("POST", "/api/chat", self.chat),
            ("POST", "/api/embed", self.embed),
            ("POST", "/api/create", self.create),
            ("POST", "/api/pull", self.pull),
            ("POST", "/api/copy", self.copy),
            ("DELETE", "/api/delete", self.delete),
            ("HEAD", "/api/blobs/{digest}", self.has_blob),
            ("POST", "/api/blobs/{digest}", self.take_blob),
        )
        routes = [Route(path, handler, methods=[method]) for method, path, handler in handlers]
        app = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers={Refused: _refused, 404: _nowhere})
        return logged(guarded(app))

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        await self.runners.close()

    async def root(self, _request: Request) -> Response:
        return PlainTextResponse("Ollama is running")

    async def version(self, _request: Request) -> Response:
        return as_json({"version": VERSION})

    async def tags(self, _request: Request) -> Response:
        return as_json({"models": [rows.listed(self.store, name) for name in self.store.names()]})

    async def resident(self, _request: Request) -> Response:
        return as_json({"models": [rows.resident(self.store, runner) for runner in self.runners.loaded()]})

    async def show(self, request: Request) -> Response:
        body = await body_of(request)
        if not body.get("model"):
            raise Refused(400, "model is required")
        return as_json(rows.shown(self.store, self._known(rows.named(body))))

    async def generate(self, request: Request) -> Response:
        body = await body_of(request)
        raw = body.get("prompt") if body.get("raw") else None
        messages = [{"role": "user", "content": body["prompt"]}] if body.get("prompt") and not raw else []
        if messages and body.get("system"):
            messages = [{"role": "system", "content": body["system"]}, *messages]
        model = self._known(str(body.get("model", "")))
        asked = Asked(model, messages, body, as_response, raw, has_context=not body.get("raw"))
        return await self._answered(request, asked)

    async def chat(self, request: Request) -> Response:
        body = await body_of(request)
        if not isinstance(messages := body.get("messages") or [], list):
            kind = "Go struct field ChatRequest.messages of type []api.Message"
            raise Refused(400, f"json: cannot unmarshal {type(messages).__name__}ing into {kind}")
        return await self._answered(request, Asked(self._known(str(body.get("model", ""))), messages, body, as_message))

    async def embed(self, request: Request) -> Response:
        body = await body_of(request)
        model = self._known(str(body.get("model", "")))
        return as_json(await unless_gone(request, embed(self.runners, model, body)))

    async def create(self, request: Request) -> Response:
        body = await body_of(request)
        if not body.get("from") and not body.get("files"):
            raise Refused(400, "neither 'from' or 'files' was specified")
        return await progress(request, body, create(self.store, body))

    async def pull(self, request: Request) -> Response:
        body = await body_of(request)
        return await progress(request, body, pull(self.store, self.settings, str(body["model"])))

    async def copy(self, request: Request) -> Response:
        body = await body_of(request)
        if self.store.manifest(body["source"]) is None:
            raise Refused(404, f'model "{body["source"]}" not found')
        self.store.copy(body["source"], body["destination"])
        return Response()

    async def delete(self, request: Request) -> Response:
        self.store.delete(self._known(str((await body_of(request)).get("model", ""))))
        return Response()

    async def has_blob(self, request: Request) -> Response:
        if not _DIGEST.fullmatch(digest := request.path_params["digest"]):
            return as_json({"error": "invalid digest format"}, 400)
        return Response() if self.store.blob(digest).exists() else as_json({"error": f'blob "{digest}" not found'}, 404)

    async def take_blob(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        if self.store.blob(digest).exists():
            return Response()
        if (real := f"sha256:{hashlib.sha256(content := await request.body()).hexdigest()}") != digest:
            raise Refused(400, f'digest mismatch, expected "{digest}", got "{real}"')
        self.store.add(content)
        return Response(status_code=201)

    def _known(self, model: str) -> str:
        """The name as it was given, of a model that is there."""
        if self.store.manifest(model) is None:
            raise not_found(model)
        return model

    async def _answered(self, request: Request, asked: Asked) -> Response:
        """Lines where they were wanted and there is something to say, else one object."""
        check(self.store, asked)
        lines = answer(self.runners, asked)
        if not asked.is_only_a_load and asked.body.get("stream", True):
            first = await unless_gone(request, anext(lines))
            return StreamingResponse(lines_of(first, lines), media_type=LINES)
        return as_json(whole([line async for line in watched(request, lines)]))


async def _refused(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Refused)
    return as_json({"error": problem.message}, problem.status)


async def _nowhere(_request: Request, _problem: Exception) -> Response:
    return Response("404 page not found", 404, media_type="text/plain")
