"""HTTP over channels of one ssh connection, to a real agent behind a real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

import httpcore
import httpx
import pytest

from fleetview.remote.connect import connect
from fleetview.remote.errors import Lost, Unreachable
from fleetview_agent.wire import ChatMessage, ChatRequest, Sampled, Snapshot
from tests.agents import a_load, outcome
from tests.sshd import needs_sshd
from tests.tui.remote.scripted import a_real_agent, a_scripted_agent, answer, until
from tests.tui.remote.ssh import Pair, a_pair

pytestmark = needs_sshd


@pytest.fixture(params=[True, False], ids=["forwarded", "dialled"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    with a_pair(forwarding=request.param) as pair:
        monkeypatch.setenv("HOME", str(pair.operator.home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield pair


def test_the_private_name_that_the_transport_replaces_is_still_there() -> None:
    transport = httpx.AsyncHTTPTransport()
    assert isinstance(transport._pool, httpcore.AsyncConnectionPool)


async def test_everything_goes_over_one_connection(pair: Pair) -> None:
    async with a_real_agent(pair.socket) as agent, connect(pair.node()) as client:
        assert (await client.snapshot()).machine.simulated
        async with aclosing(client.events(0.2)) as events:
            assert isinstance(await anext(events), Snapshot)
            assert isinstance(await anext(events), Sampled)
            await outcome(agent, a_load("sim-small"))
            said = ""
            messages = (ChatMessage(role="user", content="hello"),)
            async for chunk in client.chat(ChatRequest(model="simulated/sim-small", messages=messages)):
                said += chunk.text
        assert "hello" in said
    assert pair.server.log.count("Accepted publickey") == 1


async def test_a_chat_that_is_left_ends_on_the_node(pair: Pair) -> None:
    async with a_real_agent(pair.socket) as agent, connect(pair.node()) as client:
        await outcome(agent, a_load("sim-small"))

        def in_flight() -> int:
            return sum(row.in_flight for backend in agent.backends.values() for row in backend.traffic())

        messages = (ChatMessage(role="user", content="word " * 2000),)
        async with aclosing(client.chat(ChatRequest(model="simulated/sim-small", messages=messages))) as chunks:
            await anext(chunks)
            assert in_flight() == 1
        await until(lambda: in_flight() == 0, "the request to end")


async def test_no_agent_on_the_machine_is_told(pair: Pair) -> None:
    with pytest.raises(Unreachable, match="agent not running on studio: no agent serves at"):
        async with connect(pair.node()) as client:
            await client.snapshot()


async def test_a_socket_of_its_own_is_found_below_the_home_there(pair: Pair) -> None:
    async with a_real_agent(pair.home / "odd name.sock"), connect(pair.node(socket="~/odd name.sock")) as client:
        assert (await client.snapshot()).machine.simulated


async def test_what_is_no_agent_is_told(pair: Pair) -> None:
    async with a_scripted_agent(pair.socket, answer(b"hello", "200 OK")):
        with pytest.raises(Unreachable, match="is not a fleetview agent"):
            async with connect(pair.node()) as client:
                await client.snapshot()


async def test_a_cut_connection_is_told_as_lost(pair: Pair) -> None:
    async with a_real_agent(pair.socket), connect(pair.node()) as client, aclosing(client.events(0.2)) as events:
        await anext(events)
        pair.server.drop_sessions()
        with pytest.raises(Lost, match="connection to studio broke"):
            _ = [event async for event in events]


async def test_a_machine_without_an_agent_says_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.sshd.PROGRAMS", "/nonexistent")
    with a_pair() as pair:
        monkeypatch.setenv("HOME", str(pair.operator.home))
        with pytest.raises(Unreachable, match="agent missing: studio has no fleetview-agent"):
            async with connect(pair.node()) as client:
                await client.snapshot()


async def test_a_server_that_runs_no_commands_needs_the_path_of_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_pair(exec_=False) as pair:
        monkeypatch.setenv("HOME", str(pair.operator.home))
        async with a_real_agent(pair.socket):
            async with connect(pair.node(socket=str(pair.socket))) as client:
                assert (await client.snapshot()).machine.simulated
            with pytest.raises(Unreachable, match="socket"):
                async with connect(pair.node()) as client:
                    await client.snapshot()
