"""The GGUF files of this machine, and the names by which they are known."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleetview_agent.backends.llamacpp import second_file, stored
from fleetview_agent.backends.llamacpp.found import Found, read, readable
from fleetview_agent.backends.llamacpp.places import roots
from fleetview_agent.backends.llamacpp.sampled import sampled
from fleetview_agent.gguf import GgufError, Header
from fleetview_agent.ollama_store import stored_models

_Headers = dict[tuple[Path, int, int], Header | GgufError]
"""What was read of a file, as long as its size and its time stay the same."""

MAX_DEPTH = 8
MAX_FOLDERS = 4000
MAX_FILES = 2000
"""Further ones are not listed; whoever points us at a whole disk shall still get an answer."""
FRESH_SECONDS = 1.0
"""A listing as young as this is not questioned."""
RESCAN_SECONDS = 10.0
"""A file that grows does not touch its folder."""

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")


@dataclass(frozen=True)
class _Listing:
    """What a scan has found."""

    files: Mapping[str, Found] = field(default_factory=dict)
    folders: Mapping[Path, int] = field(default_factory=dict)
    """Every folder that was looked into → when it was changed."""
    at: float = float("-inf")

    def is_unchanged(self) -> bool:
        """Whether no file has come or gone since."""
        return all(_changed_at(folder) == changed_at for folder, changed_at in self.folders.items())


class Inventory:
    """Looks for files, no more often than it must, and never in the event loop."""

    def __init__(self, folders: tuple[Path, ...], ollama_models: Path | None = None) -> None:
        self._configured = folders
        self._ollama_models = ollama_models
        self._listing = _Listing()
        self._headers: _Headers = {}
        self._turn = asyncio.Lock()

    async def files(self, *, afresh: bool = False) -> Mapping[str, Found]:
        """Every file by its name, in the order of the folders; Ollama's at the end."""
        asked_at = time.monotonic()
        async with self._turn:
            is_fresh = self._listing.at >= asked_at - (0.0 if afresh else FRESH_SECONDS)
            if not is_fresh:
                self._listing = await asyncio.to_thread(self._renewed, self._listing, afresh)
            return self._listing.files

    async def find(self, name: str) -> Found | None:
        """The file of that name, even if it has just come."""
        return (await self.files()).get(name) or (await self.files(afresh=True)).get(name)

    def _renewed(self, old: _Listing, afresh: bool) -> _Listing:
        """The listing as it is now, which is the old one where nothing can have changed."""
        now = time.monotonic()
        if not afresh and now - old.at < RESCAN_SECONDS and old.is_unchanged():
            return old
        folders: dict[Path, int] = {}
        paths = [path for root in roots(self._configured) for path in _walk(root, folders)]
        headers: _Headers = {}
        found = [file for path in paths[:MAX_FILES] if (file := self._look_at(path, headers)) is not None]
        if (carried := second_file.carried()) and (file := self._look_at(carried, headers)):
            found.append(replace(file, undeletable=f"{file.stem} is part of an installed package; uninstall that"))
        files = _with_stored(_named(found), self._stored(headers, folders))
        self._headers = headers
        return _Listing(files, folders, now)

    def _stored(self, headers: _Headers, folders: dict[Path, int]) -> Iterator[Found]:
        """What Ollama has, under its names."""
        if self._ollama_models is None:
            return
        blobs = self._ollama_models / "blobs"
        folders[blobs] = _changed_at(blobs)
        # The oldest name first: it stays the model's name here when others are made of the same file.
        for model in sorted(stored_models(self._ollama_models), key=lambda one: (one.written_at, one.name)):
            with contextlib.suppress(OSError):  # deleted in this moment
                yield stored.found(model, self._header(model.blob, model.blob.stat(), headers))

    def _look_at(self, path: Path, headers: _Headers) -> Found | None:
        """What a file is; None for one that is no model of its own, or is gone."""
        part = _PART.fullmatch(path.stem)
        stem = readable(part["stem"] if part else path.stem)
        if "mmproj" in path.stem.lower() or (part and int(part["number"]) != 1):
            return None
        try:
            status = path.stat()
        except OSError:
            return None
        header = self._header(path, status, headers)
        further = tuple(_further_parts(path, part))
        if isinstance(header, GgufError):
            return Found(path, stem, status.st_size, None, str(header), further)
        if not further:
            return Found(path, stem, status.st_size, header, header.refusal or _cannot_be_whole(header))
        rest = [self._further(path, file, headers) for file in further]
        complaint = next((part for part in rest if isinstance(part, str)), None)
        parts = tuple(part for part in rest if isinstance(part, Header))
        size = status.st_size + sum(part.file_bytes for part in parts)
        return Found(path, stem, size, replace(header, further=parts), header.refusal or complaint, further)

    def _further(self, first: Path, file: Path, headers: _Headers) -> Header | str:
        """The header of another file of a model in several, or what is wrong with it."""
        try:
            header = self._header(file, file.stat(), headers)
        except FileNotFoundError:
            return f"{readable(first.name)} is one of several files, of which {readable(file.name)} is missing"
        except OSError as problem:
            return f"{readable(file.name)} cannot be read: {problem.strerror}"
        if isinstance(header, GgufError):
            return str(header)
        is_cut = header.file_bytes < header.needed_bytes
        return header.refusal if is_cut and header.refusal else header

    def _header(self, path: Path, status: os.stat_result, headers: _Headers) -> Header | GgufError:
        """The header of a file, which is read once."""
        key = (path, status.st_size, status.st_mtime_ns)
        header = headers[key] = self._headers.get(key) or read(path)
        return header


