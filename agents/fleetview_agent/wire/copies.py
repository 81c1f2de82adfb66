"""Copies: the files of a model, as they go from one node to another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fleetview_agent.wire.base import Wire

MOST_FILES = 1000
LONGEST_MANIFEST = 1 << 20
"""Characters."""
LARGEST_FILE = 1 << 62
"""Bytes; no file system takes more, and some of them can be added up."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _no_folder(name: str) -> str:
    """A name that means a file and not a folder."""
    if name in {".", ".."}:
        raise ValueError(f"{name} is no name of a file")
    return name


class ModelPart(Wire):
    """One file of a model."""

    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0, le=LARGEST_FILE)]
    name: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^/\x00-\x1f]+$"), AfterValidator(_no_folder)]
    """The file's name, without folders; of an engine that names its files by their content, that name."""


class ModelParts(Wire):
    """What a model consists of, so that another node can have it."""

    backend: str
    model: str
    parts: Annotated[tuple[ModelPart, ...], Field(min_length=1, max_length=MOST_FILES)]
    manifest: Annotated[str, Field(max_length=LONGEST_MANIFEST)] | None = None
    """What the engine itself keeps about them, as it is; None where there is no such thing."""


class PartsFound(Wire):
    """One line of the answer to what a model consists of: how far the reading has come, and in the end the result."""

    done_bytes: int
    total_bytes: int
    found: ModelParts | None = None
    """In the last line."""


class BlobState(Wire):
    """How much of a file is on the node."""

    state: Literal["missing", "partial", "complete"]
    size_bytes: int = 0
