"""`/v1/embeddings`: texts become vectors, where the engine has that."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncGenerator

from fleetview_agent.agent import Agent
from fleetview_agent.serving.chats import embed
from fleetview_agent.serving.openai.forms import Json
from fleetview_agent.wire import EmbeddingRequest


async def whole(agent: Agent, request: EmbeddingRequest) -> AsyncGenerator[bytes, None]:
    """All vectors, as numbers or, for OpenAI's own client, as the bytes of small floats."""
    made = await embed(agent, request)
    written = _packed if request.encoding_format == "base64" else list
    rows = [{"object": "embedding", "index": at, "embedding": written(one)} for at, one in enumerate(made.vectors)]
    body: Json = {"object": "list", "data": rows, "model": request.model}
    if made.prompt_tokens is not None:
        body["usage"] = {"prompt_tokens": made.prompt_tokens, "total_tokens": made.prompt_tokens}
    yield json.dumps(body).encode()


def _packed(vector: tuple[float, ...]) -> str:
    """A vector in base64, four bytes for each number, the smallest first."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
