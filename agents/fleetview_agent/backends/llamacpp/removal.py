"""Deleting the files of a model, and what other programs keep behind them."""

from __future__ import annotations

from pathlib import Path

from fleetview_agent.errors import BackendFailed


def remove(name: str, files: tuple[Path, ...]) -> None:
    """Delete the files of a model; what is broken off can be gone on with. Raises BackendFailed."""
    try:
        for file in reversed(files):  # the first one last: without it, nobody would find the others any more
            _remove(file)
    except OSError as problem:
        raise BackendFailed(
            f"{name} could not be deleted: {problem.filename}: {problem.strerror}",
            "let the account of the agent write in that folder, or delete the file by hand",
        ) from problem


def _remove(file: Path) -> None:
    """Delete a file; where it is a link in the cache of Hugging Face, also the bytes that it leads to."""
    blob = file.resolve()
    snapshots = blob.parent.with_name("snapshots")
    if file.is_symlink() and blob.parent.name == "blobs" and file.parent.resolve().is_relative_to(snapshots):
        for link in _links_to(blob, snapshots):
            link.unlink(missing_ok=True)
        blob.unlink(missing_ok=True)
    else:
        file.unlink(missing_ok=True)


def _links_to(blob: Path, folder: Path) -> tuple[Path, ...]:
    """Every link to the bytes: one for each revision that has them."""
    return tuple(path for path in folder.rglob("*") if path.is_symlink() and path.resolve() == blob)
