"""A machine at the end of a cable that can be cut: in a network namespace, behind a pair of virtual interfaces."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.openssh import until

NOBODY = "02:00:00:00:00:01"
"""The address of an interface that nobody has: what is sent there is gone, and nobody says so."""


@dataclass(frozen=True)
class Cable:
    """The way from here to the one machine at its other end."""

    namespace: str
    interface: str
    here: str
    there: str

    @property
    def enter(self) -> tuple[str, ...]:
        """What goes before a command that is to run at the other end."""
        return ("ip", "netns", "exec", self.namespace)

    def cut(self) -> None:
        """From now on every packet is lost, in both directions, without a word to either side."""
        _ip("neighbour", "replace", self.there, "lladdr", NOBODY, "dev", self.interface, "nud", "permanent")
        _ip(
            "-n", self.namespace, "neighbour", "replace", self.here, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent"
        )

    def mend(self) -> None:
        """From now on packets arrive again."""
        _ip("neighbour", "delete", self.there, "dev", self.interface)
        _ip("-n", self.namespace, "neighbour", "delete", self.here, "dev", "eth0")


@contextmanager
def a_cable() -> Iterator[Cable]:
    """A cable of its own, gone afterwards with whatever is left at its other end."""
    if why := _why_not():
        pytest.skip(why)
    mark = secrets.token_hex(4)
    # Of 198.18.0.0/15, which is set aside for tests of networks.
    network = f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}.{4 * secrets.randbelow(64)}"
    first, _, last = network.rpartition(".")
    cable = Cable(f"fleetview-{mark}", f"fv{mark}", f"{first}.{int(last) + 1}", f"{first}.{int(last) + 2}")
    _ip("netns", "add", cable.namespace)
    try:
        _ip("link", "add", cable.interface, "type", "veth", "peer", "name", "eth0", "netns", cable.namespace)
        _ip("address", "add", f"{cable.here}/30", "dev", cable.interface)
        _ip("link", "set", cable.interface, "up")
        _ip("-n", cable.namespace, "address", "add", f"{cable.there}/30", "dev", "eth0")
        _ip("-n", cable.namespace, "link", "set", "eth0", "up")
        until(lambda: "LOWER_UP" in _ip("-brief", "link", "show", cable.interface), "the cable to be connected")
        yield cable
    finally:
        _ip("netns", "delete", cable.namespace)
        # It goes with the namespace; by itself, though, where a process there outlives the test.
        subprocess.run(("ip", "link", "delete", cable.interface), capture_output=True, check=False)
        until(lambda: cable.interface not in _ip("-brief", "link"), "the cable to be gone")


def _why_not() -> str | None:
    """Why there can be no cable here."""
    if sys.platform != "linux" or shutil.which("ip") is None:
        return "needs Linux and its `ip`"
    if os.geteuid() != 0:
        return "needs root, for a network namespace"
    tried = subprocess.run(("unshare", "--net", "true"), capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"needs a network namespace: {tried.stderr.strip()}"


def _ip(*arguments: str) -> str:
    """What `ip` says."""
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout
