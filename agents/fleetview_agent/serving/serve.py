"""Serving: the socket, HTTP on it, and a tidy end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from fleetview_agent.agent import Agent
from fleetview_agent.config import AgentConfig
from fleetview_agent.records.journal import Journal
from fleetview_agent.samplers import detect
from fleetview_agent.serving.api import build_app, build_port_app
from fleetview_agent.serving.listener import listening
from fleetview_agent.serving.openai import Door
from fleetview_agent.serving.port import listening_port, read_token

logger = logging.getLogger(__name__)

GRACE_SECONDS = 1
"""How long answers in progress may go on once the agent is told to stop."""
LINGER_STEP_SECONDS = (0.05, 1.0)
"""Least and most time between looks whether anybody still needs an agent that lingers."""
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Their numbers in malloc.h."""
LARGE_BYTES = 64 << 10
"""From this size on, memory goes back to the system as soon as it is free."""


class Server(uvicorn.Server):
    """uvicorn without its clock, and without its signal handlers, which would end the process by the signal again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the server."""
        yield

    async def main_loop(self) -> None:
        """Wait until told to end. uvicorn's own looks ten times a second, at half the cost of an agent at rest."""
        await self._ended.wait()

    def end(self) -> None:
        """Take no new requests, and end those in progress soon."""
        self.should_exit = True
        self._ended.set()


class Clients:
    """Counts the requests that are being served, around the applications that serve them."""

    def __init__(self) -> None:
        self._serving = 0
        self._left_at = time.monotonic()

    def of(self, app: ASGIApp) -> ASGIApp:
        """The application, with its requests counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            self._serving += 1
            try:
                await app(scope, receive, send)
            finally:
                self._serving -= 1
                self._left_at = time.monotonic()

        return counted

    @property
    def absent_seconds(self) -> float:
        """Since the last request ended; zero while one is being served."""
        return 0.0 if self._serving else time.monotonic() - self._left_at


def serve(
    socket_path: Path, config: AgentConfig, linger_seconds: float | None, began: Callable[[], None] = lambda: None
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, or, where it lingers, until nobody needs it any more.

    `began` is called when the socket is there. Raises SocketTaken, ConfigError, StorageFailed before that.
    """
    _give_memory_back()
    with listening(socket_path) as listener, _port(config) as port:
        sampler = detect(config.sampler)
        journal = Journal(socket_path.with_name("journal.sqlite"))
        agent = Agent(config, sampler, journal, restores=linger_seconds is None)
        began()
        asyncio.run(_serve(agent, listener, port, linger_seconds))
    logger.info("ended")


@dataclass(frozen=True)
class _Port:
    """Where OpenAI's clients are served besides, and what they must show."""

    listener: socket.socket
    token: str | None


@contextlib.contextmanager
def _port(config: AgentConfig) -> Iterator[_Port | None]:
    """The port that the settings ask for; mostly none. Raises ConfigError."""
    if config.listen is None:
        yield None
        return
    token = read_token(config.token_file) if config.token_file else None
    with listening_port(config.listen) as listener:
        yield _Port(listener, token)


def _give_memory_back() -> None:
    """Tell glibc to keep no memory for each thread apart, and none that was needed once, such as for a file's header.

    Python runs one thread at a time and has nothing of it; it comes to 5 MiB and more.
    """
    with contextlib.suppress(AttributeError, OSError):  # only glibc has it
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


async def _serve(agent: Agent, listener: socket.socket, port: _Port | None, linger_seconds: float | None) -> None:
    """Serve one agent on a bound socket, and its models and figures on a port where there is one."""
    clients = Clients()
    servers = {http_server(clients.of(build_app(agent))): listener}
    if port is not None:
        servers[http_server(clients.of(Door(build_port_app(agent), port.token)))] = port.listener
    ending = functools.partial(_end, tuple(servers), agent)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ending)
    with agent.logbook.hearing(logging.getLogger()):
        async with agent.running():
            logger.info("serving at %s", " and ".join(str(bound.getsockname()) for bound in servers.values()))
            lingering = asyncio.create_task(_linger(agent, clients, ending, linger_seconds))
            try:
                await asyncio.gather(*(server.serve([bound]) for server, bound in servers.items()))
            finally:
                lingering.cancel()
                await asyncio.wait({lingering})


def http_server(app: ASGIApp) -> Server:
    """HTTP around an application."""
    return Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,  # it is set by the clock that this server does without
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def _end(servers: Iterable[Server], agent: Agent) -> None:
    """Begin to end; streams of events would hold it up."""
    for server in servers:
        server.end()
    agent.hub.close()


async def _linger(agent: Agent, clients: Clients, ending: Callable[[], None], seconds: float | None) -> None:
    """Begin to end when nobody has asked for anything in `seconds` and there is nothing to do."""
    if seconds is None:
        return
    idle_since = time.monotonic()
    step = min(max(LINGER_STEP_SECONDS[0], seconds / 4), LINGER_STEP_SECONDS[1])
    while True:
        await asyncio.sleep(step)
        if agent.busy:
            idle_since = time.monotonic()
        elif min(clients.absent_seconds, time.monotonic() - idle_since) >= seconds:
            logger.info("nobody needs this agent any more")
            ending()
            return
