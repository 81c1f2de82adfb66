"""Models of Ollama as they go from one node to another: their blobs and their manifest, as they are."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, Unusable
from fleetview_agent.ollama_store import MAX_MANIFEST_BYTES, Manifest, blob_file, manifest_file, read_manifest
from fleetview_agent.wire import ModelPart

READABLE = 0o644
"""Ollama's own mode: its server may run as another account than the agent."""
COPYING = "-copying"
"""Ends the name of a blob that is not whole yet; Ollama removes such files when it starts."""


def parts_of(folder: Path, model: str) -> tuple[tuple[Path, ModelPart | None], ...]:
    """The blobs of a model, whose names tell their sums. Raises NotFound, Unusable."""
    found = []
    for digest in _manifest(folder, model).digests:
        blob = blob_file(folder, digest)
        try:
            size = blob.stat().st_size
        except OSError as problem:
            raise Unusable(f"a file of {model} cannot be read: {blob.name}: {problem.strerror}") from problem
        found.append((blob, ModelPart(sha256=digest.partition(":")[2], size_bytes=size, name=blob.name)))
    if not found:
        raise Unusable(f"{model} has no files of its own; it may run elsewhere")
    return tuple(found)


def manifest_of(folder: Path, model: str) -> str:
    """The manifest of a model, as it is. Raises NotFound, Unusable."""
    return _manifest(folder, model).text


def folder_for(folder: Path, model: str) -> Path:
    """The folder to which a model would go. Raises BadRequest where it cannot."""
    if manifest_file(folder, model) is None:
        raise BadRequest(f"{model[:80]} cannot be the name of a model of Ollama")
    for below in (folder / "blobs", folder / "manifests"):
        # Of what lies in a closed folder, exists() would raise PermissionError.
        there = next(one for one in (below, *below.parents) if os.access(one, os.F_OK))
        if not os.access(there, os.W_OK | os.X_OK):
            raise BadRequest(
                f"{there} may not be written by the account of the agent, so no model of Ollama can be put there",
                "give that account the right to write there, or pull the model",
            )
    return folder


def put_in(folder: Path, model: str, files: tuple[tuple[Path, ModelPart], ...], manifest: str | None) -> None:
    """Put blobs and, when all of them are there, the manifest to where Ollama finds them. Raises BadRequest."""
    told = read_manifest(manifest or "")
    target = manifest_file(folder, model)
    if told is None or target is None:
        raise BadRequest(f"{model[:80]} came without a manifest that Ollama could read", "copy it from its own Ollama")
    if set(told.digests) != {f"sha256:{part.sha256}" for _, part in files}:
        raise BadRequest(f"the manifest of {model} names other files than those that came", "copy it again")
    try:
        for file, part in files:
            _put_blob(file, blob_file(folder, f"sha256:{part.sha256}"), part.size_bytes)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(folder / f".manifest-{secrets.token_hex(6)}", told.text, target)
    except OSError as problem:
        raise BackendFailed(f"{model} cannot be put into {folder}: {problem.strerror or problem}") from problem


def _manifest(folder: Path, model: str) -> Manifest:
    """What Ollama keeps about a model. Raises NotFound, Unusable."""
    file = manifest_file(folder, model)
    try:
        if file is None or not file.is_file():
            raise NotFound(f"ollama has no model {model}")
        text = file.read_bytes().decode() if file.stat().st_size <= MAX_MANIFEST_BYTES else ""
    except (OSError, UnicodeDecodeError) as problem:
        raise Unusable(f"the manifest of {model} cannot be read: {problem}") from problem
    if (manifest := read_manifest(text)) is None:
        raise Unusable(f"the manifest of {model} makes no sense")
    return manifest


def _put_blob(file: Path, target: Path, size: int) -> None:
    """Move a file to where it belongs, unless the same one is there; never half of it under the right name."""
    if target.is_file() and target.stat().st_size == size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    coming = target.with_name(target.name + COPYING)
    shutil.move(file, coming)  # copies where it is another disk
    coming.chmod(READABLE)
    coming.replace(target)


def _write(draft: Path, text: str, target: Path) -> None:
    """Put a text into a file at once."""
    try:
        draft.write_bytes(text.encode())
        draft.chmod(READABLE)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
