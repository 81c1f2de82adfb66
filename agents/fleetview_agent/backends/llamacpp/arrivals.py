"""Models that come from another node: what they consist of there, and how they are put in place here."""

from __future__ import annotations

import contextlib
import filecmp
import os
import re
import secrets
import shutil
from pathlib import Path

from fleetview_agent.backends.llamacpp.found import Found
from fleetview_agent.errors import BackendFailed, BadRequest
from fleetview_agent.paths import private_folder
from fleetview_agent.wire import ModelPart

LONGEST_STEM = 200
"""Bytes; file systems take 255 with what we put around it."""

_SHA256 = re.compile(r"(?:sha256-)?([0-9a-f]{64})")

Files = tuple[tuple[Path, ModelPart], ...]


def parts_of(found: Found) -> tuple[tuple[Path, ModelPart | None], ...]:
    """The files of a model; the caches of Ollama and Hugging Face name theirs by their sha256."""
    return tuple((file, _part(file)) for file in found.files)


def targets(folder: Path, model: str, count: int) -> tuple[Path, ...]:
    """Where the files of a model of that name go. Raises BadRequest."""
    stem = model.rpartition("/")[2]
    if not stem or stem.startswith(".") or not stem.isprintable() or len(stem.encode()) > LONGEST_STEM:
        raise BadRequest(f"{stem[:80]!r} cannot be the name of a GGUF file", "copy it under another name")
    if count == 1:
        return (folder / f"{stem}.gguf",)
    return tuple(folder / f"{stem}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1))


def require_room(files: tuple[Path, ...], parts: tuple[ModelPart, ...]) -> None:
    """Raise BadRequest where something else is in the place of a file, as far as its size shows."""
    for file, part in zip(files, parts, strict=True):
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_size != part.size_bytes:
                raise _taken(file)


def put_in_place(files: tuple[Path, ...], came: Files) -> None:
    """Put files where they belong, all of them or none. Raises BadRequest, BackendFailed."""
    placed: list[Path] = []
    try:
        private_folder(files[0].parent)
        for target, (source, _) in reversed(tuple(zip(files, came, strict=True))):  # the first makes it a model
            if _place(source, target):
                placed.append(target)
    except (OSError, BadRequest) as problem:
        for target in placed:
            target.unlink(missing_ok=True)
        if isinstance(problem, BadRequest):
            raise
        raise BackendFailed(f"{files[0].name} cannot be put into {files[0].parent}: {problem}") from problem


def _place(source: Path, target: Path) -> bool:
    """Give the bytes their name, in one step and over nothing; whether they were not there yet. Raises BadRequest."""
    if target.exists():
        if filecmp.cmp(source, target, shallow=False):
            return False
        raise _taken(target)
    try:
        os.link(source, target)  # unlike a renaming, it never replaces anything
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # another disk, or one without links
        _copy(source, target)
    return True


def _copy(source: Path, target: Path) -> None:
    """The same across disks; nothing is there under that name before it is whole."""
    coming = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial")
    try:
        shutil.copyfile(source, coming)
        coming.rename(target)
    finally:
        coming.unlink(missing_ok=True)


def _taken(file: Path) -> BadRequest:
    """That there is another file of that name."""
    return BadRequest(f"there is another {file.name} in {file.parent} already", "delete that model first")


def _part(file: Path) -> ModelPart | None:
    """What is known of a file by the name under which it is kept."""
    kept = file.resolve()
    if (sha256 := _SHA256.fullmatch(kept.name)) is None:
        return None
    try:
        return ModelPart(sha256=sha256[1], size_bytes=kept.stat().st_size, name=file.name)
    except OSError:  # it is gone since the folder was looked at; who reads it will say so
        return None
