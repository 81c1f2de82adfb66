"""A shell on a node, in the terminal of the dashboard."""

from __future__ import annotations

import asyncio
import signal
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fleetview.config import NodeConfig

USUAL = "/bin/sh"
"""Where nobody says which shell is theirs."""


def command_of(node: NodeConfig, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What opens a shell: ssh, which reads the same configuration as the connection does; here, one's own shell."""
    if node.local or node.host is None:
        return (environment.get("SHELL") or USUAL,)
    user = ("-l", node.user) if node.user else ()
    port = ("-p", str(node.port)) if node.port else ()
    identity = ("-i", str(node.identity)) if node.identity else ()
    return ("ssh", *user, *port, *identity, node.host)


async def run(command: tuple[str, ...]) -> int:
    """Run a program in this terminal until it ends; its exit status. Raises OSError where it cannot be started."""
    with _undisturbed():
        process = await asyncio.create_subprocess_exec(*command)
        return await process.wait()


def has_terminal() -> bool:
    """Whether the terminal is still there, which may have been closed over the program."""
    try:
        termios.tcgetattr(0)
    except termios.error:
        return False
    return True


def parting(command: tuple[str, ...], status: int) -> str | None:
    """What is said of how it ended; None where there is nothing to say."""
    if status == 0:
        return None
    return (
        f"{command[0]} ended by {_signal(-status)}" if status < 0 else f"{command[0]} ended with exit status {status}"
    )


def _signal(number: int) -> str:
    """What a signal is called."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keys that interrupt are the program's; a handler, unlike ignoring them, is not inherited by it."""
    names = (signal.SIGINT, signal.SIGQUIT)
    before = {name: signal.signal(name, lambda *_: None) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler or signal.SIG_DFL)
