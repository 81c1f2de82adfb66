"""Processes of the stand-in: what agents and other clients see of them is what Ollama's do."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from fleetview_agent.backends.ollama.processes import ProcessTable, Runner
from tests.gguf_files import Tiny, write_tiny
from tests.ollama.installed import install
from tests.ollama.servers import OllamaServer, ollama_server
from tests.ollama.store import THINKING, Store

LONG = {"num_predict": 20_000, "num_ctx": 30_000}
PATIENCE_SECONDS = 20.0


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program, and a model in a home of its own."""
    return installed(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    """A server for tests that leave it running."""
    home = tmp_path_factory.mktemp("home")
    Store(home / "registry").create("far", write_tiny(home / "far.gguf", Tiny(name="far")))
    registry = {"STANDIN_REGISTRY": str(home / "registry"), "STANDIN_PULL_BYTES_PER_SECOND": "1e6"}
    with ollama_server(installed(home), home, LLAMA_ARG_ENDPOINT_METRICS="1", **registry) as running:
        yield running


def installed(home: Path) -> Path:
    """The program, with a model that can answer for long."""
    tiny = write_tiny(home / "a.gguf", Tiny(context_length=32_768))
    Store(home / ".ollama" / "models").create("tiny", tiny)
    return install(home)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as made:
        yield made


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


def seen(server: OllamaServer) -> list[Runner]:
    """This server's runners, as an agent sees them."""
    runners = ProcessTable().look().runners
    return [runner for runner in runners if runner.model.startswith(str(server.models))]


async def load(client: httpx.AsyncClient, server: OllamaServer, **body: object) -> httpx.Response:
    return await client.post(f"{server.url}/api/generate", json={"model": "tiny", **body})


async def test_a_server_and_its_runner_are_processes_under_the_real_command_lines(
    server: OllamaServer, client: httpx.AsyncClient
) -> None:
    assert (await load(client, server, options={"num_ctx": 512})).status_code == 200
    assert server.process.pid in {found.pid for found in ProcessTable().look().servers}
    (runner,) = seen(server)
    assert (runner.parent_pid, runner.context, runner.parallel) == (server.process.pid, 512, 1)
    assert not runner.orphaned
    (slot,) = (await client.get(f"http://127.0.0.1:{runner.port}/slots")).json()
    metrics = (await client.get(f"http://127.0.0.1:{runner.port}/metrics")).text
    assert (slot["n_ctx"], slot["is_processing"]) == (512, False)
    assert "llamacpp:tokens_predicted_total" in metrics


async def test_an_unused_model_leaves_when_its_time_is_up(server: OllamaServer, client: httpx.AsyncClient) -> None:
    await load(client, server, keep_alive=-1)
    await load(client, server, keep_alive="10ms")
    await until(lambda: not seen(server))
    assert (await client.get(f"{server.url}/api/ps")).json() == {"models": []}


async def test_an_unload_waits_for_the_answer_in_progress(server: OllamaServer, client: httpx.AsyncClient) -> None:
    asked = {"model": "tiny", "prompt": "hello", "options": LONG}
    async with client.stream("POST", f"{server.url}/api/generate", json=asked) as answer:
        lines = answer.aiter_lines()  # kept, for the answer ends with the one who reads it
        await anext(lines)
        unloaded = await load(client, server, keep_alive=0)
        assert unloaded.json()["done_reason"] == "unload"
        assert seen(server)
    await until(lambda: not seen(server))


async def test_what_the_runner_says_stands_in_the_servers_log(server: OllamaServer, client: httpx.AsyncClient) -> None:
    await load(client, server, prompt="hello", options={"num_predict": 2})
    await until(lambda: "total time" in server.log.read_text())
    lines = server.log.read_text().splitlines()
    assert any(line.startswith("slot print_timing: id  0 | task ") for line in lines)
    assert any(line.startswith("[GIN] ") and line.endswith('POST     "/api/generate"') for line in lines)


async def test_thoughts_are_kept_apart(server: OllamaServer, client: httpx.AsyncClient, tmp_path: Path) -> None:
    thinker = Tiny(name="thinker", chat_template=THINKING)
    Store(server.models).create("thinker", write_tiny(tmp_path / "t.gguf", thinker))
    hello = {"messages": [{"role": "user", "content": "hello"}], "options": {"num_predict": 8}, "think": True}
    asked = {"model": "thinker", "stream": False, **hello}
    message = (await client.post(f"{server.url}/api/chat", json=asked)).json()["message"]
    assert message["thinking"]
    assert message["content"] == ""


async def test_a_second_server_on_one_port_ends_at_once(server: OllamaServer, program: Path) -> None:
    second = await asyncio.to_thread(
        subprocess.run,
        [str(program), "serve"],
        env={**os.environ, "OLLAMA_HOST": server.address},
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert second.returncode == 1
    assert b"bind: address already in use" in second.stderr


async def test_a_model_that_is_loading_is_a_process_but_not_yet_resident_and_goes_with_its_client(
    program: Path, tmp_path: Path, client: httpx.AsyncClient
) -> None:
    with ollama_server(program, tmp_path, STANDIN_LOAD_SECONDS="30") as server:
        loading = asyncio.create_task(load(client, server))
        await until(lambda: seen(server))
        assert (await client.get(f"{server.url}/api/ps")).json() == {"models": []}
        loading.cancel()
        await until(lambda: not seen(server))


async def test_a_server_that_was_killed_leaves_an_orphan_but_nothing_outlives_the_tests(
    program: Path, tmp_path: Path, client: httpx.AsyncClient
) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as tests:  # noqa: ASYNC220 - it starts in a moment
        install(tmp_path, tests.pid)
        with ollama_server(program, tmp_path) as server:
            await load(client, server)
            server.process.kill()
            server.process.wait()
            (orphan,) = seen(server)
            assert orphan.orphaned
            tests.kill()
            tests.wait()
            await until(lambda: not seen(server))


async def test_a_pull_that_was_broken_off_goes_on_where_it_was(server: OllamaServer, client: httpx.AsyncClient) -> None:
    async with client.stream("POST", f"{server.url}/api/pull", json={"model": "far"}) as answer:
        broken_off = await anext(completed async for line in answer.aiter_lines() if (completed := progress(line)))
    whole = (await client.post(f"{server.url}/api/pull", json={"model": "far"})).text.splitlines()
    assert next(filter(None, map(progress, whole))) > broken_off
    assert whole[-1] == '{"status":"success"}'
    assert (await load(client, server, model="far")).json()["done_reason"] == "load"


def progress(line: str) -> int:
    """How many bytes are there, where the line says so."""
    return int(json.loads(line).get("completed", 0))
