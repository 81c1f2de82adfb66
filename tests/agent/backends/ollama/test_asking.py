"""Texts that go on, forms of answers, and vectors: over the stand-in, and over the real Ollama where there is one."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama import OllamaBackend, asking
from fleetview_agent.errors import BadRequest, ContextExceeded, NotResident
from fleetview_agent.wire import ChatChunk, ChatRequest, CompletionRequest, EmbeddingRequest, LoadOptions
from tests.agent.backends.subjects import ollama_at
from tests.gguf_files import Tiny, write_tiny
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server
from tests.ollama.store import Store

CHATS, EMBEDS = "tiny:latest", "vectors:latest"
SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@pytest.fixture(scope="module", params=["stand-in", "real"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    home = tmp_path_factory.mktemp("home")
    program = install(home) if request.param == "stand-in" else Path(shutil.which("ollama") or "")
    if not program.is_file():
        pytest.skip("there is no `ollama` on PATH")
    store = Store(home / ".ollama" / "models")
    store.create("tiny", write_tiny(home / "tiny.gguf"))
    store.create("vectors", write_tiny(home / "vectors.gguf", Tiny(seed=3, pools=True)))
    with ollama_server(program, home, OLLAMA_CONTEXT_LENGTH="512") as running:
        yield running


@pytest.fixture
async def backend(server: OllamaServer) -> AsyncIterator[OllamaBackend]:
    made, _, _ = ollama_at(server, lambda: None)
    assert isinstance(made, OllamaBackend)
    yield made
    await made.close()


async def load(backend: OllamaBackend, model: str) -> None:
    await backend.load(model, LoadOptions(context=512), lambda _: None)
    await backend.warm(model)


async def completed(backend: OllamaBackend, prompt: str, **options: object) -> list[ChatChunk]:
    request = CompletionRequest.model_validate({"model": "any", "prompt": prompt, "temperature": 0, **options})
    async with aclosing(backend.complete(CHATS, request)) as chunks:
        return [chunk async for chunk in chunks]


async def test_a_text_goes_on_without_any_template(backend: OllamaBackend) -> None:
    await load(backend, CHATS)
    chunks = await completed(backend, "abc", max_tokens=9)
    last = chunks[-1]
    assert last.usage is not None
    assert last.usage.prompt_tokens == 3  # one for each letter: nothing was put around it
    assert (last.usage.completion_tokens, last.finish_reason) == (9, "length")
    assert last.timings is not None
    again = await completed(backend, "abc", max_tokens=9)
    assert [chunk.text for chunk in again] == [chunk.text for chunk in chunks]
    with pytest.raises(ContextExceeded):
        await completed(backend, "x" * 600)


async def test_an_answer_has_the_form_of_a_schema(backend: OllamaBackend) -> None:
    await load(backend, CHATS)
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}
    request = ChatRequest.model_validate(
        {"model": "any", "messages": [{"role": "user", "content": "hi"}], "response_format": form, "max_tokens": 200}
    )
    async with aclosing(backend.chat(CHATS, request)) as chunks:
        text = "".join([chunk.text async for chunk in chunks])
    assert isinstance(json.loads(text)["ok"], bool)


async def test_a_model_that_embeds_is_loaded_kept_asked_and_unloaded(
    backend: OllamaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotResident):
        await backend.embed(EMBEDS, EmbeddingRequest(model="any", input=("one",)))
    await load(backend, EMBEDS)
    await backend.keep(EMBEDS, "forever")
    monkeypatch.setattr(asking, "TEXTS_AT_ONCE", 1)
    made = await backend.embed(EMBEDS, EmbeddingRequest(model="any", input=("one", "two!")))
    assert [len(vector) for vector in made.vectors] == [64, 64]
    assert made.prompt_tokens == len("one") + len("two!")
    assert math.isclose(math.hypot(*made.vectors[0]), 1.0, rel_tol=1e-3)
    assert made.vectors[0] != made.vectors[1]
    (row,) = [row for row in (await backend.status()).resident if row.name == EMBEDS]
    assert (row.phase, row.context) == ("ready", 512)
    with pytest.raises(BadRequest, match="does not support chat"):
        await anext(backend.chat(EMBEDS, ChatRequest.model_validate({"model": "any", "messages": [{"role": "user"}]})))
    await backend.unload(EMBEDS)
    assert EMBEDS not in {row.name for row in (await backend.status()).resident}


async def test_a_model_that_answers_makes_no_vectors(backend: OllamaBackend) -> None:
    await load(backend, CHATS)
    with pytest.raises(BadRequest, match="tiny:latest makes no embeddings"):
        await backend.embed(CHATS, EmbeddingRequest(model="any", input=("one",)))
