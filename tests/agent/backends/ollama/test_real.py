"""The backend over a server with real runners: the stand-in, and the real Ollama where it is on PATH."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from fleetview_agent.backends import Notices
from fleetview_agent.backends.ollama import OllamaBackend, looks, memory
from fleetview_agent.backends.ollama.looks import Looks
from fleetview_agent.backends.ollama.processes import ProcessTable
from fleetview_agent.config import OllamaConfig
from fleetview_agent.wire import ChatChunk, ChatMessage, ChatRequest, LoadOptions, ResidentModel
from tests.gguf_files import write_tiny
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, free_port, ollama_server

MODEL = "tiny:latest"
PATIENCE_SECONDS = 15.0


class Drive:
    """A backend over a server that has one tiny model, and another client of the same server."""

    def __init__(self, server: OllamaServer) -> None:
        self.server = server
        self.backend = OllamaBackend(OllamaConfig(address=server.address), Notices(lambda: None))
        self.other = httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS, trust_env=False)

    async def create(self, weights: Path) -> None:
        async with aclosing(self.backend.create(MODEL, weights, LoadOptions())) as transfers:
            async for _ in transfers:
                pass

    async def load(self, context: int = 512) -> None:
        await self.backend.load(MODEL, LoadOptions(context=context), lambda _: None)

    async def resident(self) -> tuple[ResidentModel, ...]:
        return (await self.backend.status()).resident

    async def row(self) -> ResidentModel:
        (row,) = await self.resident()
        return row

    async def other_loads(self, context: int) -> None:
        await self.other.post("/api/generate", json={"model": MODEL, "options": {"num_ctx": context}})

    def chat(self, limit: int) -> AsyncIterator[ChatChunk]:
        messages = (ChatMessage(role="user", content="hello"),)
        return self.backend.chat(MODEL, ChatRequest(model="any", messages=messages, max_tokens=limit, temperature=0))

    async def close(self) -> None:
        await self.other.aclose()
        await self.backend.close()


@pytest.fixture(scope="module", params=["stand-in", "real"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = install(tmp_path_factory.mktemp("program")) if request.param == "stand-in" else shutil.which("ollama")
    if found is None:
        pytest.skip("there is no `ollama` on PATH")
    return Path(found)


@pytest.fixture(scope="module")
def server(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    with ollama_server(program, tmp_path_factory.mktemp("server")) as one:
        yield one


@asynccontextmanager
async def driving(server: OllamaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Drive]:
    """A backend that looks as often as it is asked; nothing is resident before and after."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(looks, "FRESH_SECONDS", 0)
    drive = Drive(server)
    await drive.create(write_tiny(tmp_path / "tiny.gguf"))
    yield drive
    for row in await drive.resident():
        await drive.backend.unload(row.name)
    await drive.close()


@pytest.fixture
async def drive(server: OllamaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Drive]:
    async with driving(server, tmp_path, monkeypatch) as one:
        yield one


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, "it never came true"
        await asyncio.sleep(0.01)


async def test_a_model_is_loaded_answers_is_kept_and_leaves(drive: Drive) -> None:
    await drive.load()
    row = await drive.row()
    assert (row.name, row.phase, row.context) == (MODEL, "ready", 512)
    assert row.pid in {process.pid for process in drive.server.runners()}
    assert row.memory_bytes
    await drive.backend.warm(MODEL)
    chunks = [chunk async for chunk in drive.chat(8)]
    assert chunks[-1].usage is not None
    assert 0 < chunks[-1].usage.completion_tokens <= 8
    assert (await drive.row()).time_to_first_token_seconds is not None
    await drive.backend.keep(MODEL, "forever")
    assert (await drive.row()).expires_in_seconds is None
    await drive.backend.keep(MODEL, 60.0)
    assert (await drive.row()).expires_in_seconds == pytest.approx(60, abs=5)
    await drive.backend.unload(MODEL)
    assert await drive.resident() == ()
    assert drive.server.runners() == []


async def test_a_load_by_another_client_is_seen_before_the_server_lists_it(drive: Drive) -> None:
    async def has_come() -> bool:
        return bool(drive.server.runners())

    load = asyncio.create_task(drive.other_loads(1024))
    await until(has_come)
    (runner,) = drive.server.runners()
    runner.suspend()  # so tiny a model is loaded before one has looked
    try:
        assert (await drive.row()).phase == "loading"
    finally:
        runner.resume()
    await load
    assert (await drive.row()).phase == "ready"


async def test_a_reload_that_another_client_caused_is_named(drive: Drive) -> None:
    await drive.load()
    await drive.row()
    await drive.other_loads(1024)
    remark = (await drive.row()).remark
    assert remark == "another client's request reloaded it with a context of 1024 tokens instead of 512"
    await drive.backend.unload(MODEL)
    await drive.load()
    assert (await drive.row()).remark is None


async def test_a_model_whose_runner_was_killed_is_failed_and_can_be_loaded_again(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "GRACE_SECONDS", 0)
    await drive.load()
    pid = (await drive.row()).pid
    assert pid is not None
    psutil.Process(pid).kill()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (row := await drive.row()).phase != "failed":
            pass
    assert row.failure is not None
    assert f"(pid {pid}) has ended" in row.failure.reason
    await drive.load()
    again = await drive.row()
    assert (again.phase, again.pid != pid) == ("ready", True)


async def test_a_runner_that_outlives_its_server_is_shown_and_ended(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ollama_server(program, tmp_path) as server:
        async with driving(server, tmp_path, monkeypatch) as drive:
            await drive.load()
            pid = (await drive.row()).pid
            server.process.kill()
            server.process.wait()
            row = await drive.row()
            assert (row.name, row.phase, row.pid) == (f"{MODEL}#{pid}", "orphaned", pid)
            assert row.memory_bytes
            await drive.backend.unload(row.name)
            assert await drive.resident() == ()
            assert pid is not None
            assert not psutil.pid_exists(pid)


async def test_a_server_of_our_own_is_started_lost_started_again_and_stopped(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(looks, "FRESH_SECONDS", 0)
    lost = asyncio.Event()
    notices = Notices(lambda: None, lost=lambda _backend, _reason: lost.set())
    config = OllamaConfig(address=f"127.0.0.1:{free_port()}", program=program, models=tmp_path / "models")
    backend = OllamaBackend(config, notices)
    try:
        assert (await backend.status()).phase == "stopped"
        assert (await backend.server_steps("start")).commands
        await backend.start()
        state = await backend.status()
        assert (state.phase, state.supervisor) == ("ready", "fleetview-agent")
        server = (await Looks(config.address, config.models, ProcessTable().look).look()).server
        assert server is not None
        psutil.Process(server.pid).kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await lost.wait()
        await backend.start()
        assert (await backend.status()).phase == "ready"
    finally:
        await backend.stop()
    assert (await backend.status()).phase == "stopped"
    await backend.close()
