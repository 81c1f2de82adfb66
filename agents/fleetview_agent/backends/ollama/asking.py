"""What is asked of resident models: answers, texts that go on, vectors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.loads import Loads
from fleetview_agent.backends.ollama.memory import Place
from fleetview_agent.backends.ollama.traffic import Observer
from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import ChatChunk, ChatRequest, CompletionRequest, EmbeddingRequest, Embeddings

TEXTS_AT_ONCE = 128
"""Whose vectors come in one answer, which has to fit into memory."""


class Asking:
    """Asks with the context that a model has: any other one would make the engine load it again.

    Everything raises NotResident: asking never loads a model.
    """

    def __init__(self, api: OllamaApi, loads: Loads, observer: Observer) -> None:
        self._api = api
        self._loads = loads
        self._observer = observer

    async def warm(self, model: str) -> None:
        """Have it do what it is for once, with one word."""
        place = await self._loads.place(model)
        with self._observer.answering(place.name) as own:
            if self._loads.embeds(place.name):
                await self._api.embed(place.name, ("Hello",), context=place.loaded.context)
                return
            await self._api.generate_one(place.name, context=place.loaded.context)
            own.ended(1)

    async def chat(self, model: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """Answer a prompt; closing the iterator cancels."""
        place = await self._loads.place(model)
        answer = self._api.chat(place.name, request, context=place.loaded.context)
        async with aclosing(self._relayed(place.name, answer)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def complete(self, model: str, request: CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
        """Go on with a text; closing the iterator cancels."""
        place = await self._loads.place(model)
        answer = self._api.complete(place.name, request, context=place.loaded.context)
        async with aclosing(self._relayed(place.name, answer)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def embed(self, model: str, request: EmbeddingRequest) -> Embeddings:
        """One vector for each text. Raises BadRequest where the model makes none."""
        place = await self._loads.place(model)
        if not self._loads.embeds(place.name):
            raise BadRequest(
                f"ollama/{place.name} makes no embeddings", "ask an embedding model, which is loaded first"
            )
        made = [await self._vectors(place, texts, request.dimensions) for texts in _batches(request.input)]
        counts = [one.prompt_tokens for one in made if one.prompt_tokens is not None]
        return Embeddings(
            vectors=tuple(vector for one in made for vector in one.vectors),
            prompt_tokens=sum(counts) if len(counts) == len(made) else None,
        )

    async def _vectors(self, place: Place, texts: tuple[str, ...], dimensions: int | None) -> Embeddings:
        """The vectors of a few texts."""
        with self._observer.answering(place.name):
            return await self._api.embed(place.name, texts, dimensions=dimensions, context=place.loaded.context)

    async def _relayed(self, name: str, answer: AsyncGenerator[ChatChunk, None]) -> AsyncGenerator[ChatChunk, None]:
        """Pass on an answer of ours, which an unload can end and the observer knows of."""
        with self._observer.answering(name) as own:
            async with aclosing(self._loads.answering.relay(name, answer)) as chunks:
                async for chunk in chunks:
                    if chunk.usage is not None:
                        own.ended(chunk.usage.completion_tokens)
                    yield chunk


def _batches(texts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The texts, a few at a time."""
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield texts[start : start + TEXTS_AT_ONCE]
