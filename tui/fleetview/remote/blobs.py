"""The files of a model, asked for at one agent and brought to another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from fleetview.remote.client import AgentClient, lines_of, translated
from fleetview.remote.errors import Lost, Unreachable
from fleetview_agent.wire import BlobState, ModelPart, ModelParts, PartsFound

SILENCE_SECONDS = 60.0
"""How long a node may say nothing of a file that it reads, writes or sends."""


async def parts_of(client: AgentClient, backend: str, model: str) -> AsyncGenerator[PartsFound, None]:
    """How far the node is with reading what the model consists of; the last one tells it. Raises RemoteError."""
    query = {"backend": backend, "model": model}
    async with (
        client.answer("GET", "/api/parts", query=query, seconds=SILENCE_SECONDS) as response,
        aclosing(lines_of(response)) as lines,
    ):
        async for line in lines:
            found = client.decoded(PartsFound, line or b"")
            yield found
            if found.found is not None:
                return
    raise Lost(f"{client.name} broke off before it had told what {model} consists of")


async def what_is(client: AgentClient, backend: str, model: str) -> ModelParts:
    """What the model consists of. Raises RemoteError."""
    async with aclosing(parts_of(client, backend, model)) as steps:
        async for step in steps:
            if step.found is not None:
                return step.found
    raise Lost(f"{client.name} did not tell what {model} consists of")


async def blob_state(client: AgentClient, part: ModelPart) -> BlobState:
    """How much of a file is on the node. Raises RemoteError."""
    async with client.answer("HEAD", _path(part), seconds=SILENCE_SECONDS) as response:
        told = response.headers
        value = {"state": told.get("blob-state"), "size_bytes": told.get("blob-size-bytes")}
        if value["state"] is None:
            raise Unreachable(f"agent too old: the one of {client.name} knows no copies", "upgrade it")
        return BlobState.model_validate(value)


@asynccontextmanager
async def read_blob(
    client: AgentClient, part: ModelPart, first: int, last: int
) -> AsyncIterator[AsyncGenerator[bytes, None]]:
    """The bytes of a file from `first` to `last`, that one included, while this is held. Raises RemoteError."""
    headers = {"range": f"bytes={first}-{last}"}

    async def pieces() -> AsyncGenerator[bytes, None]:
        left = last - first + 1
        with translated(client.name):  # whoever takes them must not be blamed
            async for piece in response.aiter_raw():
                left -= len(piece)
                yield piece
        if left:
            raise Lost(f"{client.name} sent less of {part.name} than it should")

    async with (
        client.answer("GET", _path(part), headers=headers, seconds=SILENCE_SECONDS) as response,
        aclosing(pieces()) as sent,
    ):
        yield sent


async def write_blob(
    client: AgentClient, part: ModelPart, first: int, last: int, pieces: AsyncIterable[bytes]
) -> BlobState:
    """Bring these bytes of a file; how much of it is there then. Raises RemoteError."""
    headers = {
        "content-type": "application/octet-stream",
        "content-length": str(last - first + 1),
        "content-range": f"bytes {first}-{last}/{part.size_bytes}",
    }
    async with client.answer("PUT", _path(part), headers=headers, body=pieces, seconds=SILENCE_SECONDS) as response:
        return client.decoded(BlobState, await response.aread())


def _path(part: ModelPart) -> str:
    return f"/api/blobs/{part.sha256}"
