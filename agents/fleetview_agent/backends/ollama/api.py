"""What Ollama's server can be asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fleetview_agent.backends.ollama import answers, chat
from fleetview_agent.backends.ollama.answers import Listed, Loaded, Shown
from fleetview_agent.backends.ollama.http import Http, Json, Unreachable
from fleetview_agent.backends.ollama.refusals import refusal
from fleetview_agent.backends.ollama.transfers import Pulling
from fleetview_agent.backends.ollama.uploads import Upload
from fleetview_agent.errors import BackendFailed
from fleetview_agent.wire import ChatChunk, ChatRequest, CompletionRequest, Embeddings, Keep, Transfer

OWN_KEEP_SECONDS = 300.0
"""How long a model stays where nobody says otherwise. A server with another OLLAMA_KEEP_ALIVE does not tell it."""
SHORTEST_KEEP_SECONDS = 1.0
"""Of a load: one that keeps for no time at all is an unload."""
ANSWER_STALL_SECONDS = 1800.0
"""A long prompt is read in silence, and so is one that waits behind others."""
TRANSFER_STALL_SECONDS = 1800.0
"""A large file is verified in silence."""
WARM_SECONDS = 600.0
EMBED_SECONDS = 600.0
ANSWER_SECONDS = 20.0
"""For what only looks something up, or writes it down."""
AGAIN = "pull it again; it goes on where it was"


class OllamaApi:
    """The requests that one server understands. Every failure is of the AgentError family."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def version(self) -> str:
        """Of the server; older than 0.30 it runs models by an engine of its own."""
        return answers.version(await self._http.get("/api/version"))

    async def tags(self) -> tuple[Listed, ...]:
        """The models on its disk."""
        return answers.tags(await self._http.get("/api/tags", timeout=ANSWER_SECONDS))

    async def resident(self) -> tuple[Loaded, ...]:
        """The models in memory. One that is being loaded is not among them."""
        return answers.residents(await self._http.get("/api/ps"))

    async def show(self, model: str) -> Shown:
        """All about one model. Raises NotFound."""
        return answers.shown(await self._http.post("/api/show", {"model": model}, timeout=ANSWER_SECONDS))

    async def load(self, model: str, *, context: int | None, keep: Keep | None, embeds: bool = False) -> None:
        """Return when it is loaded; one that is there with the same context stays as it is."""
        kept = SHORTEST_KEEP_SECONDS if keep == 0 else keep
        await self._touch(model, context, embeds=embeds, **_keep_alive(kept))

    async def unload(self, model: str) -> None:
        """Ask for it to leave. It is still there when this returns, until its answers in progress have ended."""
        await self._touch(model, None, embeds=False, keep_alive=0)  # which every model takes

    async def keep(self, model: str, keep: Keep | None, *, context: int | None, embeds: bool = False) -> None:
        """Let it stay for so long after its last answer; another context than it has loads it anew."""
        seconds = OWN_KEEP_SECONDS if keep is None else keep
        await self._touch(model, context, embeds=embeds, **_keep_alive(seconds))

    async def generate_one(self, model: str, *, context: int | None) -> None:
        """Generate one token, really."""
        body = {"prompt": "Hello", "raw": True, "options": {"num_predict": 1, **_context(context)}}
        await self._http.post("/api/generate", {"model": model, "stream": False, **body}, timeout=WARM_SECONDS)

    def chat(self, model: str, request: ChatRequest, *, context: int | None) -> AsyncGenerator[ChatChunk, None]:
        """The answer; closing this ends it. Another context than the model has loads it anew."""
        return self._answer("/api/chat", chat.body(model, request, context))

    def complete(
        self, model: str, request: CompletionRequest, *, context: int | None
    ) -> AsyncGenerator[ChatChunk, None]:
        """How a text goes on, without any template; otherwise as `chat`."""
        return self._answer("/api/generate", chat.completion_body(model, request, context))

    async def embed(
        self, model: str, texts: Sequence[str], *, dimensions: int | None = None, context: int | None
    ) -> Embeddings:
        """A vector for each text; one that is too long is refused rather than cut. Raises BadRequest."""
        body: Json = {"model": model, "input": list(texts), "truncate": False, "options": _context(context)}
        if dimensions is not None:
            body["dimensions"] = dimensions
        return answers.embedded(await self._http.post("/api/embed", body, timeout=EMBED_SECONDS), len(texts))

    async def pull(self, model: str) -> AsyncGenerator[Transfer, None]:
        """Fetch a model from its registry; closing this breaks it off. Raises NotFound."""
        pulling = Pulling()
        try:
            async with aclosing(self._steps("/api/pull", {"model": model})) as lines:
                async for line in lines:
                    yield pulling.receive(line)
        except Unreachable:
            raise
        except BackendFailed as problem:
            raise BackendFailed(problem.message, AGAIN, log=problem.log) from None
        if not pulling.ended:
            raise BackendFailed(f"the pull of {model} broke off before its end", AGAIN)

    async def create_from_file(self, model: str, file: Path, *, context: int | None) -> AsyncGenerator[Transfer, None]:
        """Make a model of a GGUF file: its bytes are copied into Ollama's store, then taken into its books."""
        upload = Upload(self._http, file)
        async with aclosing(upload.run()) as steps:
            async for step in steps:
                yield step
        named = file.name if file.suffix == ".gguf" else f"{file.name}.gguf"
        body = {"model": model, "files": {named: upload.digest}}
        async with aclosing(self._create(model, body, context, upload.size_bytes)) as steps:
            async for step in steps:
                yield step

    async def create_from_model(
        self, model: str, source: str, *, context: int | None
    ) -> AsyncGenerator[Transfer, None]:
        """Make a model of another one. Raises NotFound."""
        await self.show(source)  # a source that is not there would be pulled
        async with aclosing(self._create(model, {"model": model, "from": source}, context, 0)) as steps:
            async for step in steps:
                yield step

    async def delete(self, model: str) -> None:
        """Delete it from the disk; one in memory stays there. Raises NotFound."""
        path = "/api/delete"
        status, answer = await self._http.request("DELETE", path, body={"model": model}, timeout=ANSWER_SECONDS)
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refusal(status, answer, path, self._http.address)

    async def _answer(self, path: str, body: Json) -> AsyncGenerator[ChatChunk, None]:
        """The chunks of an answer of either kind."""
        answering = chat.Answering()
        async with aclosing(self._http.stream(path, body, stall_seconds=ANSWER_STALL_SECONDS)) as lines:
            async for line in lines:
                for chunk in answering.chunks(line):
                    yield chunk
                if answering.ended:
                    return
        broken = f"the answer of {body['model']} broke off before its end"
        raise BackendFailed(broken, "see Ollama's log for the reason")

    async def _touch(self, model: str, context: int | None, *, embeds: bool, **said: object) -> None:
        """A request without a prompt, which only changes what is in memory; models that embed take no other."""
        body = {"model": model, **said} if embeds else {"model": model, "stream": False, **said}
        if context is not None:
            body["options"] = _context(context)
        await self._http.post("/api/embed" if embeds else "/api/generate", body, timeout=None)

    async def _create(
        self, model: str, body: Mapping[str, Any], context: int | None, size_bytes: int
    ) -> AsyncGenerator[Transfer, None]:
        """Write a model down, telling each step."""
        said = dict(body) if context is None else {**body, "parameters": _context(context)}
        making = Pulling()
        async with aclosing(self._steps("/api/create", said)) as lines:
            async for line in lines:
                step = making.receive(line).step
                yield Transfer(done_bytes=size_bytes, total_bytes=size_bytes or None, step=step)
        if not making.ended:
            raise BackendFailed(f"the making of {model} broke off before its end", "see Ollama's log for the reason")

    def _steps(self, path: str, body: Json) -> AsyncGenerator[Json, None]:
        """The lines of something that takes long."""
        return self._http.stream(path, {**body, "stream": True}, stall_seconds=TRANSFER_STALL_SECONDS)


def _keep_alive(keep: Keep | None) -> Json:
    """How long a model stays, in Ollama's words: a negative number is for ever, None leaves it as it is."""
    if keep is None:
        return {}
    return {"keep_alive": -1 if keep == "forever" else keep}


def _context(context: int | None) -> Json:
    """The option that sets a context; without one, it is as the model has it or the server thinks fit."""
    return {} if context is None else {"num_ctx": context}
