"""The ssh configuration that an operator has already is all that fleetview needs to know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operators import ssh_agent
from tests.sshd import an_sshd, needs_sshd
from tests.stories.conftest import Home, a_home
from tests.stories.machines import ACCOUNT, Desk, Machine, a_desk, a_machine, entry

pytestmark = needs_sshd

STRICT = ("MaxAuthTries 2",)
"""OpenSSH's client offers one key that these tests name to it, then the right one must come."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with a_machine("studio", extra=STRICT) as machine:
        yield machine


@pytest.fixture
def desk() -> Iterator[Desk]:
    with a_desk() as desk:
        yield desk


@pytest.fixture
def gate_home() -> Iterator[Home]:
    with a_home() as home:
        yield home


def reaches(desk: Desk, alias: str) -> list[str]:
    """How a node of that host is, once OpenSSH's own client has reached it with the same files."""
    files = {file: file.read_bytes() for file in desk.operator.folder.rglob("*") if file.is_file()}
    done = desk.ssh(alias, "true")
    assert done.returncode == 0, done.stderr
    desk.write_fleet(entry("target", host=alias))
    conditions = [state["condition"] for state in desk.json("status")]
    assert {file: file.read_bytes() for file in desk.operator.folder.rglob("*") if file.is_file()} == files
    return conditions


def test_a_machine_is_reached_through_a_jump_host(machine: Machine, desk: Desk, gate_home: Home) -> None:
    with an_sshd(gate_home.path / "sshd", home=gate_home.path, extra=("LogLevel DEBUG1",)) as gate:
        gate_key = desk.operator.make_key("gate")
        gate.authorize(gate_key.with_suffix(".pub"))
        desk.may_enter(machine)
        desk.operator.know(gate.known_as, gate.host_public)
        desk.operator.write_config(
            f"""\
UserKnownHostsFile {desk.operator.known_hosts}
Host gate
    HostName 127.0.0.1
    Port {gate.port}
    User {ACCOUNT}
    IdentityFile {gate_key}
Host inner
    HostName 127.0.0.1
    Port {machine.sshd.port}
    User {ACCOUNT}
    IdentityFile {desk.operator.key}
    ProxyJump gate
"""
        )
        assert reaches(desk, "inner") == ["up"]
        asked_for = f"target 127.0.0.1 port {machine.sshd.port}"
        assert len([line for line in gate.log.splitlines() if asked_for in line]) == len(("ssh", "fleetview"))

        gate.stop()
        done = desk.run("fleetview", "status", "target")
        assert done.returncode == 3
        assert f"refused: nothing listens for ssh at {ACCOUNT}@127.0.0.1:{gate.port}" in done.stdout


def test_an_alias_of_an_included_file_names_port_account_and_the_one_key(machine: Machine, desk: Desk) -> None:
    work = desk.operator.make_key("work")
    others = [desk.operator.make_key(f"other{number}") for number in range(3)]
    desk.may_enter(machine, key=work, hashed=True)
    assert "127.0.0.1" not in desk.operator.known_hosts.read_text()
    included = desk.operator.folder / "conf.d" / "studio.conf"
    included.parent.mkdir()
    included.write_text(
        f"""\
Host studio
    HostName 127.0.0.1
    Port {machine.sshd.port}
    User {ACCOUNT}
    IdentityFile {work}
    IdentitiesOnly yes
"""
    )
    included.chmod(0o600)
    desk.operator.write_config(f"Include {included.parent}/*.conf\n")
    with ssh_agent(*others) as socket:
        assert reaches(desk.as_user("nobody-here").with_variables(SSH_AUTH_SOCK=str(socket)), "studio") == ["up"]


def test_a_key_that_only_an_ssh_agent_holds_is_enough(machine: Machine, desk: Desk) -> None:
    desk.may_enter(machine)
    desk.operator.write_config(f"Host studio\n    HostName 127.0.0.1\n    Port {machine.sshd.port}\n")
    with ssh_agent(desk.operator.key) as socket:
        for file in (desk.operator.key, desk.operator.key.with_suffix(".pub")):
            file.unlink()
        assert reaches(desk.with_variables(SSH_AUTH_SOCK=str(socket)), "studio") == ["up"]
