"""What the contract is held against: every backend, each with a model that can be loaded and one that cannot."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from fleetview_agent.backends import Backend, Notices, Observing
from fleetview_agent.backends.llamacpp import LlamaCppBackend
from fleetview_agent.backends.ollama import OllamaBackend
from fleetview_agent.backends.ollama.processes import Processes, ProcessTable
from fleetview_agent.backends.simulated import SimulatedBackend, plain_engine
from fleetview_agent.config import LlamaCppConfig, OllamaConfig, SimulatedConfig
from fleetview_agent.wire import ChatChunk, ChatMessage, ChatRequest, LoadOptions, ResidentModel, Traffic
from tests.gguf_files import write_tiny, write_truncated
from tests.ollama.servers import OllamaServer

CONTEXT = 512


@dataclass
class Subject:
    """A backend, with a model that can be loaded and one that cannot."""

    backend: Backend
    good: str
    unusable: str
    changes: list[None] = field(default_factory=list)

    async def load(self) -> None:
        await self.backend.load(self.good, LoadOptions(context=CONTEXT), lambda _share: None)

    async def resident(self) -> tuple[ResidentModel, ...]:
        return (await self.backend.status()).resident

    async def traffic(self) -> tuple[Traffic, ...]:
        """What its models do, after a look where it takes one."""
        if isinstance(self.backend, Observing):
            await self.backend.status()
            await self.backend.observe()
        return self.backend.traffic()

    async def answer(self, prompt: str = "one two three", **options: object) -> list[ChatChunk]:
        return [chunk async for chunk in self.backend.chat(self.good, a_request(prompt, **options))]


def a_request(prompt: str, **options: object) -> ChatRequest:
    messages = [ChatMessage(role="user", content=prompt)]
    return ChatRequest.model_validate({"model": "any", "messages": messages, "temperature": 0, **options})


Made = tuple[Backend, str, str]
"""A backend, what it can load, and what it cannot."""


def simulated(_request: pytest.FixtureRequest, _home: Path, changed: Callable[[], None]) -> Made:
    config = SimulatedConfig(enabled=True, load_seconds=0.2, tokens_per_second=500)
    return SimulatedBackend(plain_engine(config), Notices(changed)), "sim-small", "sim-unusable"


def llamacpp(_request: pytest.FixtureRequest, home: Path, changed: Callable[[], None]) -> Made:
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed; it comes with the extra llamacpp")
    write_tiny(home / "models" / "tiny.gguf")
    write_truncated(home / "models" / "cut.gguf")
    return LlamaCppBackend(LlamaCppConfig(folders=(home / "models",), threads=1), changed), "tiny", "cut"


def ollama(request: pytest.FixtureRequest, _home: Path, changed: Callable[[], None]) -> Made:
    return ollama_at(request.getfixturevalue("stand_in"), changed)


def real_ollama(request: pytest.FixtureRequest, _home: Path, changed: Callable[[], None]) -> Made:
    return ollama_at(request.getfixturevalue("real_server"), changed)


def ollama_at(server: OllamaServer, changed: Callable[[], None]) -> Made:
    config = OllamaConfig(address=server.address, models=server.models)
    backend = OllamaBackend(config, Notices(changed), look=partial(processes_of, server, ProcessTable()))
    return backend, "tiny:latest", "cut:latest"


def processes_of(server: OllamaServer, table: ProcessTable) -> Processes:
    """What there would be to see if this were the only Ollama of the machine."""
    seen = table.look()
    runners = tuple(runner for runner in seen.runners if runner.model.startswith(str(server.models)))
    return Processes(tuple(found for found in seen.servers if found.pid == server.process.pid), runners)
