"""A backend of Ollama over a server that answers as it is told, and over processes that are made up."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.backends import Notices
from fleetview_agent.backends.ollama import OllamaBackend, looks
from fleetview_agent.backends.ollama.processes import Processes, Runner, Server
from fleetview_agent.config import OllamaConfig
from fleetview_agent.wire import ResidentModel
from tests.agent.backends.ollama.manifests import put_model
from tests.agent.backends.ollama.scripted import Reply, Scripted, scripted
from tests.gguf_files import write_tiny

SERVER = Server(100, 1, 1.0, ("ollama", "serve"))


def said(**answer: Any) -> Reply:
    return Reply(json.dumps(answer).encode())


def a_listed(name: str) -> dict[str, Any]:
    return {"name": name, "size": 400, "digest": name, "details": {"quantization_level": "F16"}}


def a_loaded(name: str = "tiny:latest", **changes: Any) -> dict[str, Any]:
    expires_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 300))
    return {
        "name": name,
        "size": 1000,
        "size_vram": 1000,
        "context_length": 4096,
        "expires_at": expires_at,
        "details": {"quantization_level": "F16"},
    } | changes


class Stage:
    """A backend, and what it is to find."""

    def __init__(self, folder: Path, script: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setattr(looks, "FRESH_SECONDS", 0)
        port = int(script.address.rpartition(":")[2])
        monkeypatch.setattr(looks, "_ports", lambda pid: frozenset({port}) if pid == SERVER.pid else frozenset())
        self.script = script
        self.models = folder / "models"
        self.blob = put_model(self.models, "tiny:latest", write_tiny(folder / "tiny.gguf"))
        self.processes = Processes((SERVER,))
        self.changes = 0
        config = OllamaConfig(address=script.address, models=self.models, program=folder / "no" / "ollama")
        self.backend = OllamaBackend(config, Notices(self._changed), lambda: self.processes)

    def _changed(self) -> None:
        self.changes += 1

    def answer(self, path: str, reply: Reply) -> None:
        self.script.replies = {**self.script.replies, path: reply}

    def runner(self, *, pid: int = 7, context: int = 4096, orphaned: bool = False) -> Runner:
        parent = 1 if orphaned else SERVER.pid
        return Runner(pid, parent, 1.0, str(self.blob), 9000 + pid, context, 1, 555, orphaned=orphaned)

    def hold(self, *loaded: dict[str, Any], runners: tuple[Runner, ...] = ()) -> None:
        self.answer("GET /api/ps", said(models=loaded))
        self.processes = Processes((SERVER,), runners)

    def orphans(self) -> Processes:
        return Processes((), (self.runner(orphaned=True),))

    async def resident(self) -> tuple[ResidentModel, ...]:
        return (await self.backend.status()).resident

    async def row(self) -> ResidentModel:
        (row,) = await self.resident()
        return row

    def asked(self, path: str) -> list[Any]:
        return [one.said for one in self.script.asked if f"{one.method} {one.path}" == path]


@asynccontextmanager
async def a_stage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A server that has one model and holds nothing."""
    replies = {
        "GET /api/version": said(version="0.33.0"),
        "GET /api/tags": said(models=[a_listed("tiny:latest"), a_listed("broken:latest")]),
        "GET /api/ps": said(models=[]),
        "POST /api/show": said(capabilities=["completion"]),
        "POST /api/generate": said(done=True),
    }
    async with scripted(replies) as script:
        one = Stage(folder, script, monkeypatch)
        yield one
        await one.backend.close()
