"""The models that Ollama has on disk, as its server tells them and as its files show."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleetview_agent.backends.ollama.answers import Listed, Shown
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.http import Unreachable
from fleetview_agent.backends.ollama.names import canonical
from fleetview_agent.errors import AgentError
from fleetview_agent.gguf import GgufError, Header, read_header
from fleetview_agent.ollama_store import StoredModel, stored_models
from fleetview_agent.wire import ModelFile

STORE_SECONDS = 2.0
"""Between looks at the manifests."""
LIST_SECONDS = 20.0
"""Between questions for the list where the manifests have not changed, or cannot be read."""
USUAL_CONTEXT = 8192
"""Tokens for a model where neither it nor its server says otherwise. Ollama's own default depends on the GPU's memory,
up to 262144 tokens, and it does not tell it."""
SHOW_SECONDS = 1.0
"""How long one listing may ask for details; what it does not get to, the next one asks for."""


@dataclass(frozen=True)
class Entry:
    """One model on disk."""

    listed: Listed
    stored: StoredModel | None = None
    """None where its manifest cannot be read."""
    header: Header | None = None
    problem: str | None = None
    """Why its file makes no sense."""
    shown: Shown | None = None

    @property
    def name(self) -> str:
        """Of the model."""
        return self.listed.name

    @property
    def trained_context(self) -> int | None:
        """Tokens that the model was trained for; the engine never gives it more."""
        told = (self.header and self.header.context_length) or (self.shown and self.shown.context_length)
        return told or self.listed.context_length

    @property
    def abilities(self) -> tuple[str, ...]:
        """What it can do, in Ollama's words; empty where an older server does not tell."""
        return (self.shown.capabilities if self.shown else self.listed.capabilities) or ()

    @property
    def embeds(self) -> bool:
        """Whether it makes embeddings, and answers no prompts."""
        return "embedding" in self.abilities and "completion" not in self.abilities

    @property
    def refusal(self) -> str | None:
        """Why it cannot be loaded to answer prompts or make embeddings; None where nothing speaks against it."""
        if self.listed.remote:
            return f"{self.name} runs in Ollama's cloud, not on this machine"
        if self.abilities and not {"completion", "embedding"} & {*self.abilities}:
            return f"{self.name} is for {' and '.join(self.abilities)} and cannot answer prompts"
        problem = self.problem
        if problem is None and self.header is not None:
            problem = self.header.damage if self.embeds else self.header.refusal
        return problem.replace(self.stored.blob.name, self.name) if problem and self.stored else problem

    def row(self, usual_context: int | None) -> ModelFile:
        """What is to be shown; `usual_context` is what the server gives a model that asks for nothing."""
        header, listed, trained = self.header, self.listed, self.trained_context
        context = (self.shown.default_context if self.shown else None) or usual_context or (trained and USUAL_CONTEXT)
        return ModelFile(
            name=self.name,
            size_bytes=listed.size_bytes,
            identity=header.identity if header else listed.digest or None,
            path=str(self.stored.blob) if self.stored else None,
            architecture=header.architecture if header else (self.shown and self.shown.architecture) or listed.family,
            quantization=(header and header.quantization) or listed.quantization,
            context_length=trained,
            default_context=min(context, trained) if context and trained else context,
            bytes_per_token=header.bytes_per_token if header else None,
            refusal=self.refusal,
        )


