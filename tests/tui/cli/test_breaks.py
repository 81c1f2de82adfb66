"""Connections that break while something is waited for."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetview.cli import chat, following, operate
from fleetview.config import FleetConfig
from fleetview.remote.client import AgentClient
from fleetview.remote.errors import Lost
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit
from fleetview.words.parser import parse
from fleetview_agent.agent import Agent
from fleetview_agent.wire import ChatChunk, Request
from tests.agents import a_load, outcome, phase, residents
from tests.tui.cli.relay import Relay, a_relay
from tests.tui.remote.scripted import a_local_node, a_real_agent, until

SMALL = "simulated/sim-small"
Output = pytest.CaptureFixture[str]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since it holds sockets."""
    with tempfile.TemporaryDirectory(prefix="fv-") as folder:
        yield Path(folder)


@dataclass
class Broken:
    """An agent, the way to it, and a command that uses that way."""

    agent: Agent
    relay: Relay
    command: asyncio.Task[int]

    async def until_loading(self) -> None:
        """Return when the agent is at it."""
        await until(lambda: bool(self.agent.operator.operations), "the operation")
        await phase(self.agent, self.agent.operator.operations[0], "load")

    async def until_ended(self) -> None:
        """Return when the agent is done with it."""
        await outcome(self.agent, self.agent.operator.operations[0])


@asynccontextmanager
async def operating(folder: Path, *words: str, load_seconds: float = 0.6) -> AsyncIterator[Broken]:
    """A change that is asked for over a relay."""
    socket = folder / "relay.sock"
    config = FleetConfig(nodes=(a_local_node(socket),))
    async with (
        a_real_agent(folder / "agent.sock", load_seconds) as agent,
        a_relay(socket, folder / "agent.sock") as way,
    ):
        command = asyncio.create_task(operate.run(parse(words), config, Logins()))
        try:
            yield Broken(agent, way, command)
        finally:
            command.cancel()
            await asyncio.wait({command})


async def test_a_swap_whose_connection_breaks_is_waited_for_over_another_one(folder: Path, capsys: Output) -> None:
    async with operating(folder, "swap", "here", "sim-small") as broken:
        await broken.until_loading()
        await broken.relay.cut()
        await broken.relay.open()
        assert await broken.command == Exit.DONE
    told = capsys.readouterr()
    assert told.out.startswith(f"{SMALL} is ready on here after ")
    assert "here is away, trying again\n" in told.err


async def test_an_end_that_came_meanwhile_is_found_in_the_journal(folder: Path, capsys: Output) -> None:
    async with operating(folder, "load", "here", "sim-small", "--json", load_seconds=0.3) as broken:
        await broken.until_loading()
        await broken.relay.cut()
        await broken.until_ended()
        await broken.relay.open()
        assert await broken.command == Exit.DONE
    assert json.loads(capsys.readouterr().out)["result"] == "done"


async def test_a_failure_that_came_meanwhile_is_told_as_always(folder: Path) -> None:
    async with operating(folder, "swap", "here", "sim-broken", load_seconds=0.3) as broken:
        await broken.until_loading()
        await broken.relay.cut()
        await broken.until_ended()
        await broken.relay.open()
        with pytest.raises(CommandError, match="was rolled back: ") as told:
            await broken.command
    assert told.value.status == Exit.FAILED


async def test_a_node_that_stays_away_is_given_up_with_what_is_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AWAY_SECONDS", 0.5)
    async with operating(folder, "swap", "here", "sim-small") as broken:
        await broken.until_loading()
        await broken.relay.cut()
        with pytest.raises(Lost, match="so the end of the operation was not seen \\(`fleetview status` shows what"):
            await broken.command


async def test_an_agent_that_comes_back_without_its_journal_is_told(folder: Path) -> None:
    async with operating(folder, "swap", "here", "sim-small") as broken:
        await broken.until_loading()
        await broken.relay.cut()
        other = folder / "other"
        other.mkdir()
        async with a_real_agent(other / "agent.sock"):
            broken.relay.target = other / "agent.sock"
            await broken.relay.open()
            with pytest.raises(CommandError, match="here does not know the operation any more") as told:
                await broken.command
    assert told.value.status == Exit.UNREACHABLE


async def test_an_interrupt_while_the_node_is_away_cancels_as_soon_as_it_is_back(folder: Path, capsys: Output) -> None:
    async with operating(folder, "swap", "here", "sim-large", load_seconds=5.0) as broken:
        await broken.until_loading()
        await broken.relay.cut()
        await until(lambda: "is away" in capsys.readouterr().err, "the break to be noticed")
        broken.command.cancel()
        await until(lambda: "cancelling, and waiting" in capsys.readouterr().err, "the interrupt")
        await broken.relay.open()
        with pytest.raises(CommandError, match="was rolled back: cancelled") as told:
            await broken.command
        assert await residents(broken.agent) == {}
    assert told.value.status == Exit.INTERRUPTED


async def test_what_there_was_of_an_answer_that_broke_off_is_handed_to_programs(
    folder: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks: list[ChatChunk] = []

    class Watched(chat.Answer):
        def add(self, chunk: ChatChunk) -> None:
            super().add(chunk)
            chunks.append(chunk)

    monkeypatch.setattr(chat, "Answer", Watched)
    socket = folder / "relay.sock"
    config = FleetConfig(nodes=(a_local_node(socket),))
    prompt = "word " * 2000
    arguments = parse(["chat", "here", SMALL, "-p", prompt, "--json"])
    async with a_real_agent(folder / "agent.sock") as agent, a_relay(socket, folder / "agent.sock") as relay:
        await outcome(agent, a_load("sim-small"))
        asking = asyncio.create_task(chat.run(arguments, config, Logins(), prompt))
        await until(lambda: len(chunks) > 5, "an answer")
        await relay.cut()
        with pytest.raises(Lost):
            await asking
    told = json.loads(capsys.readouterr().out)
    assert told["content"].startswith("word")
    assert len(told["content"]) < len(prompt)
    assert told["finish_reason"] is None


async def test_nobody_knows_whether_a_change_has_begun_whose_answer_was_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_client: AgentClient, _request: Request) -> str:
        raise Lost("connection to here broke")

    monkeypatch.setattr(AgentClient, "operate", lost)
    async with operating(folder, "load", "here", "sim-small") as broken:
        with pytest.raises(Lost, match="connection to here broke, so it is not known whether the load has begun"):
            await broken.command
