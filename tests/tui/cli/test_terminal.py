"""Passphrases on a real terminal, asked for by the real command line."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleetview.cli.terminal import Terminal
from fleetview.remote.host_key import HostKey

LIMIT_SECONDS = 20.0
QUESTION = "Passphrase for ~/.ssh/id_ed25519 (for far): "
PROGRAM = """
import fcntl, sys, termios
from contextlib import asynccontextmanager
from pathlib import Path

if sys.argv[1] == "terminal":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from fleetview.cli import status
from fleetview.words.parser import parse
from fleetview.cli.run import run
from fleetview.remote import identities
from fleetview.remote.errors import IdentityLocked, Unreachable

FILE = Path.home() / ".ssh" / "id_ed25519"
identities.unlock = lambda file, text: object() if text == "right" else None

@asynccontextmanager
async def connect(node, logins, **more):
    if not await logins.solve(node.name, IdentityLocked("login refused: the private key is locked", None, FILE)):
        raise IdentityLocked("login refused: the private key is locked", None, FILE)
    raise Unreachable("opened")
    yield

status.connect = connect
sys.exit(run(parse(["status", *sys.argv[2:]])))
"""
FLEET = "".join(f'[[node]]\nname = "{name}"\nhost = "{name}"\n' for name in ("far", "near"))


@dataclass
class Session:
    """A command on a terminal, and what a person sees of it."""

    process: subprocess.Popen[str]
    terminal: int
    seen: str = ""

    def until(self, text: str) -> None:
        """Read on until the text stands there."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while text not in self.seen:
            assert time.monotonic() < deadline, f"waited for {text!r}, saw {self.seen!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.seen += os.read(self.terminal, 4096).decode()

    def type(self, text: str) -> None:
        """What a person types."""
        os.write(self.terminal, text.encode())

    @property
    def echoes(self) -> bool:
        """Whether what is typed shows."""
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)


def program(home: Path, how: str, *words: str, stdin: int) -> subprocess.Popen[str]:
    (home / "fleet.toml").write_text(FLEET)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how, "--fleet", str(home / "fleet.toml"), *words],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "HOME": str(home)},
    )


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A command that needs a passphrase for two nodes."""
    ours, theirs = os.openpty()
    with program(tmp_path, "terminal", stdin=theirs) as process:
        try:
            yield Session(process, ours)
        finally:
            process.kill()
            os.close(theirs)
            os.close(ours)


def test_a_passphrase_is_asked_for_once_and_never_shown(session: Session) -> None:
    session.until(QUESTION)
    assert not session.echoes
    session.type("right\n")
    out, err = session.process.communicate(timeout=LIMIT_SECONDS)
    session.until("\n")
    assert session.process.returncode == 3
    assert out.count("opened") == 2
    assert session.seen.count("Passphrase") == 1
    assert "right" not in session.seen + out + err
    assert session.echoes


def test_after_three_wrong_passphrases_the_reason_stands(session: Session) -> None:
    for tries in range(3):
        session.until(("That did not open it. " if tries else "") + QUESTION)
        session.seen = ""
        session.type("wrong\n")
    out, _ = session.process.communicate(timeout=LIMIT_SECONDS)
    assert session.process.returncode == 3
    assert out.count("login refused: the private key is locked") == 2
    assert session.echoes


@pytest.mark.parametrize("typed", ["\n", "\x04"], ids=["nothing", "end of input"])
def test_nothing_typed_is_no_passphrase(session: Session, typed: str) -> None:
    session.until(QUESTION)
    session.type(typed)
    out, _ = session.process.communicate(timeout=LIMIT_SECONDS)
    assert session.process.returncode == 3
    assert out.count("login refused") == 2


@pytest.mark.parametrize("by_key", [True, False], ids=["ctrl+c", "a signal"])
def test_an_interrupt_ends_at_once_and_the_terminal_is_as_before(session: Session, by_key: bool) -> None:
    session.until(QUESTION)
    session.type("half a pass")
    began = time.monotonic()
    if by_key:
        session.type("\x03")
    else:
        session.process.send_signal(signal.SIGINT)
    out, err = session.process.communicate(timeout=LIMIT_SECONDS)
    assert (session.process.returncode, out, err) == (130, "", "fleetview: interrupted\n")
    assert time.monotonic() - began < 5
    assert session.echoes


def test_without_a_terminal_nobody_is_asked_and_the_reason_stands(tmp_path: Path) -> None:
    with program(tmp_path, "none", "far", stdin=subprocess.DEVNULL) as process:
        out, err = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 3
    assert "login refused: the private key is locked" in out
    assert err == ""


async def test_a_host_key_is_never_asked_for_on_the_command_line() -> None:
    key = HostKey("far", "ssh-ed25519", "SHA256:abc", "ssh-ed25519 AAAA", Path("known_hosts"))
    assert await Terminal().trust("far", key) is False
