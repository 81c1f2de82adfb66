"""`fleetview logs`: what agent and engines of a node wrote, and with `-f` what they write."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from fleetview.cli.bounds import answering
from fleetview.cli.output import put, put_json, say
from fleetview.config import FleetConfig, NodeConfig
from fleetview.present.logs import LEVEL_WORDS, Threshold, serious
from fleetview.present.numbers import moment
from fleetview.remote.backoff import delays
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import Exit
from fleetview.words.names import pick_backend, pick_node
from fleetview_agent.wire import Logged, LogLine, Snapshot

AGENT = "agent"
USUAL_NUMBER = 50
REMEMBERED = 1000
"""Lines by which is known, after a lost connection, what was printed already; an agent keeps as many of a source."""
_SOURCE_WIDTH, _LEVEL_WIDTH = 8, 5


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print the newest lines of one log or of all; with `-f` go on until interrupted."""
    node = pick_node(config, arguments.node)
    number = USUAL_NUMBER if arguments.number is None else arguments.number
    threshold: Threshold = "all" if arguments.level in {None, "debug"} else arguments.level
    if arguments.follow:
        printer = Printer(threshold, number, as_json=arguments.json)
        await _follow(node, arguments.backend, logins, config.fleet.interval_seconds, printer)
    async with connect(node, logins) as client, answering(node.name):
        source = await _source(node.name, client, arguments.backend)
        lines = await client.logs(source)
    wanted = [line for line in lines if serious(line.level, threshold)]
    wanted = wanted[-number:] if number else []
    if arguments.json:
        put_json(wanted)
    else:
        _put(wanted)
    return Exit.DONE


async def _source(node: str, client: AgentClient, word: str | None) -> str | None:
    """Whose log is meant; None: all of them. Raises CommandError."""
    if word in {None, AGENT}:
        return word
    assert word is not None
    return pick_backend(node, (await client.snapshot()).backends, word)


@dataclass
class Printer:
    """Prints each line once, whether it was told or heard, and however often the connection is made anew."""

    threshold: Threshold
    number: int
    """Lines of the past that are printed at first."""
    as_json: bool = False
    _printed: deque[LogLine] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _told: Counter[LogLine] = field(default_factory=Counter)
    """Lines that were told and that the stream may bring as well."""
    _began: bool = False

    def tell(self, lines: Iterable[LogLine]) -> None:
        """What a node answers that was just connected to."""
        known = Counter(self._printed)
        fresh: list[LogLine] = []
        for line in lines:
            if known[line]:
                known[line] -= 1
            else:
                fresh.append(line)
        self._told = Counter(fresh)
        wanted = [line for line in fresh if serious(line.level, self.threshold)]
        self._print(wanted if self._began else wanted[len(wanted) - min(self.number, len(wanted)) :])
        self._printed.extend(fresh)
        self._began = True

    def hear(self, lines: Iterable[LogLine]) -> None:
        """What comes over the stream."""
        fresh: list[LogLine] = []
        for line in lines:
            if self._told[line]:
                self._told[line] -= 1
            else:
                fresh.append(line)
        self._printed.extend(fresh)
        self._print([line for line in fresh if serious(line.level, self.threshold)])

    def _print(self, lines: Sequence[LogLine]) -> None:
        if self.as_json:
            for line in lines:
                put_json(line)
        else:
            _put(lines)


async def _follow(node: NodeConfig, word: str | None, logins: Logins, interval: float, printer: Printer) -> None:
    """Print what is written until cancelled, also over lost connections. Raises RemoteError where there was none."""
    was_there, waits = False, delays()
    while True:
        try:
            async with (
                connect(node, logins, interval=interval, again=was_there) as client,
                aclosing(client.events(interval)) as events,
            ):
                source: str | None = None
                async for event in events:
                    match event:
                        case Snapshot():
                            source = await _source(node.name, client, word)
                            printer.tell(await client.logs(source))
                            was_there, waits = True, delays()
                        case Logged(lines=lines):
                            printer.hear(line for line in lines if source in {None, line.source})
                        case _:
                            pass
        except RemoteError as problem:
            if not was_there or not problem.heals:
                raise
            say(f"{problem}; trying again")
        await asyncio.sleep(next(waits))


def _put(lines: Iterable[LogLine]) -> None:
    """Lines for people."""
    for line in lines:
        level = LEVEL_WORDS[line.level].ljust(_LEVEL_WIDTH)
        put(f"{moment(line.at)}  {line.source.ljust(_SOURCE_WIDTH)}  {level}  {line.text}")
