"""Pull and create in the stand-in: lines that tell how far it has come."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import struct
from collections.abc import AsyncGenerator

from tests.ollama.errors import Refused
from tests.ollama.settings import Settings
from tests.ollama.store import MODEL, Json, Name, Store

TICK_SECONDS = 0.06
_MARK = struct.pack("<Q17sIQ27s", 17, b"general.converter", 8, 27, b"the stand-in for ollama    ")
"""A key and a text of 64 bytes in all."""


async def create(store: Store, body: Json) -> AsyncGenerator[Json, None]:
    """A model out of a blob, or out of another model."""
    parameters = body.get("parameters") or {}
    if source := body.get("from"):
        manifest = store.manifest(source)
        if manifest is None:
            yield {"status": "pulling manifest"}
            raise Refused(500, "pull model manifest: file does not exist")
        digest = next(layer["digest"] for layer in manifest["layers"] if layer["mediaType"] == MODEL)
        yield {"status": f"using existing layer {digest}"}
        given = {**store.parameters(source), **parameters}
        store.write(body["model"], digest, given, source=Name.parse(source).shown)
    else:
        digest = next(iter(body["files"].values()))
        yield {"status": "parsing GGUF"}
        if not (blob := store.blob(digest)).exists():
            raise Refused(500, f"open {blob}: no such file or directory")
        yield {"status": "verifying conversion"}
        digest = store.add(_converted(await asyncio.to_thread(blob.read_bytes)))
        yield {"status": f"creating new layer {digest}"}
        yield {"status": "using autodetected template chatml"}
        store.write(body["model"], digest, parameters)
    yield {"status": "writing manifest"}
    yield {"status": "success"}


def _converted(gguf: bytes) -> bytes:
    """The file with another header: Ollama writes every one anew, so that it is no longer the file that was given.

    Tensors are counted from the end of the header, which stays aligned as it grows by a multiple of the alignment.
    """
    if _MARK in gguf[: 24 + len(_MARK)]:
        return gguf
    keys = int.from_bytes(gguf[16:24], "little") + 1
    return gguf[:16] + keys.to_bytes(8, "little") + _MARK + gguf[24:]


async def pull(store: Store, settings: Settings, model: str) -> AsyncGenerator[Json, None]:
    """A model out of the folder that is our registry; one that was broken off goes on where it was."""
    yield {"status": "pulling manifest"}
    far = Store(settings.registry) if settings.registry else None
    manifest = far.manifest(model) if far else None
    if far is None or manifest is None:
        raise Refused(500, "pull model manifest: file does not exist")
    for layer in (*manifest["layers"], manifest["config"]):
        async for line in _layer(store, far, layer, settings.pull_bytes_per_second):
            yield line
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    path = store.path(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(far.path(model), path)
    yield {"status": "success"}


async def _layer(store: Store, far: Store, layer: Json, bytes_per_second: float) -> AsyncGenerator[Json, None]:
    """One blob, in pieces."""
    digest, total = layer["digest"], layer["size"]
    head = {"status": f"pulling {digest.removeprefix('sha256:')[:12]}", "digest": digest, "total": total}
    whole = store.blob(digest)
    if whole.exists():
        yield {**head, "completed": total}
        return
    part = whole.with_name(f"{whole.name}-partial")
    yield head
    with part.open("ab") as target, far.blob(digest).open("rb") as source:
        source.seek(target.tell())
        while piece := source.read(max(1, int(bytes_per_second * TICK_SECONDS))):
            target.write(piece)
            target.flush()
            yield {**head, "completed": target.tell()}
            await asyncio.sleep(TICK_SECONDS)
    assert digest == f"sha256:{hashlib.sha256(part.read_bytes()).hexdigest()}"
    part.rename(whole)