@dataclass(frozen=True)
class _Listing:
    """What was found, and when."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    stored: tuple[StoredModel, ...] = ()
    at: float = float("-inf")
    complete: bool = False
    """Whether the details of every model were asked for."""


class Inventory:
    """Asks for the list when it may have changed, and for the details of a model once."""

    def __init__(self, api: OllamaApi, folder: Callable[[], Path]) -> None:
        self._api = api
        self._folder = folder
        self._turn = asyncio.Lock()
        self._listing = _Listing()
        self._stored: tuple[StoredModel, ...] = ()
        self._stored_at = float("-inf")
        self._headers: dict[tuple[Path, int, int], Header | str] = {}
        self._shown: dict[str, Shown | None] = {}

    @property
    def last(self) -> Mapping[str, Entry]:
        """Every model by its name, as last seen."""
        return self._listing.entries

    async def entries(self, *, afresh: bool = False) -> Mapping[str, Entry]:
        """Every model by its name. Raises the errors of the server."""
        async with self._turn:
            await self.look_at_disk(afresh=afresh)
            old = self._listing
            is_unchanged = old.stored == self._stored and old.complete
            if afresh or not is_unchanged or time.monotonic() - old.at > LIST_SECONDS:
                self._listing = await self._renewed(self._stored)
            return self._listing.entries

    async def find(self, model: str) -> Entry | None:
        """The model of that name, even if it has just come."""
        for afresh in (False, True):
            for entry in (await self.entries(afresh=afresh)).values():
                if canonical(entry.name) == canonical(model):
                    return entry
        return None

    def names(self) -> Mapping[str, tuple[str, ...]]:
        """What a runner's command line names, a blob's file name or a model → the models that it stands for."""
        found: dict[str, tuple[str, ...]] = {}
        for stored in self._stored:
            found[stored.blob.name] = (*found.get(stored.blob.name, ()), stored.name)
        for entry in self._listing.entries.values():
            found[entry.name] = (entry.name,)
        return found

    async def look_at_disk(self, *, afresh: bool = False) -> None:
        """Read the manifests again if they were not read just now; this needs no server."""
        if afresh or time.monotonic() - self._stored_at > STORE_SECONDS:
            self._stored_at = time.monotonic()
            self._stored = await asyncio.to_thread(stored_models, self._folder())

    async def _renewed(self, stored: tuple[StoredModel, ...]) -> _Listing:
        """The listing as it is now."""
        at = time.monotonic()
        listed = await self._api.tags()
        complete = await self._show(listed)
        by_name = {canonical(model.name): model for model in stored}
        found = [by_name.get(canonical(one.name)) for one in listed]
        files = await asyncio.to_thread(self._read, found)
        entries = {
            one.name: Entry(one, model, header, problem, self._shown.get(_key(one)))
            for one, model, (header, problem) in zip(listed, found, files, strict=True)
        }
        return _Listing(entries, stored, at, complete)

    async def _show(self, listed: tuple[Listed, ...]) -> bool:
        """Ask for the details of models that are new; whether none is left to be asked for."""
        keys = {_key(one) for one in listed}
        # What failed is asked for again with each new list.
        self._shown = {key: shown for key, shown in self._shown.items() if key in keys and shown}
        deadline = time.monotonic() + SHOW_SECONDS
        for one in listed:
            if one.remote or _key(one) in self._shown:
                continue
            if time.monotonic() > deadline:
                return False
            try:
                self._shown[_key(one)] = await self._api.show(one.name)
            except Unreachable:
                raise
            except AgentError:
                self._shown[_key(one)] = None  # it is listed all the same
        return True

    def _read(self, models: Sequence[StoredModel | None]) -> tuple[tuple[Header | None, str | None], ...]:
        """Header of each model's file, or why it makes no sense."""
        read: dict[tuple[Path, int, int], Header | str] = {}
        told: list[tuple[Header | None, str | None]] = []
        for model in models:
            key = _stamp(model.blob) if model is not None and model.is_gguf else None
            if key is None:
                told.append((None, None))
                continue
            header = read[key] = self._headers.get(key) or _header(key[0])
            told.append((None, header) if isinstance(header, str) else (header, None))
        self._headers = read
        return tuple(told)


def _key(listed: Listed) -> str:
    """What is another one when the model is made anew."""
    return listed.digest or listed.name


def _stamp(blob: Path) -> tuple[Path, int, int] | None:
    """What changes with a file; None where this account may not read it."""
    try:
        status = blob.stat()
    except OSError:
        return None
    return (blob, status.st_size, status.st_mtime_ns) if os.access(blob, os.R_OK) else None


def _header(blob: Path) -> Header | str:
    """The header of a file, or why there is none."""
    try:
        return read_header(blob)
    except GgufError as problem:
        return str(problem)
