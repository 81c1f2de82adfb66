"""The agent's own server, from its start to every kind of end; with a stand-in of a few lines."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fleetview_agent.backends.ollama.supervise import child
from fleetview_agent.errors import BackendFailed
from tests.agent.backends.ollama.supervise.fake import install, say
from tests.agent.backends.ollama.supervise.machine import Machine, is_gone, look, until


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    await machine.close()


async def test_it_is_started_shown_and_stopped_with_its_runners(machine: Machine) -> None:
    program = install(machine.folder)
    agent = machine.agent(program, context=4096)
    await look(agent)
    assert (agent.name, agent.installed, agent.log_file) == (None, True, None)
    [command] = agent.steps("start").commands
    assert command == (
        f"LLAMA_ARG_CACHE_RAM=512 LLAMA_ARG_ENDPOINT_METRICS=1 OLLAMA_CONTEXT_LENGTH=4096 "
        f"OLLAMA_HOST={machine.address} OLLAMA_NOPRUNE=1 {program} serve"
    )
    await agent.start()
    server, runner = machine.server(agent), machine.runner()
    assert (agent.name, agent.conflict, agent.failure, agent.log_file) == ("fleetview-agent", None, None, machine.log)
    assert os.getsid(server) == server  # no terminal's signals reach it
    assert "OLLAMA_NOPRUNE is 1" in machine.log.read_text()
    assert machine.log.stat().st_mode & 0o777 == 0o600
    assert agent.steps("start").commands == ()
    assert agent.steps("restart").commands == (f"kill -TERM {server}", command)
    await agent.start()
    assert machine.server(agent) == server
    await agent.stop()
    assert is_gone(server)
    assert is_gone(runner)
    assert (agent.name, agent.steps("stop").commands, machine.lost) == (None, (), [])


async def test_it_survives_the_agent_and_the_next_one_adopts_it(machine: Machine) -> None:
    program = install(machine.folder)
    first = machine.agent(program)
    await first.start()
    server = machine.server(first)
    await first.close()
    second = machine.agent(program)
    await look(second)
    assert (second.name, machine.server(second), second.log_file) == ("fleetview-agent", server, machine.log)
    os.kill(server, signal.SIGKILL)
    await until(lambda: machine.lost)
    await look(second)
    assert second.failure is not None
    await second.start()
    assert machine.server(second) != server
    assert second.failure is None
    await second.stop()


async def test_an_end_between_two_agents_is_told_at_the_first_look_of_the_second(machine: Machine) -> None:
    first = machine.agent(install(machine.folder))
    await first.start()
    server = machine.server(first)
    await first.close()
    os.kill(server, signal.SIGKILL)
    await until(lambda: is_gone(server))
    second = machine.agent(install(machine.folder))
    await look(second)
    assert [f"(pid {server})" in reason for reason in machine.lost] == [True]  # so that a lingering agent can forget it
    assert second.failure is not None


async def test_a_loss_is_told_with_its_signal_and_the_last_line(machine: Machine) -> None:
    agent = machine.agent(install(machine.folder))
    await agent.start()
    server, runner = machine.server(agent), machine.runner()
    os.kill(server, signal.SIGKILL)
    await until(lambda: machine.lost)
    [reason] = machine.lost
    assert reason == (
        f"ollama serve (pid {server}) ended by signal 9 (SIGKILL) without being asked to; "
        f"its last line: {machine.log.read_text().splitlines()[-1]}"
    )
    assert agent.failure is not None
    assert (agent.failure.reason, agent.failure.exit_status) == (reason, -9)
    assert "OLLAMA_NOPRUNE is 1" in agent.failure.log
    assert not is_gone(runner)  # an orphan, which others deal with


async def test_it_is_given_up_after_too_many_losses_and_only_an_operator_tries_again(machine: Machine) -> None:
    program = install(machine.folder, "brief")
    agent = machine.agent(program, restarts=1)
    await agent.start()
    machine.runner()
    say(machine.address)
    await until(lambda: len(machine.lost) == 1)
    await agent.start()  # for the loss
    machine.runner()
    say(machine.address)
    await until(lambda: agent.failure is not None)
    assert len(machine.lost) == 1
    assert agent.failure is not None
    assert agent.failure.exit_status == 3
    assert "that was the 2nd time within ten minutes, so it is not started again by itself" in agent.failure.reason
    await agent.close()

    later = machine.agent(program, restarts=1)
    await look(later)
    assert later.failure is not None
    assert later.failure.reason == agent.failure.reason
    assert len(machine.lost) == 1
    await later.start()  # by an operator: the count begins anew
    machine.runner()
    say(machine.address)
    await until(lambda: len(machine.lost) == 2)


async def test_a_loss_that_no_agent_saw_is_told_by_the_next_one(machine: Machine) -> None:
    program = install(machine.folder)
    agent = machine.agent(program)
    await agent.start()
    server, _ = machine.server(agent), machine.runner()
    await agent.close()
    os.kill(server, signal.SIGKILL)
    await until(lambda: is_gone(server))
    await look(machine.agent(program))
    await until(lambda: machine.lost)
    assert machine.lost[0].startswith(f"ollama serve (pid {server}) ended without being asked to")


async def test_one_that_ends_at_once_is_a_failed_start_and_no_loss(machine: Machine) -> None:
    agent = machine.agent(install(machine.folder, "broken"))
    with pytest.raises(BackendFailed) as caught:
        await agent.start()
    assert caught.value.message == (
        "ollama serve ended with exit status 1 before it listened; it said: Error: no such GPU"
    )
    assert caught.value.exit_status == 1
    assert agent.failure is not None
    assert agent.failure.log[-1] == "Error: no such GPU"
    assert machine.lost == []


async def test_one_that_does_not_end_is_killed_with_its_runner(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "STOP_SECONDS", 0.2)
    monkeypatch.setattr("fleetview_agent.backends.ollama.supervise.ending.FORCE_SECONDS", 0.3)
    agent = machine.agent(install(machine.folder, "stubborn"))
    await agent.start()
    server, runner = machine.server(agent), machine.runner()
    await agent.stop()
    assert is_gone(server)
    assert is_gone(runner)
    assert machine.lost == []


async def test_its_log_is_set_aside_while_it_writes_and_at_each_start(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "ROTATE_SECONDS", 0.0)
    monkeypatch.setattr(child, "WATCH_SECONDS", 0.01)
    agent = machine.agent(install(machine.folder), log_mib=1)
    await agent.start()
    older = machine.log.with_name(f"{machine.log.name}.1")
    with machine.log.open("ab") as log:
        log.write(b"\n" * (1 << 20))
    await until(older.exists)
    await until(lambda: machine.log.stat().st_size < 1 << 20)
    say(machine.address)
    await until(lambda: "asked" in machine.log.read_text())
    assert b"\0" not in machine.log.read_bytes()  # it appends, and leaves no hole
    assert older.stat().st_mode & 0o777 == 0o600
    await agent.stop()
    await agent.start()
    assert "bye" in older.read_text()
    await agent.stop()


async def test_a_port_that_is_taken_is_refused_by_the_name_of_who_has_it(machine: Machine) -> None:
    agent = machine.agent(install(machine.folder))
    host, _, port = machine.address.rpartition(":")
    with socket.create_server((host, int(port))):
        await look(agent)
        assert f"(pid {os.getpid()})" in str(agent.name)
        with pytest.raises(BackendFailed, match=rf"{machine.address} is taken by .* \(pid {os.getpid()}\)"):
            await agent.start()
    await agent.start()
    await agent.stop()


async def test_a_server_started_by_hand_is_shown_stopped_and_followed_by_ours(machine: Machine) -> None:
    program = install(machine.folder)
    log = machine.folder / "by-hand.log"
    with log.open("wb") as out:
        hand = await asyncio.create_subprocess_exec(
            program, "serve", env={**os.environ, "OLLAMA_HOST": machine.address, "OLLAMA_MODELS": "/m"}, stderr=out
        )
    agent = machine.agent(program)
    await until(lambda: program_is(hand.pid, str(program)))
    host, _, port = machine.address.rpartition(":")
    await until(lambda: listens(host, int(port)))
    await look(agent)
    assert agent.name == f"ollama serve (pid {hand.pid}, started by hand)"
    assert agent.log_file == log
    [stop, start] = agent.steps("restart").commands
    assert stop == f"kill -TERM {hand.pid}"
    assert "OLLAMA_MODELS=/m" in start
    await agent.stop()
    assert await hand.wait() == 0
    assert agent.steps("start").commands == (start,)
    await agent.start()
    assert psutil.Process(machine.server(agent)).environ()["OLLAMA_MODELS"] == "/m"
    assert agent.name == "fleetview-agent"
    await agent.stop()


def program_is(pid: int, program: str) -> bool:
    """Whether a process has become what it will be."""
    return psutil.Process(pid).cmdline()[:1] == [program]


def listens(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": "x"}', b"\xff", b'{"pid": 1, "created_at": 5.0}', b"[]"])
async def test_a_state_file_of_nonsense_adopts_nobody(machine: Machine, content: bytes) -> None:
    machine.log.with_suffix(".json").write_bytes(content)
    agent = machine.agent(install(machine.folder))
    await look(agent)
    await agent.start()
    assert psutil.Process(machine.server(agent)).cmdline()[0] == str(machine.folder / "ollama")
    await agent.stop()


async def test_a_program_that_is_not_there_is_told(machine: Machine) -> None:
    agent = machine.agent(machine.folder / "nowhere")
    await look(agent)
    assert not agent.installed
    assert "there is no ollama on this machine; install Ollama" in str(agent.steps("start").refusal)


async def test_a_real_ollama_is_started_and_stopped(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    program = shutil.which("ollama")
    if program is None:
        pytest.skip("ollama is not on PATH")
    monkeypatch.setenv("HOME", str(machine.folder))
    monkeypatch.setenv("OLLAMA_MODELS", str(machine.folder / "models"))
    agent = machine.agent(Path(program))
    await agent.start()
    server = machine.server(agent)
    assert agent.name == "fleetview-agent"
    assert agent.failure is None
    assert "Listening on" in machine.log.read_text()
    await agent.stop()
    assert is_gone(server)
    assert agent.name is None
