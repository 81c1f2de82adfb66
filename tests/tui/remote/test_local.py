"""The agent of this machine is started when none serves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fleetview.config import NodeConfig
from fleetview.remote import local
from fleetview.remote.connect import connect
from fleetview.remote.errors import Unreachable
from tests.tui.remote.scripted import a_scripted_agent, answer, until

HERE = NodeConfig(name="here", local=True)
SETTINGS = """
sampler = "simulated"
ollama.enabled = false
llamacpp.enabled = false
simulated.enabled = true
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose agent has simulated parts; whatever was started in it is ended."""
    with tempfile.TemporaryDirectory(prefix="fv-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        (path / ".fleetview").mkdir(mode=0o700)
        (path / ".fleetview" / "agent.toml").write_text(SETTINGS)
        monkeypatch.setenv("HOME", folder)
        yield path
        for process in agents(path):
            process.send_signal(signal.SIGKILL)
            os.waitpid(process.pid, 0)


def agents(home: Path) -> list[psutil.Process]:
    """The agents that were started from here and go on."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it may end between two looks
            if child.status() != psutil.STATUS_ZOMBIE and child.environ().get("HOME") == str(home):
                found.append(child)
    return found


async def test_an_agent_is_started_used_and_left_running(home: Path) -> None:
    async with connect(HERE) as client:
        assert (await client.snapshot()).machine.simulated
    (agent,) = agents(home)
    async with connect(HERE) as client:
        assert (await client.snapshot()).machine.simulated
    assert agents(home) == [agent]
    assert os.getsid(agent.pid) == agent.pid
    assert agent.cmdline()[-2:] == ["--linger", "60"]


async def test_two_who_start_at_once_share_one_agent(home: Path) -> None:
    async def look() -> bool:
        async with connect(HERE) as client:
            return (await client.snapshot()).machine.simulated

    assert await asyncio.gather(look(), look()) == [True, True]
    await until(lambda: len(agents(home)) == 1, "the slower agent to end")


async def test_an_agent_that_ends_at_once_is_quoted(home: Path) -> None:
    (home / ".fleetview" / "agent.toml").write_text("[llamacpp]\nfolder = 1\n")
    with pytest.raises(Unreachable, match=r"ended as soon as it was started: .*there is no key llamacpp\.folder"):
        async with connect(HERE):
            pass


async def test_a_program_that_cannot_be_started_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(home / "no-python"))
    with pytest.raises(Unreachable, match="the agent of here could not be started: No such file"):
        async with connect(HERE):
            pass


async def test_an_agent_that_says_nothing_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = home / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(sleeper))
    monkeypatch.setattr(local, "START_SECONDS", 0.3)
    with pytest.raises(Unreachable, match="does not answer within"):
        async with connect(HERE):
            pass


async def test_an_agent_that_serves_already_is_used_whatever_it_is(home: Path) -> None:
    socket = home / ".fleetview" / "agent.sock"
    async with a_scripted_agent(socket, answer(b"hello", "404 Not Found")), connect(HERE) as client:
        with pytest.raises(Unreachable, match="is not a fleetview agent"):
            await client.snapshot()
    assert agents(home) == []


async def test_a_node_with_a_socket_never_starts_an_agent(home: Path) -> None:
    node = NodeConfig(name="here", local=True, socket=home / "other.sock")
    async with connect(node) as client:
        with pytest.raises(Unreachable, match="no agent answers"):
            await client.snapshot()
    assert agents(home) == []
