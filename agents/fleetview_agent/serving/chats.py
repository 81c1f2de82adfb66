"""One answer: through the gate, counted, and told to everyone when it has ended."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fleetview_agent.agent import Agent
from fleetview_agent.backends import Backend, Embedding
from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import (
    ChatChunk,
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    Embeddings,
    Served,
)


async def answer(agent: Agent, request: ChatRequest | CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
    """The chunks of an answer; closing the generator cancels it.

    Raises NotFound, NotResident, Draining and ContextExceeded before the first chunk, BackendFailed at any time.
    """
    backend, model = agent.find(request.model)
    began = time.monotonic()
    first: float | None = None
    last = ChatChunk()
    with agent.gate.answering(f"{backend.name}/{model}"):
        try:
            async with aclosing(_asked(backend, model, request)) as chunks:
                async for last in chunks:
                    if first is None and (last.text or last.thinking or last.tool_calls):
                        first = time.monotonic() - began
                    yield last
        finally:
            if first is not None or last.usage is not None:
                agent.hub.publish(
                    Served(
                        backend=backend.name,
                        model=model,
                        author=request.user,
                        prompt_tokens=last.usage.prompt_tokens if last.usage else None,
                        cached_tokens=last.usage.cached_tokens if last.usage else None,
                        completion_tokens=last.usage.completion_tokens if last.usage else None,
                        time_to_first_token_seconds=first,
                        prompt_tokens_per_second=last.timings.prompt_per_second if last.timings else None,
                        tokens_per_second=last.timings.predicted_per_second if last.timings else None,
                    )
                )


async def embed(agent: Agent, request: EmbeddingRequest) -> Embeddings:
    """The vectors of some texts. Raises what `answer` does, and BadRequest where the engine makes none."""
    backend, model = agent.find(request.model)
    if not isinstance(backend, Embedding):
        raise BadRequest(f"{backend.name} makes no embeddings", "ask an embedding model of ollama")
    with agent.gate.answering(f"{backend.name}/{model}"):
        made = await backend.embed(model, request)
    agent.hub.publish(Served(backend=backend.name, model=model, author=request.user, prompt_tokens=made.prompt_tokens))
    return made


def _asked(backend: Backend, model: str, request: ChatRequest | CompletionRequest) -> AsyncGenerator[ChatChunk, None]:
    """The engine's own answer."""
    if isinstance(request, CompletionRequest):
        return backend.complete(model, request)
    return backend.chat(model, request)
