"""Machines that nobody knows yet, and machines that are no longer who they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import needs_tmux
from tests.stories.machines import Desk, Machine, a_desk, a_machine, node

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with a_machine("studio") as machine:
        yield machine


@pytest.fixture
def desk(machine: Machine) -> Iterator[Desk]:
    with a_desk() as desk:
        machine.sshd.authorize(desk.operator.key.with_suffix(".pub"))
        desk.write_fleet(node(machine))
        yield desk


def test_a_command_refuses_a_machine_that_nobody_knows_and_trusts_nothing_by_itself(
    machine: Machine, desk: Desk
) -> None:
    done = desk.run("fleetview", "swap", "studio", "sim-small")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"host key unknown: {machine.sshd.known_as} shows" in done.stderr
    assert machine.sshd.host_fingerprint in done.stderr
    assert not desk.operator.known_hosts.exists()


@needs_tmux
def test_the_dashboard_asks_once_whether_a_machine_may_be_trusted(machine: Machine, desk: Desk) -> None:
    desk.operator.know("elsewhere", machine.sshd.host_public, hashed=True)
    before = desk.operator.known_hosts.read_text()
    with desk.dashboard() as pane:
        pane.wait_for("Trust studio?", machine.sshd.known_as, machine.sshd.host_fingerprint)
        pane.press("n")
        pane.wait_gone("Trust studio?")
        pane.wait_for("host key unknown", "press r to try again")
        assert desk.operator.known_hosts.read_text() == before

        pane.press("r")
        pane.wait_for("Trust studio?", machine.sshd.host_fingerprint)
        pane.press("y")
        pane.wait_for("1 of 1 up")

    after = desk.operator.known_hosts.read_text()
    assert after.startswith(before)
    assert after.removeprefix(before).startswith("|1|")  # hashed, as what was there
    assert desk.ssh("-p", str(machine.sshd.port), "127.0.0.1", "true").returncode == 0
    with desk.dashboard() as pane:
        assert "Trust" not in pane.wait_for("1 of 1 up")
    assert desk.operator.known_hosts.read_text() == after


@needs_tmux
def test_a_machine_that_shows_another_key_is_refused_with_both_fingerprints(machine: Machine, desk: Desk) -> None:
    desk.may_enter(machine)
    expected = machine.sshd.host_fingerprint
    known = desk.operator.known_hosts.read_text()
    machine.sshd.stop()
    machine.sshd.new_host_key()
    machine.sshd.start()
    shown = machine.sshd.host_fingerprint

    done = desk.run("fleetview", "status", "studio")
    assert done.returncode == 3
    assert f"host key changed: {machine.sshd.known_as} is known by {expected} and shows {shown}" in done.stdout
    with desk.dashboard() as pane:
        pane.wait_for("0 of 1 up", "host key changed", expected, shown)
        pane.press("d")
        pane.wait_for("no figures yet", "host key changed", expected, shown)
    assert desk.operator.known_hosts.read_text() == known
    assert "Accepted" not in machine.sshd.log.rpartition("Server listening")[2]
