"""What a model consists of: the first step of every copy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from fleetview.remote.blobs import parts_of
from fleetview.remote.client import AgentClient
from fleetview.remote.errors import Lost
from fleetview_agent.wire import CopyRequest, ModelParts


async def found(client: AgentClient, backend: str, model: str, show: Callable[[float], None]) -> ModelParts:
    """What the model consists of; a large file is read for that, and `show` told how far. Raises RemoteError."""
    async with aclosing(parts_of(client, backend, model)) as steps:
        async for step in steps:
            if step.found is not None:
                return step.found
            if step.total_bytes:
                show(step.done_bytes / step.total_bytes)
    raise Lost(f"{client.name} did not tell what {model} consists of")


def copy_request(parts: ModelParts, source: str, author: str) -> CopyRequest:
    """The request to take these files in from the node `source`."""
    return CopyRequest(
        author=author,
        backend=parts.backend,
        model=parts.model,
        source=source,
        parts=parts.parts,
        manifest=parts.manifest,
    )
