"""What answers of all kinds have in common: heads, figures, and server-sent events."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from fleetview_agent.errors import AgentError
from fleetview_agent.serving.failures import openai_error_body
from fleetview_agent.wire import ChatChunk, Timings, Usage

Json = dict[str, Any]  # Any: JSON as it goes out
DONE = b"data: [DONE]\n\n"


def head(prefix: str, kind: str, model: str) -> Json:
    """What every chunk of one answer begins with."""
    return {"id": f"{prefix}-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}


def figures(usage: Usage | None, timings: Timings | None) -> Json:
    """Token counts by OpenAI's names and timings by llama-server's, where they are known."""
    told: Json = {}
    if usage:
        told["usage"] = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        }
        if usage.cached_tokens is not None:
            told["usage"]["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if timings:
        told["timings"] = timings.model_dump(exclude_none=True)
    return told


async def events(
    chunks: AsyncGenerator[ChatChunk, None], first: Json | None, written: Callable[[ChatChunk], Json]
) -> AsyncGenerator[bytes, None]:
    """Server-sent events: `first`, once there is an answer, then each chunk as it is `written`.

    What fails before that is raised, what fails later comes as one more event. Closes `chunks`.
    """
    async with aclosing(chunks):
        began = False
        try:
            async for chunk in chunks:
                if not began and first is not None:
                    yield _event(first)
                began = True
                yield _event(written(chunk))
        except AgentError as problem:
            if not began:
                raise
            yield _event(openai_error_body(problem))
            return
    yield DONE


def _event(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
