"""Who listens at which port. Blocking."""

from __future__ import annotations

from contextlib import suppress

import psutil


def ports_of(process: psutil.Process) -> frozenset[int] | None:
    """Where it listens; None where that cannot be read."""
    try:
        connections = process.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    return frozenset(one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN)


def listener(port: int) -> str:
    """The program that listens at a port; blocking."""
    for process in psutil.process_iter(("name",)):
        with suppress(psutil.Error):
            if port in (ports_of(process) or ()):
                return f"{process.info['name']} (pid {process.pid})"
    return "another program"
