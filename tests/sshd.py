"""OpenSSH's server for tests, on loopback ports; who logs in to it comes with it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.openssh import fingerprint, make_key, public, until
from tests.operators import Operator, an_operator, ssh_agent

__all__ = ["Operator", "Sshd", "a_free_port", "an_operator", "an_sshd", "needs_sshd", "ssh_agent"]

SSHD = shutil.which("sshd", path=f"/usr/sbin:/usr/local/sbin:{os.environ.get('PATH', '')}")
PROGRAMS = Path(sys.executable).parent
"""Where `fleetview-agent` lies; on the PATH of every server."""
PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to clients, so that no client takes the port of a server that is down."""

needs_sshd = pytest.mark.skipif(SSHD is None or shutil.which("ssh-keygen") is None, reason="needs OpenSSH's sshd")


@dataclass(frozen=True)
class Rules:
    """What a server allows, and what the machine behind it is."""

    home: Path | None
    forwarding: bool
    exec_: bool
    extra: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """As sshd_config writes them; the first of two counts, so the extra ones come first."""
        yield from self.extra
        yield f"AllowStreamLocalForwarding {_yes(self.forwarding)}"
        yield f"AllowTcpForwarding {_yes(self.forwarding)}"
        if not self.exec_:
            yield "MaxSessions 0"
        home = "" if self.home is None else f'"HOME={self.home}" '
        yield f'SetEnv {home}"PATH={PROGRAMS}:/usr/bin:/bin"'


@dataclass
class Sshd:
    """An sshd that can be stopped, killed, and started again on the same port."""

    folder: Path
    port: int
    rules: Rules
    host_key: Path
    address: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()
    """What runs it, such as the command that enters a network namespace."""
    _listener: psutil.Popen | None = field(default=None, repr=False)

    @property
    def host_public(self) -> str:
        """Algorithm and base64 of the host key, as known_hosts has them."""
        return " ".join(public(self.host_key).read_text().split()[:2])

    @property
    def host_fingerprint(self) -> str:
        """The host key as `SHA256:…`."""
        return fingerprint(self.host_key)

    @property
    def known_as(self) -> str:
        """The host as known_hosts names it."""
        return f"[{self.address}]:{self.port}"

    @property
    def log(self) -> str:
        """All that it has said."""
        return self._log.read_text() if self._log.exists() else ""

    def authorize(self, public_key: Path) -> None:
        """Let the owner of the key log in, from now on."""
        with self._authorized.open("a") as file:
            file.write(public_key.read_text())

    def let_nobody_in(self) -> None:
        """Forget whose keys are good, from now on."""
        self._authorized.write_text("")

    def new_host_key(self) -> None:
        """Show another host key from the next start on."""
        self.host_key = make_key(self.folder / f"host_key_{secrets.token_hex(4)}")

    def start(self) -> None:
        """Listen, with the port and key of the last time."""
        assert SSHD is not None
        config = self.folder / "sshd_config"
        config.write_text("".join(f"{line}\n" for line in self._config()))
        before = len(self.log)
        with self._log.open("ab") as log:
            # A full path: sshd runs itself anew for each connection.
            command = [*self.prefix, SSHD, "-D", "-e", "-f", str(config)]
            self._listener = psutil.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        listener = self._listener
        until(
            lambda: "Server listening on" in self.log[before:] or listener.poll() is not None,
            f"sshd to listen on port {self.port}",
        )
        if listener.poll() is not None:
            raise AssertionError(f"sshd did not start on port {self.port}:\n{self.log[before:]}")

    def stop(self) -> None:
        """End it and its sessions as the machine would when it shuts down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its sessions without a word."""
        self._end(signal.SIGKILL)

    def drop_sessions(self) -> None:
        """Kill every connection; new ones are welcome."""
        assert self._listener is not None
        _signal(sessions := _sessions(self._listener), signal.SIGKILL)
        until(lambda: not any(map(_lives, sessions)), "the sessions of sshd to end")

    def freeze(self) -> None:
        """Keep it and its sessions from doing anything; the kernel goes on to accept for it."""
        assert self._listener is not None
        _signal((self._listener, *_sessions(self._listener)), signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all of it go on."""
        assert self._listener is not None
        _signal((*_sessions(self._listener), self._listener), signal.SIGCONT)

    @property
    def sessions(self) -> int:
        """How many of its processes look after connections; each connection has one or two."""
        return len(self.session_processes)

    @property
    def session_processes(self) -> tuple[psutil.Process, ...]:
        """Its processes that look after connections."""
        return () if self._listener is None else _sessions(self._listener)

    def _end(self, number: signal.Signals) -> None:
        """Signal the listener and its sessions, and wait for their end."""
        listener, self._listener = self._listener, None
        if listener is None or listener.poll() is not None:
            return
        listener.suspend()  # it must not accept between the look at its children and its own end
        family = (*_sessions(listener), listener)
        _signal(family, number)
        if number != signal.SIGKILL:
            listener.resume()
        until(lambda: not any(map(_lives, family)), "sshd and its sessions to end")
        listener.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "sshd.log"

    @property
    def _authorized(self) -> Path:
        return self.folder / "authorized_keys"

    def _config(self) -> Iterator[str]:
        """The whole of sshd_config."""
        yield from self.rules.lines()
        yield f"Port {self.port}"
        yield f"ListenAddress {self.address}"
        yield f'HostKey "{self.host_key}"'
        yield f'AuthorizedKeysFile "{self._authorized}"'
        yield "PermitRootLogin yes"
        yield "LogLevel VERBOSE"
        yield "MaxStartups 200"
        yield "PidFile none"
        for setting in ("UsePAM", "UseDNS", "StrictModes", "PrintMotd", "PermitUserRC"):
            yield f"{setting} no"
        for method in ("Password", "KbdInteractive"):
            yield f"{method}Authentication no"


@contextmanager
def an_sshd(
    folder: Path,
    *,
    home: Path | None = None,
    forwarding: bool = True,
    exec_: bool = True,
    extra: Sequence[str] = (),
    address: str = "127.0.0.1",
    prefix: Sequence[str] = (),
) -> Iterator[Sshd]:
    """A server that keeps its things in `folder`; commands run by it see `home` as their HOME."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0 and sys.platform == "linux":
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # a server of root insists on it
    server = Sshd(
        folder=folder,
        port=a_free_port(),
        rules=Rules(home=home, forwarding=forwarding, exec_=exec_, extra=tuple(extra)),
        host_key=make_key(folder / "host_key"),
        address=address,
        prefix=tuple(prefix),
    )
    server.start()
    try:
        yield server
    finally:
        server.kill()


def a_free_port() -> int:
    """A loopback port that nobody listens on."""
    while True:
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port := PORTS[secrets.randbelow(len(PORTS))]))
            return port


def _sessions(listener: psutil.Process) -> tuple[psutil.Process, ...]:
    """The server's processes that look after connections, not the commands that they run."""
    return tuple(child for child in listener.children(recursive=True) if _lives(child) and _is_sshd(child))


def _is_sshd(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.name().startswith("sshd")  # and sshd-session, from OpenSSH 9.8 on
    return False


def _lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that nobody has fetched does not."""
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _yes(allowed: bool) -> str:
    return "yes" if allowed else "no"
