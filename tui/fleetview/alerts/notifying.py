"""What is done about an alert: a toast always, and a bell or a command as the fleet file wishes."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from fleetview.alerts.rules import Alert, AlertWatch
from fleetview.config import FleetConfig
from fleetview.fleet import Fleet

COMMAND_SECONDS = 10.0
"""How long a command may take before it is ended."""
MOST_COMMANDS = 8
"""Commands at a time; an alert beyond them has its toast alone."""
BELL = "bell"


class Operator(Protocol):
    """How to call the operator."""

    def bell(self) -> None:
        """Ring."""

    def alert(self, node: str, text: str) -> None:
        """Say what is the matter with a node."""

    def alerting(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        """Show which nodes have an alert, and what it says."""


class Notifier:
    """Watches for alerts, as a follower of the dashboard, and calls the operator."""

    def __init__(self, operator: Operator, wall_clock: Callable[[], float] = time.time) -> None:
        self._operator = operator
        self._wall_clock = wall_clock
        self._watch = AlertWatch()
        self._commands: set[asyncio.Task[None]] = set()

    def note(self, config: FleetConfig, fleet: Fleet, at: float) -> None:
        """Call the operator for every alert that begins."""
        begun = self._watch.look(config.alerts, fleet, at)
        self._operator.alerting(self._watch.active)
        for alert in begun:
            self._operator.alert(alert.node, alert.text)
        if not begun:
            return
        if config.alerts.notify == BELL:
            self._operator.bell()
            return
        for alert in begun[: MOST_COMMANDS - len(self._commands)]:
            task = asyncio.get_running_loop().create_task(self._run(config, alert))
            self._commands.add(task)
            task.add_done_callback(self._commands.discard)

    async def _run(self, config: FleetConfig, alert: Alert) -> None:
        """Give the alert to the command; say when that does not work."""
        command = config.alerts.notify
        try:
            status = await _fed(shlex.split(command), self._as_json(config, alert))
        except (OSError, ValueError) as problem:
            told = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
            self._operator.alert(alert.node, f"alerts.notify: {command}: {told}")
            return
        if status is None:
            self._operator.alert(alert.node, f"alerts.notify: {command} took longer than {COMMAND_SECONDS:.0f} s")
        elif status:
            self._operator.alert(alert.node, f"alerts.notify: {command} ended with status {status}")

    def _as_json(self, config: FleetConfig, alert: Alert) -> bytes:
        """The alert for programs: fleet, node, rule, value, text, at (seconds since 1970)."""
        told = {
            "fleet": config.fleet.name,
            "node": alert.node,
            "rule": alert.rule,
            "value": alert.value,
            "text": alert.text,
            "at": self._wall_clock(),
        }
        return json.dumps(told).encode() + b"\n"


async def _fed(words: list[str], content: bytes) -> int | None:
    """Run a command with `content` as its standard input: its exit status, None where it took too long.

    Raises OSError where it cannot be run, ValueError where there is none.
    """
    if not words:
        raise ValueError("there is no command")
    process = await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            await process.communicate(content)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return None
    return process.returncode
