"""Which of Ollama's processes belong to the server that we drive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleetview_agent.backends.ollama.environment import Settings, settings_of
from fleetview_agent.backends.ollama.processes import Processes, Runner, Server
from fleetview_agent.ollama_store import models_folder

FRESH_SECONDS = 1.0
"""A look as young as this is not repeated unless somebody insists."""


@dataclass(frozen=True)
class Sight:
    """What one look has found."""

    processes: Processes
    """All of them, also those of other servers."""
    server: Server | None
    """The one that listens at our address; None where there is none, or it cannot be told."""
    runners: tuple[Runner, ...]
    """Of that server."""
    orphans: tuple[Runner, ...]
    """Of a server that is gone, holding a model out of our models folder."""
    folder: Path
    """Where the server keeps its models."""
    settings: Settings
    """What the server was told, as far as it can be read."""


class Looks:
    """Looks at the processes, in a thread and no more often than it must."""

    def __init__(self, address: str, configured: Path | None, look: Callable[[], Processes]) -> None:
        self._port = int(address.rpartition(":")[2])
        self._configured = configured
        self._look = look
        self._turn = asyncio.Lock()
        self._listener: Server | None = None
        self._elsewhere: set[Server] = set()
        """Servers that listen at another address, and so are not looked at again."""
        self._settings = Settings()
        self._folder = models_folder(configured)
        self._sight: Sight | None = None
        self._at = float("-inf")

    @property
    def folder(self) -> Path:
        """Where the server keeps its models, as far as is known."""
        return self._folder

    async def look(self, *, afresh: bool = False) -> Sight:
        """What is there; not older than the call where it must be fresh."""
        asked_at = time.monotonic()
        async with self._turn:
            oldest = asked_at if afresh else asked_at - FRESH_SECONDS
            if self._sight is None or self._at < oldest:
                began_at = time.monotonic()
                self._sight = await asyncio.to_thread(self._renewed)
                self._at = began_at
            return self._sight

    def _renewed(self) -> Sight:
        """Look now."""
        processes = self._look()
        server = self._server(processes.servers)
        if server is not None and server != self._listener:
            self._settings = settings_of(server)
            self._folder = models_folder(self._configured or self._settings.models)
        self._listener = server
        parent = server.pid if server else None
        orphans = tuple(one for one in processes.runners if one.orphaned)
        return Sight(
            processes=processes,
            server=server,
            runners=tuple(one for one in processes.runners if one.parent_pid == parent and not one.orphaned),
            orphans=_out_of(self._folder / "blobs", orphans) if orphans else (),
            folder=self._folder,
            settings=self._settings if server else Settings(),
        )

    def _server(self, servers: tuple[Server, ...]) -> Server | None:
        """The one that listens at our address; where none lets us see its sockets, the only one there is."""
        if self._listener in servers:
            return self._listener
        self._elsewhere &= set(servers)
        ports = {server: _ports(server.pid) for server in servers if server not in self._elsewhere}
        self._elsewhere |= {server for server, known in ports.items() if known and self._port not in known}
        sure = [server for server, known in ports.items() if known and self._port in known]
        return next(iter(sure or [one for one in servers if len(servers) == 1 and ports.get(one, ()) is None]), None)


def _ports(pid: int) -> frozenset[int] | None:
    """Where a process listens, which takes milliseconds to find out; None where its sockets cannot be seen."""
    try:
        sockets = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return frozenset()
    except psutil.AccessDenied:
        return None
    return frozenset(one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN and one.laddr)


def _out_of(folder: Path, runners: tuple[Runner, ...]) -> tuple[Runner, ...]:
    """Those whose model lies in the folder, by whichever way it was written."""
    resolved = _resolved(folder)
    return tuple(one for one in runners if _resolved(Path(one.model).parent) == resolved)


def _resolved(folder: Path) -> Path:
    """The folder without links, so that two ways to it are equal."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError):
        return folder
