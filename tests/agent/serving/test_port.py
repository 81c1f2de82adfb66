"""The port: who may come in, what it refuses to be, and that only `/v1` and `/metrics` are there."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleetview_agent.config import AgentConfig, read_config
from fleetview_agent.errors import ConfigError
from fleetview_agent.serving.api import build_port_app
from fleetview_agent.serving.openai import Door
from fleetview_agent.serving.port import listening_port, read_token
from fleetview_agent.serving.serve import serve
from tests.agents import a_running_agent

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - of this test alone


@asynccontextmanager
async def a_door(folder: Path, token: str | None) -> AsyncIterator[httpx.AsyncClient]:
    async with a_running_agent(folder) as agent:
        transport = httpx.ASGITransport(Door(build_port_app(agent), token), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:11500") as client:
            yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:11500"}, 200),
        ({"host": "[::1]:11500"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:11500"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "0.0.0.0:11500"}, 403),
        ({"host": "["}, 403),
        ({"host": ""}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_without_a_token_only_this_machines_programs_come_in(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with a_door(tmp_path, None) as client:
        answer = await client.get("/v1/models", headers=headers)
        assert answer.status_code == status
        assert not [name for name in answer.headers if name.startswith("access-control")]
        if status == 403:
            assert answer.json()["error"]["type"] == "permission_error"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (None, 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
    ],
)
async def test_with_a_token_nobody_comes_in_without_it(tmp_path: Path, said: str | None, status: int) -> None:
    async with a_door(tmp_path, TOKEN) as client:
        headers = {"host": "node.lan:11500"} | ({"authorization": said} if said else {})
        answer = await client.get("/v1/models", headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["error"]["code"] == "unauthorized"
            assert TOKEN not in answer.text


@pytest.mark.parametrize("path", ["/api/snapshot", "/api/operations", "/api/journal", "/metrics/x", "/"])
async def test_nothing_that_operates_the_node_is_there(tmp_path: Path, path: str) -> None:
    async with a_door(tmp_path, TOKEN) as client:
        answer = await client.get(path, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('listen = "0.0.0.0:11500"', "others can reach 0.0.0.0:11500, so token_file must name a file"),
        ('listen = "[::]:11500"', "token_file must name"),
        ('listen = "192.168.1.4:11500"', "token_file must name"),
        ('listen = "node.lan:11500"', "an IP address such as 127.0.0.1, not at 'node.lan'"),
        ('listen = "127.0.0.1"', "an address is HOST:PORT"),
        ('listen = "127.0.0.1:0"', "a port is a number from 1 to 65535"),
        ('listen = "127.0.0.1:70000"', "a port is a number from 1 to 65535"),
    ],
)
def test_an_address_that_cannot_be_or_lets_others_in_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as told:
        read_config(file)
    assert str(file) in str(told.value)
    assert sentence in str(told.value)


@pytest.mark.parametrize("address", ["127.0.0.1:11500", "localhost:11500", "[::1]:11500", "127.8.8.8:11500"])
def test_the_loopback_needs_no_token(tmp_path: Path, address: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(f'listen = "{address}"')
    assert read_config(file).listen == address
    assert AgentConfig().listen is None


def test_a_port_that_is_taken_is_named_before_anything_is_served(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = AgentConfig(sampler="simulated", listen=f"127.0.0.1:{port}")
        path = tmp_path / "run" / "agent.sock"
        with pytest.raises(ConfigError, match=f"port {port} cannot be listened at: Address already in use"):
            serve(path, config, None)
        assert list(path.parent.iterdir()) == []


def test_a_bound_port_is_that_of_the_address_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with listening_port(f"127.0.0.1:{port}") as listener:
        assert listener.getsockname() == ("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", port)):
            listener.accept()[0].close()


def _written(text: str, mode: int) -> Callable[[Path], Any]:
    def write(file: Path) -> None:
        file.write_text(text)
        file.chmod(mode)

    return write


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(_written(TOKEN, 0o640), "is open to others", id="readable by a group"),
        pytest.param(_written(TOKEN, 0o604), "is open to others", id="readable by all"),
        pytest.param(_written("short", 0o600), "one word of 16 to 4096", id="guessable"),
        pytest.param(_written("two words that are long", 0o600), "one word of 16", id="several words"),
        pytest.param(_written("", 0o600), "one word of 16", id="empty"),
        pytest.param(_written("ä" * 20, 0o600), "one word of 16", id="no header could carry it"),
        pytest.param(lambda file: file.mkdir(), "is no file", id="a folder"),
        pytest.param(lambda _: None, "No such file", id="absent"),
    ],
)
def test_a_token_file_that_is_no_secret_is_refused(tmp_path: Path, make: Callable[[Path], None], sentence: str) -> None:
    file = tmp_path / "token"
    make(file)
    with pytest.raises(ConfigError, match=sentence) as told:
        read_token(file)
    assert str(file) in str(told.value)
    assert TOKEN not in str(told.value)


def test_a_private_token_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "token"
    _written(f"{TOKEN}\n", 0o600)(file)
    assert read_token(file) == TOKEN
