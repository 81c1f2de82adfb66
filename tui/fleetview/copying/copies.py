"""The copies that a dashboard carries out: each runs until it has ended there, or the program does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from fleetview.config import FleetConfig, NodeConfig
from fleetview.connections import Spawn
from fleetview.messages import RequestFailed
from fleetview.present.numbers import duration
from fleetview.present.text import plain
from fleetview.remote.errors import RemoteError, Unreachable

if TYPE_CHECKING:
    from fleetview.remote.logins import Logins
    from fleetview_agent.wire import CopyRequest, Operation

CALM = "operations go on on the nodes"
"""What leaving means where no copy runs."""


class Tell(Protocol):
    """Says something for a moment."""

    def __call__(
        self, text: str, node: str = "", severity: Literal["information", "warning", "error"] = "information"
    ) -> None:
        """Say it about a node."""


class Copies:
    """Reads what a model consists of, and brings it to other nodes over connections of their own."""

    def __init__(
        self, config: Callable[[], FleetConfig], logins: Callable[[], Logins], author: str, spawn: Spawn, tell: Tell
    ) -> None:
        self._config = config
        self._logins = logins
        self._author = author
        self._spawn = spawn
        self._tell = tell
        self._running: dict[tuple[str, str], CopyRequest] = {}
        """By `BACKEND/MODEL` and the node that it goes to."""

    @property
    def parting(self) -> str:
        """What becomes of things when the program is left now."""
        if not self._running:
            return CALM
        (model, node), *more = self._running
        what = f"{len(more) + 1} copies" if more else f"the copy of {plain(model, 60)} to {node}"
        return f"{what} would break off, and go on from there when begun again"

    async def read(self, source: str, backend: str, model: str, show: Callable[[float], None]) -> CopyRequest:
        """The request that brings the model elsewhere; a large file is read for it. Raises RequestFailed."""
        from fleetview.copying.parts import copy_request, found  # brings httpx, for which the first paint does not wait
        from fleetview.remote.connect import connect

        try:
            async with connect(self._node(source), self._logins()) as client:
                return copy_request(await found(client, backend, model, show), source, self._author)
        except RemoteError as problem:
            raise RequestFailed(problem.message, problem.hint) from problem

    def start(self, request: CopyRequest, targets: tuple[str, ...]) -> None:
        """Bring the model to these nodes at the same time; one that is on its way already goes on."""
        for name in targets:
            if (_target(request), name) not in self._running:
                self._running[_target(request), name] = request
                self._spawn(partial(self._carry, request, name), name)

    async def _carry(self, request: CopyRequest, name: str) -> None:
        """Bring the model to one node, and tell how that ended."""
        from fleetview.copying.delivery import Delivery, Ways  # as above
        from fleetview.copying.throttle import Throttle

        ways = Ways(self._logins(), self._config().fleet.interval_seconds, Throttle(None))
        try:
            nodes = (self._node(request.source), self._node(name))
            self._end(request, name, await Delivery(*nodes, request, ways, lambda *_: None).run())
        except RemoteError as problem:
            self._tell(f"copy of {plain(_target(request), 60)} broke off: {problem}", name, "error")
        finally:
            with suppress(KeyError):
                del self._running[_target(request), name]

    def _end(self, request: CopyRequest, name: str, operation: Operation) -> None:
        """Tell that it has come; whatever else came of it is told as of every operation."""
        if operation.result == "done":
            took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
            self._tell(f"{plain(_target(request), 60)} has come from {request.source} after {duration(took)}", name)

    def _node(self, name: str) -> NodeConfig:
        """The node as the fleet file describes it. Raises Unreachable."""
        for node in self._config().nodes:
            if node.name == name:
                return node
        raise Unreachable(f"{name} is no longer in the fleet file")


def _target(request: CopyRequest) -> str:
    """`BACKEND/MODEL` of what is copied."""
    from fleetview_agent.wire import target  # the first paint does not wait for the wire models

    return target(request)
