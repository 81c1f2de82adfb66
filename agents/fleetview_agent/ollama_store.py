"""Ollama's models on disk: manifests that name blobs, of which one is the GGUF file.

`manifests/HOST/NAMESPACE/MODEL/TAG` is JSON, `blobs/sha256-HEX` a file (ollama : manifest/paths.go, manifest/layer.go).
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

MAX_MANIFESTS = 2000
"""Further ones are not read, in whatever folder we are pointed to."""
MAX_MANIFEST_BYTES = 1 << 20
SERVICE_FOLDER = Path("/usr/share/ollama/.ollama/models")
"""Where the Linux package's service keeps its models."""

_DEFAULT_HOST, _DEFAULT_NAMESPACE = "registry.ollama.ai", "library"
_HOST, _NAMESPACE = re.compile(r"\w[\w.:-]{0,349}", re.ASCII), re.compile(r"\w[\w-]{0,79}", re.ASCII)
_WORD = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_PARTS = (_HOST, _NAMESPACE, _WORD, _WORD)
"""What a host, a namespace, a model and a tag may look like (ollama : types/model/name.go)."""
_MODEL, _PROJECTOR = "application/vnd.ollama.image.model", "application/vnd.ollama.image.projector"


@dataclass(frozen=True)
class Manifest:
    """What Ollama keeps about a model."""

    text: str
    """As it is."""
    digests: tuple[str, ...]
    """`sha256:HEX` of every blob, each once."""


@dataclass(frozen=True)
class StoredModel:
    """A model that Ollama keeps, whose weights are one file."""

    name: str
    """As Ollama shows it, always with its tag."""
    blob: Path
    size_bytes: int
    digest: str
    """Of the weights: `sha256:` and 64 hexadecimal digits."""
    projector: Path | None
    """What a model that sees needs beside its weights."""
    is_gguf: bool
    """Whether the weights begin as such a file does."""
    written_at: float
    """When its manifest was written, in seconds since 1970: of several names of one file, the first is the oldest."""


class _Layer(BaseModel):
    """One blob of a model."""

    mediaType: Annotated[str, Field(max_length=256)]  # noqa: N815 - the key in the file
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """Nothing else is accepted, so that no digest leads out of the folder of blobs."""


class _Manifest(BaseModel):
    """The blobs of a model."""

    layers: tuple[_Layer, ...]
    config: _Layer | None = None


def models_folder(configured: Path | None) -> Path:
    """Where this machine's Ollama keeps its models: as configured, else where it would look itself."""
    if configured is not None:
        return configured
    if given := os.environ.get("OLLAMA_MODELS"):
        return Path(given)
    own = Path.home() / ".ollama" / "models"
    return SERVICE_FOLDER if not _is_folder(own) and _is_folder(SERVICE_FOLDER) else own


def stored_models(folder: Path) -> tuple[StoredModel, ...]:
    """The models in `folder`, sorted by name; none where it cannot be read.

    What makes no sense is left out: it is no model to Ollama either.
    """
    found = (_stored(folder, name, file) for name, file in _manifests(folder / "manifests"))
    return tuple(model for model in found if model is not None)


def manifest_file(folder: Path, name: str) -> Path | None:
    """Where the manifest of a model lies, or would; None for what cannot be the name of one."""
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, "latest"
    above, given = (_DEFAULT_HOST, _DEFAULT_NAMESPACE), path.split("/")
    parts = (*above[: max(0, len(_PARTS) - 1 - len(given))], *given, tag)
    if len(parts) != len(_PARTS) or not all(
        pattern.fullmatch(part) for pattern, part in zip(_PARTS, parts, strict=True)
    ):
        return None
    return folder.joinpath("manifests", *parts)


def read_manifest(text: str) -> Manifest | None:
    """A manifest as it stands on the disk; None where it makes no sense."""
    try:
        told = _Manifest.model_validate_json(text)
    except ValidationError:
        return None
    layers = (*((told.config,) if told.config else ()), *told.layers)
    return Manifest(text, tuple(dict.fromkeys(layer.digest for layer in layers)))


def blob_file(folder: Path, digest: str) -> Path:
    """Where a blob lies."""
    return folder / "blobs" / digest.replace(":", "-")


def _manifests(root: Path) -> Iterator[tuple[str, Path]]:
    """Every manifest with the name that it stands for."""
    level: list[tuple[str, ...]] = [()]
    for pattern in _PARTS:
        below = ((*parts, name) for parts in level for name in _names_in(root.joinpath(*parts)))
        level = list(itertools.islice((parts for parts in below if pattern.fullmatch(parts[-1])), MAX_MANIFESTS))
    for parts in level:
        yield _shown(*parts), root.joinpath(*parts)


def _names_in(folder: Path) -> list[str]:
    """What lies in a folder; nothing where it is none, or is closed to us."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _shown(host: str, namespace: str, model: str, tag: str) -> str:
    """The name as Ollama shows it: without what goes without saying."""
    if host.lower() != _DEFAULT_HOST:
        return f"{host}/{namespace}/{model}:{tag}"
    if namespace.lower() != _DEFAULT_NAMESPACE:
        return f"{namespace}/{model}:{tag}"
    return f"{model}:{tag}"


def _stored(folder: Path, name: str, file: Path) -> StoredModel | None:
    """The model of a manifest; None where it cannot be read, or its weights are not there in one file."""
    if (written := _regular(file)) is None or written.st_size > MAX_MANIFEST_BYTES:
        return None
    layers = _layers(file, written.st_mtime_ns, written.st_size)
    weights = next((layer for layer in layers if layer.mediaType == _MODEL), None)
    if weights is None:
        return None
    blob = blob_file(folder, weights.digest)
    if (status := _regular(blob)) is None:
        return None
    projectors = (blob_file(folder, layer.digest) for layer in layers if layer.mediaType == _PROJECTOR)
    return StoredModel(
        name=name,
        blob=blob,
        size_bytes=status.st_size,
        digest=weights.digest,
        projector=next(projectors, None),
        is_gguf=_begins_as_gguf(blob, status.st_mtime_ns),
        written_at=written.st_mtime,
    )


@functools.lru_cache(maxsize=MAX_MANIFESTS)
def _layers(file: Path, _changed_at: int, _size: int) -> tuple[_Layer, ...]:
    """The blobs of a manifest; none where it makes no sense. Read again only when the file is another."""
    try:
        with file.open("rb") as manifest:
            return _Manifest.model_validate_json(manifest.read(MAX_MANIFEST_BYTES)).layers
    except (OSError, ValidationError):
        return ()


@functools.lru_cache(maxsize=MAX_MANIFESTS)
def _begins_as_gguf(blob: Path, _changed_at: int) -> bool:
    """Whether the file begins with the four letters."""
    try:
        with blob.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


def _regular(path: Path) -> os.stat_result | None:
    """What is known of a regular file, for anything else may keep its reader waiting; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _is_folder(path: Path) -> bool:
    """Whether there is such a folder, as far as we can see."""
    try:
        return path.is_dir()
    except OSError:
        return False
