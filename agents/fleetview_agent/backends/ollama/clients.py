"""Who is connected to a server on this machine: the only trace of who asks it for an answer."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

MOST_NAMED = 3
"""Of several that are connected, no more are named; with more it could be anybody."""


@dataclass(frozen=True)
class Connection:
    """One established connection to the server, seen from one of its ends."""

    pid: int | None
    """Of the process at this end; None where it belongs to another account."""
    port: int
    far_address: str
    far_port: int


def connected(port: int) -> tuple[str, ...]:
    """Other processes of this machine, and addresses from elsewhere, that are connected to `port`. Blocking."""
    names = []
    for client in clients(_connections(), port):
        if isinstance(client, str):
            names.append(client)
        elif client != os.getpid() and (name := _name(client)) is not None:
            names.append(f"{name} (pid {client})")
    return tuple(names)


def clients(connections: Iterable[Connection], port: int) -> tuple[int | str, ...]:
    """The clients of the server at `port`: numbers of local processes, and addresses from elsewhere."""
    found: dict[int | str, None] = {}
    for one in connections:
        if one.far_port == port and one.port != port:
            if one.pid is not None:
                found[one.pid] = None
        elif one.port == port and not is_local(one.far_address):
            found[one.far_address] = None
    return tuple(found)


def author(names: tuple[str, ...]) -> str | None:
    """Whom a request may have come from; None where it could be anybody."""
    return " or ".join(names) if 0 < len(names) <= MOST_NAMED else None


def is_local(address: str) -> bool:
    """Whether an address is this machine speaking to itself."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _connections() -> Iterable[Connection]:
    """The established connections that this account may see."""
    try:
        for entry in psutil.net_connections("tcp"):
            if entry.status == psutil.CONN_ESTABLISHED and entry.laddr and entry.raddr:
                yield Connection(entry.pid, entry.laddr.port, entry.raddr.ip, entry.raddr.port)
    except psutil.AccessDenied:  # macOS shows each account the connections of its own processes only
        for process in psutil.process_iter():
            yield from _of(process)


def _of(process: psutil.Process) -> Iterable[Connection]:
    """The established connections of one process."""
    try:
        for entry in process.net_connections("tcp"):
            if entry.status == psutil.CONN_ESTABLISHED and entry.laddr and entry.raddr:
                yield Connection(process.pid, entry.laddr.port, entry.raddr.ip, entry.raddr.port)
    except psutil.Error:  # it is gone, or somebody else's
        return


def _name(pid: int) -> str | None:
    """What the process is called."""
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return None