def _walk(root: Path, folders: dict[Path, int]) -> Iterator[Path]:
    """The GGUF files below `root`, nearer ones first; each folder once, however many links lead to it."""
    seen: set[tuple[int, int]] = set()
    level = [root]
    for _ in range(MAX_DEPTH):
        below: list[Path] = []
        for folder in level:
            if len(folders) >= MAX_FOLDERS:
                return
            files, further = _look_into(folder, folders, seen)
            yield from files
            below += further
        level = below


def _look_into(
    folder: Path, folders: dict[Path, int], seen: set[tuple[int, int]]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """GGUF files and folders in a folder; nothing where it cannot be read, or was looked into already."""
    folders[folder] = _changed_at(folder)
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return (), ()
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            rows = sorted((entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith("."))
    except OSError:
        return (), ()
    files = tuple(folder / name for name, is_folder in rows if not is_folder and name.lower().endswith(".gguf"))
    return files, tuple(folder / name for name, is_folder in rows if is_folder)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _changed_at(folder: Path) -> int:
    """When something came into a folder or left it; zero where it does not exist."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _further_parts(path: Path, part: re.Match[str] | None) -> Iterator[Path]:
    """The other files of a model in several."""
    if part is not None:
        for number in range(2, min(int(part["count"]), MAX_FILES) + 1):
            yield path.with_name(f"{part['stem']}-{number:05}-of-{part['count']}{path.suffix}")


def _cannot_be_whole(header: Header) -> str | None:
    """That the model is in several files, and this one is not called as the first of them must be."""
    if (count := header.number_of_files) == 1:
        return None
    ending = f"-00001-of-{count:05}.gguf"
    return f"{header.file_name} is the first of {count} files, which are found only where its name ends in {ending}"


def _named(found: list[Found]) -> dict[str, Found]:
    """Names for files, each content once: the stem, with as many folders before it as it takes to be unique."""
    once: dict[object, Found] = {}
    claims = Counter(map(_content, found))
    for file in found:
        # two models of one make may say the same of themselves, and a damaged copy says what the good one says
        content = (_content(file), sampled(file.path) if claims[_content(file)] > 1 else b"")
        other = once.setdefault(content, file)
        if other.refusal and not file.refusal:  # a copy of which a part is missing hides no complete one
            once[content] = file
    files = list(once.values())
    names = [file.stem for file in files]
    for depth in range(1, max((len(file.path.parts) for file in files), default=1)):
        counts = Counter(names)
        if max(counts.values(), default=1) == 1:
            break
        for index, file in enumerate(files):
            if counts[names[index]] > 1:
                names[index] = readable("/".join((*file.path.parts[-1 - depth : -1], file.stem)))
    return dict(zip(names, files, strict=True))


def _with_stored(files: dict[str, Found], stored_files: Iterable[Found]) -> dict[str, Found]:
    """The files and, after them, what Ollama alone has; several names of one content are one model."""
    contents = {_content(file) for file in files.values()}
    for file in stored_files:
        if (content := _content(file)) not in contents and file.stem not in files:
            contents.add(content)
            files[file.stem] = file
    return files


def _content(file: Found) -> object:
    """The same for the same content, as far as its header tells."""
    return file.header.identity if file.header else file.path.resolve()
