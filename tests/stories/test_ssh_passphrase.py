"""A private key that is locked: its passphrase is asked for once, where somebody can answer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.sshd import needs_sshd
from tests.stories.conftest import command, needs_tmux
from tests.stories.machines import Desk, a_desk, a_machine, node
from tests.stories.terminal import Terminal

pytestmark = needs_sshd

PASSPHRASE = "open sesame"  # noqa: S105 - of a key that lives as long as a test
ASKED = "Passphrase"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """Of somebody who can enter two machines with a locked key alone."""
    with a_machine("alpha") as alpha, a_machine("beta") as beta, a_desk() as desk:
        for file in (desk.operator.key, desk.operator.key.with_suffix(".pub")):
            file.unlink()
        desk.may_enter(alpha, beta, key=desk.operator.make_key("id_ed25519", PASSPHRASE))
        desk.write_fleet(node(alpha), node(beta))
        yield desk


def give(pane: Terminal, passphrase: str) -> None:
    """Type a passphrase, which nobody sees."""
    pane.type(passphrase)
    assert passphrase not in pane.screen
    pane.press("Enter")


@needs_tmux
def test_the_dashboard_asks_for_a_passphrase_once_for_all_machines_that_need_it(desk: Desk) -> None:
    with desk.dashboard() as pane:
        pane.wait_for(ASKED, "~/.ssh/id_ed25519")
        give(pane, "guess")
        pane.wait_for("That did not open it.")
        give(pane, PASSPHRASE)
        assert ASKED not in pane.wait_for("2 of 2 up")


@needs_tmux
def test_a_command_asks_for_it_on_its_terminal(desk: Desk) -> None:
    with desk.dashboard("status") as pane:
        pane.wait_for(f"{ASKED} for ~/.ssh/id_ed25519")
        give(pane, PASSPHRASE)
        screen = pane.wait_for("alpha  up", "beta   up")
    assert screen.count(ASKED) == 1


def test_without_a_terminal_a_command_names_what_unlocks_it(desk: Desk) -> None:
    done = subprocess.run(
        [command("fleetview"), "status"],
        env=desk.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 3
    assert done.stdout.count(f"`ssh-add {desk.operator.key}`") == 2
