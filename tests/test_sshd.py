"""The servers that other tests log in to do what those tests take for granted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sshd import PROGRAMS, Operator, Sshd, a_free_port, an_operator, an_sshd, needs_sshd, ssh_agent

pytestmark = needs_sshd


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return an_operator(tmp_path / "operator")


@pytest.fixture
def server(tmp_path: Path, operator: Operator) -> Iterator[Sshd]:
    (tmp_path / "machine").mkdir()
    with an_sshd(tmp_path / "sshd", home=tmp_path / "machine") as server:
        server.authorize(operator.key.with_suffix(".pub"))
        operator.know(server.known_as, server.host_public)
        yield server


def ask(operator: Operator, server: Sshd, *command: str) -> str:
    """What a command says there; else what ssh says."""
    done = operator.ssh("-p", str(server.port), "127.0.0.1", *command)
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


def test_a_server_stands_for_a_machine_with_a_home_of_its_own(server: Sshd, operator: Operator, tmp_path: Path) -> None:
    said = ask(operator, server, "echo $HOME; command -v fleetview-agent")
    assert said.splitlines() == [str(tmp_path / "machine"), str(PROGRAMS / "fleetview-agent")]


def test_a_server_comes_back_on_its_port_with_its_key_and_only_on_request_with_another(
    server: Sshd, operator: Operator
) -> None:
    first = server.host_fingerprint
    server.stop()
    assert "Connection refused" in ask(operator, server, "true")
    server.start()
    assert ask(operator, server, "true") == ""
    server.kill()
    server.new_host_key()
    server.start()
    assert server.host_fingerprint != first
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in ask(operator, server, "true")


@pytest.mark.parametrize("end", [Sshd.stop, Sshd.kill, Sshd.drop_sessions])
def test_ending_sessions_ends_connections_that_are_under_way(server: Sshd, end: object) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        assert connection.recv(8) == b"SSH-2.0-"
        assert server.sessions
        assert callable(end)
        end(server)
        while connection.recv(1024):
            pass
    assert not server.sessions


def test_what_a_server_forbids_is_refused(operator: Operator, tmp_path: Path) -> None:
    with an_sshd(tmp_path / "closed", forwarding=False, exec_=False) as server:
        server.authorize(operator.key.with_suffix(".pub"))
        operator.know(server.known_as, server.host_public, hashed=True)
        assert "127.0.0.1" not in operator.known_hosts.read_text()
        assert "open failed" in ask(operator, server, "true")
        through = operator.ssh("-p", str(server.port), "-W", f"127.0.0.1:{a_free_port()}", "127.0.0.1")
        assert "administratively prohibited" in through.stderr


def test_an_ssh_agent_holds_keys_that_are_locked_on_disk(server: Sshd, operator: Operator) -> None:
    locked, secret = operator.make_key("locked", "open sesame"), "open sesame"
    server.authorize(locked.with_suffix(".pub"))
    operator.key.unlink()

    def log_in(agent: Path | str) -> str:
        options = ("-o", f"IdentityAgent={agent}", "-i", str(locked), "-p", str(server.port))
        done = operator.ssh(*options, "127.0.0.1", "echo in")
        return done.stdout or done.stderr

    assert "Permission denied" in log_in("none")
    with ssh_agent(locked, passphrase=secret) as agent:
        assert log_in(agent) == "in\n"
