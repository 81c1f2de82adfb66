"""A file that could be a model, and what is told of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.gguf import GgufError, Header, read_header
from fleetview_agent.wire import ModelFile

DEFAULT_CONTEXT = 8192


@dataclass(frozen=True)
class Found:
    """A file that could be a model."""

    path: Path
    stem: str
    size_bytes: int
    header: Header | None
    """None where it cannot be understood."""
    refusal: str | None
    further: tuple[Path, ...] = ()
    """The other files of a model in several, whether they are there or not."""
    undeletable: str | None = None
    """Why it may not be deleted; None where it may."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All that it consists of."""
        return (self.path, *self.further)

    @property
    def default_context(self) -> int:
        """Tokens it gets when nobody says otherwise."""
        trained = self.header.context_length if self.header else None
        return min(trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)

    def row(self, name: str) -> ModelFile:
        """What is to be shown."""
        header = self.header
        return ModelFile(
            name=name,
            size_bytes=self.size_bytes,
            identity=header.identity if header else None,
            path=readable(self.path),
            architecture=header.architecture if header else None,
            quantization=header.quantization if header else None,
            context_length=header.context_length if header else None,
            default_context=self.default_context if header else None,
            bytes_per_token=header.bytes_per_token if header else None,
            refusal=self.refusal,
            undeletable=self.undeletable,
        )


def readable(path: Path | str) -> str:
    """The path as text that can be sent, also where its bytes are none."""
    return os.fsencode(path).decode(errors="replace")


def read(path: Path) -> Header | GgufError:
    """The header, or why there is none."""
    try:
        return read_header(path)
    except GgufError as problem:
        return problem
