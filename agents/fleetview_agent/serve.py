"""Serving: the socket, HTTP on it, and a tidy end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from fleetview_agent.agent import Agent
from fleetview_agent.api import build_app
from fleetview_agent.config import AgentConfig
from fleetview_agent.journal import Journal
from fleetview_agent.listener import listening
from fleetview_agent.samplers import detect

logger = logging.getLogger(__name__)

GRACE_SECONDS = 1
"""How long answers in progress may go on once the agent is told to stop."""
LINGER_STEP_SECONDS = 0.25
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Their numbers in malloc.h."""
LARGE_BYTES = 64 << 10
"""From this size on, memory goes back to the system as soon as it is free."""


class Server(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process by the signal once more."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield


class Clients:
    """Counts the requests that are being served, around an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._serving = 0
        self._left_at = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        self._serving += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._serving -= 1
            self._left_at = time.monotonic()

    @property
    def absent_seconds(self) -> float:
        """Since the last request ended; zero while one is being served."""
        return 0.0 if self._serving else time.monotonic() - self._left_at


def serve(socket_path: Path, config: AgentConfig, linger_seconds: float | None) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, or, where it lingers, until nobody needs it any more.

    Raises SocketTaken, ConfigError, StorageFailed before anything is served.
    """
    _give_memory_back()
    with listening(socket_path) as listener:
        sampler = detect(config.sampler)
        journal = Journal(socket_path.with_name("journal.sqlite"))
        asyncio.run(_serve(Agent(config, sampler, journal, restores=linger_seconds is None), listener, linger_seconds))
    logger.info("ended")


def _give_memory_back() -> None:
    """Tell glibc to keep no memory for each thread apart, and none that was needed once, such as for a file's header.

    Python runs one thread at a time and has nothing of it; it comes to 5 MiB and more.
    """
    with contextlib.suppress(AttributeError, OSError):  # only glibc has it
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


async def _serve(agent: Agent, listener: socket.socket, linger_seconds: float | None) -> None:
    """Serve one agent on a bound socket."""
    clients = Clients(build_app(agent))
    server = Server(
        uvicorn.Config(
            clients,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, _end, server, agent)
    async with agent.running():
        logger.info("serving at %s", listener.getsockname())
        lingering = asyncio.create_task(_linger(agent, clients, server, linger_seconds))
        try:
            await server.serve([listener])
        finally:
            lingering.cancel()
            await asyncio.wait({lingering})


def _end(server: Server, agent: Agent) -> None:
    """Begin to end; streams of events would hold it up."""
    server.should_exit = True
    agent.hub.close()


async def _linger(agent: Agent, clients: Clients, server: Server, seconds: float | None) -> None:
    """End the server when nobody has asked for anything in `seconds` and there is nothing to do."""
    if seconds is None:
        return
    idle_since = time.monotonic()
    while not server.should_exit:
        await asyncio.sleep(LINGER_STEP_SECONDS)
        if agent.busy:
            idle_since = time.monotonic()
        elif min(clients.absent_seconds, time.monotonic() - idle_since) >= seconds:
            logger.info("nobody needs this agent any more")
            _end(server, agent)
