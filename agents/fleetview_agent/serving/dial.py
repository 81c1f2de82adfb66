"""The agent's socket on a program's input and output, for those who can start a program here and no more."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

from fleetview_agent.errors import AgentError

CHUNK = 1 << 16
"""Bytes held at once in each direction; whoever is slow slows down the other side."""
CONNECT_SECONDS = 10.0


def reach(path: Path) -> socket.socket:
    """A connection to the agent that serves at `path`. Raises AgentError."""
    agent = socket.socket(socket.AF_UNIX)
    try:
        agent.settimeout(CONNECT_SECONDS)  # for connecting alone: a silent agent is no fault
        agent.connect(os.fspath(path))
        agent.settimeout(None)
    except (FileNotFoundError, ConnectionRefusedError) as problem:
        agent.close()
        raise AgentError(f"no agent serves at {path}", "fleetview-agent serve starts one") from problem
    except OSError as problem:
        agent.close()
        raise AgentError(f"cannot reach the agent at {path}: {problem.strerror or problem}") from problem
    return agent


def relay(agent: socket.socket, source: int, sink: int) -> None:
    """Carry bytes from `source` to the agent and from it to `sink`, until the agent or the reader of `sink` has gone.

    Each direction waits in a thread of its own, so that neither can hold up the other.
    """
    threading.Thread(target=_send, args=(source, agent), daemon=True).start()
    with suppress(ConnectionError):  # one of the two has gone in the midst of it
        _receive(agent, sink)


def _send(source: int, agent: socket.socket) -> None:
    """Carry what comes in, and its end; when the agent has gone, the other direction notices."""
    with suppress(OSError):
        while chunk := os.read(source, CHUNK):
            agent.sendall(chunk)
    with suppress(OSError):
        agent.shutdown(socket.SHUT_WR)


def _receive(agent: socket.socket, sink: int) -> None:
    """Carry what the agent says, until it ends or nobody reads any more. Raises ConnectionError."""
    watched = select.poll()
    watched.register(agent, select.POLLIN)
    watched.register(sink, 0)  # its end alone: an agent may be silent for as long as it likes
    while sink not in dict(watched.poll()) and (chunk := agent.recv(CHUNK)):
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(sink, rest) :]
