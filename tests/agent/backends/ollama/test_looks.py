"""Which processes belong to the server that we drive."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama import looks
from fleetview_agent.backends.ollama.looks import Looks
from fleetview_agent.backends.ollama.processes import Processes, Runner, Server

BLOB = "sha256-" + "1" * 64


@pytest.fixture
def port() -> Iterator[int]:
    """A port at which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def a_server(pid: int) -> Server:
    return Server(pid, 1, 1.0, ("ollama", "serve"))


def a_runner(parent: int, folder: Path, *, pid: int = 7, orphaned: bool = False) -> Runner:
    return Runner(pid, parent, 1.0, str(folder / "blobs" / BLOB), 9000, 4096, 1, None, orphaned=orphaned)


async def test_only_the_runners_of_the_server_at_our_port_are_ours(port: int, tmp_path: Path) -> None:
    ours, other = a_server(os.getpid()), a_server(os.getppid())
    runners = (a_runner(ours.pid, tmp_path), a_runner(other.pid, tmp_path, pid=8))
    sight = await Looks(f"127.0.0.1:{port}", tmp_path, lambda: Processes((other, ours), runners)).look()
    assert sight.server == ours
    assert [runner.pid for runner in sight.runners] == [7]


async def test_a_server_that_listens_elsewhere_is_not_ours(port: int, tmp_path: Path) -> None:
    stranger = a_server(os.getpid())
    sight = await Looks("127.0.0.1:1", tmp_path, lambda: Processes((stranger,))).look()
    assert sight.server is None


async def test_the_sockets_of_a_server_that_listens_elsewhere_are_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ports = {os.getpid(): frozenset({2}), os.getppid(): frozenset[int]()}

    def told(pid: int) -> frozenset[int]:
        asked.append(pid)
        return ports[pid]

    monkeypatch.setattr(looks, "_ports", told)
    elsewhere, young = a_server(os.getpid()), a_server(os.getppid())
    looking = Looks("127.0.0.1:1", tmp_path, lambda: Processes((elsewhere, young)))
    assert (await looking.look(afresh=True)).server is None
    ports[young.pid] = frozenset({1})
    assert (await looking.look(afresh=True)).server == young
    assert asked.count(elsewhere.pid) == 1


async def test_a_server_whose_sockets_are_hidden_is_ours_if_it_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_ports", lambda _pid: None)
    one, two = a_server(os.getpid()), a_server(os.getppid())
    assert (await Looks("127.0.0.1:1", tmp_path, lambda: Processes((one,))).look()).server == one
    assert (await Looks("127.0.0.1:1", tmp_path, lambda: Processes((one, two))).look()).server is None


async def test_orphans_of_another_models_folder_are_not_ours_to_end(tmp_path: Path) -> None:
    folder, other = tmp_path / "models", tmp_path / "others"
    runners = (a_runner(1, folder, orphaned=True), a_runner(1, other, pid=8, orphaned=True))
    sight = await Looks("127.0.0.1:1", folder, lambda: Processes((), runners)).look()
    assert [runner.pid for runner in sight.orphans] == [7]


async def test_an_orphan_is_found_by_whichever_way_its_folder_was_written(tmp_path: Path) -> None:
    (tmp_path / "models" / "blobs").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "models")
    orphan = a_runner(1, tmp_path / "models", orphaned=True)
    sight = await Looks("127.0.0.1:1", tmp_path / "link", lambda: Processes((), (orphan,))).look()
    assert sight.orphans == (orphan,)


async def test_the_folder_is_the_servers_own_where_none_is_configured(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = replace(looks.Settings(), models=tmp_path)
    monkeypatch.setattr(looks, "settings_of", lambda _server: told)
    looking = Looks(f"127.0.0.1:{port}", None, lambda: Processes((a_server(os.getpid()),)))
    assert (await looking.look()).folder == tmp_path
    assert looking.folder == tmp_path


async def test_a_young_look_is_not_repeated_unless_somebody_insists(tmp_path: Path) -> None:
    count = 0

    def look() -> Processes:
        nonlocal count
        count += 1
        return Processes()

    looking = Looks("127.0.0.1:1", tmp_path, look)
    await looking.look()
    await looking.look()
    assert count == 1
    await looking.look(afresh=True)
    assert count == 2
