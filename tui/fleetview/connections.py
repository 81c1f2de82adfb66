"""The links of the dashboard: one for each node of the fleet file, as long as the file has it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from fleetview.config import NodeConfig
from fleetview.fleet import Change
from fleetview.links import ClientLike, LinkLike, OpenLink, Receive
from fleetview.remote.errors import NotConnected


class Task(Protocol):
    """Something that runs and can be ended, such as Textual's workers."""

    def cancel(self) -> None:
        """End it."""


Run = Callable[[], Coroutine[Any, Any, None]]  # Any: what a coroutine is sent and yields is asyncio's
Spawn = Callable[[Run, str], Task]
"""Runs something; what is cancelled before its first step is never called."""


@dataclass(frozen=True)
class Connection:
    """A node as the file described it, its link, and what runs the link."""

    node: NodeConfig
    interval: float
    link: LinkLike
    task: Task


class Connections:
    """Opens and closes links as the fleet file changes."""

    def __init__(self, open_link: OpenLink, receive: Receive, spawn: Spawn) -> None:
        self._open_link = open_link
        self._receive = receive
        self._spawn = spawn
        self._connections: dict[str, Connection] = {}

    def follow(self, nodes: Iterable[NodeConfig], interval: float) -> None:
        """Follow these nodes and no others; a node that has not changed keeps its link."""
        wanted = {node.name: node for node in nodes}
        for name, connection in tuple(self._connections.items()):
            if wanted.get(name) != connection.node or connection.interval != interval:
                del self._connections[name]
                connection.task.cancel()
        for name, node in wanted.items():
            if name not in self._connections:
                self._connections[name] = self._open(node, interval)

    def _open(self, node: NodeConfig, interval: float) -> Connection:
        """A link that runs; what a link says that was closed meanwhile is not heard."""

        def receive(name: str, change: Change) -> None:
            if (now := self._connections.get(name)) is not None and now.link is link:
                self._receive(name, change)

        link = self._open_link(node, interval, receive)
        return Connection(node, interval, link, self._spawn(link.run, node.name))

    def client(self, node: str) -> ClientLike:
        """The way to ask a node for something. Raises NotConnected."""
        if (connection := self._connections.get(node)) is None:
            raise NotConnected(f"{node} is not connected: the fleet file has no such node")
        return connection.link.client

    def retry(self, node: str) -> None:
        """Skip the wait for the next try."""
        if connection := self._connections.get(node):
            connection.link.retry_now()
