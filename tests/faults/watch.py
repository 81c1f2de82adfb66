"""Nodes followed as the dashboard follows them, their rows looked at much more often than anybody could."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise

from fleetview.config import NodeConfig
from fleetview.fleet import STALE_INTERVALS, Change, Condition, Dropped, Fleet, LinkDown, LinkUp, NodeState
from fleetview.fleet import apply as applied
from fleetview.fleet import condition as condition_of
from fleetview.present.table import rows
from fleetview.present.text import Line, text_of
from fleetview.remote.link import Link
from fleetview.remote.logins import Logins
from fleetview_agent.wire import Snapshot

INTERVAL_SECONDS = 0.5
TICK_SECONDS = 1.0
"""How often the dashboard draws what has changed by the mere passing of time."""
LOOK_SECONDS = 0.02
SLACK_SECONDS = 0.25
"""For a look that comes late, since the machine is busy."""
WIDTH = 120
LIVING: frozenset[Condition] = frozenset({"up", "busy", "degraded"})


@dataclass(frozen=True)
class Look:
    """What a row said from this time on, ages apart."""

    at: float
    condition: Condition
    words: str


class Watch:
    """What was heard of every node, and what its row said."""

    def __init__(self, nodes: Sequence[NodeConfig], interval: float) -> None:
        self.interval = interval
        self.fleet: Fleet = {node.name: NodeState(node.name, interval_seconds=interval) for node in nodes}
        self.heard: defaultdict[str, list[tuple[float, Change]]] = defaultdict(list)
        self.looks: defaultdict[str, list[Look]] = defaultdict(list)
        self.wrong: list[str] = []
        """Moments at which something old was shown as if it were new."""
        self._changed = asyncio.Event()

    @property
    def patience(self) -> float:
        """How long figures count as new."""
        return STALE_INTERVALS * self.interval

    @property
    def soon(self) -> float:
        """Until when a row must tell of a fault: three intervals, and the tick that draws it."""
        return self.patience + TICK_SECONDS

    def receive(self, name: str, change: Change) -> None:
        """As the dashboard does."""
        now = time.monotonic()
        self.heard[name].append((now, change))
        self.fleet = applied(self.fleet, name, change, now)
        self.look()

    def look(self) -> None:
        """Read every row."""
        now = time.monotonic()
        for name, node in self.fleet.items():
            line, words = row(node, now)
            state = condition_of(node, now)
            self._judge(node, state, line, now)
            former = self.looks[name][-1] if self.looks[name] else None
            if former is None or _ageless(former.words) != _ageless(words) or former.condition != state:
                self.looks[name].append(Look(now, state, words))
        self._changed.set()

    async def says(self, name: str, condition: Condition, words: str, since: float, within: float) -> float:
        """Seconds from `since` until the row of the node said so; `words` is the pattern of its leading ones."""
        deadline = since + within
        while True:
            for look in self.looks[name]:
                if look.at >= since and look.condition == condition and re.match(words, look.words):
                    assert look.at <= deadline, f"said only after {look.at - since:.2f} s: {self.story(name, since)}"
                    return look.at - since
            if time.monotonic() > deadline + SLACK_SECONDS:
                raise AssertionError(
                    f"waited {within:g} s for {name} to be {condition}: {words!r}\n{self.story(name, since)}"
                )
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), SLACK_SECONDS)

    async def heals(self, name: str, since: float, within: float) -> float:
        """Seconds from `since` until figures of a node came that had been given up; a whole snapshot brought them."""
        seconds = await self.says(name, "up", "", since, within)
        connected = next(at for at, change in reversed(self.heard[name]) if isinstance(change, LinkUp))
        assert connected >= since, self.story(name, since)
        return seconds

    def losses(self, name: str) -> list[LinkDown]:
        """Every time that the connection was given up."""
        return [change for _, change in self.heard[name] if isinstance(change, LinkDown)]

    def gap(self, name: str) -> float:
        """The longest time without a word from a node that was heard of."""
        times = [at for at, change in self.heard[name] if not isinstance(change, LinkUp | LinkDown | Dropped)]
        return max(later - earlier for earlier, later in pairwise([*times, time.monotonic()]))

    def story(self, name: str, since: float) -> str:
        """All that the row said, for people."""
        looks = (f"{look.at - since:+7.2f} {look.condition:10} {look.words}" for look in self.looks[name])
        return "\n".join(looks)

    def check(self) -> None:
        """What must hold whatever happens."""
        assert not self.wrong, "\n".join(self.wrong)
        for name, heard in self.heard.items():
            for (_, change), (_, following) in pairwise(heard):
                if isinstance(change, LinkUp):
                    assert isinstance(following, Snapshot), f"{name} began with {following!r}"

    def _judge(self, node: NodeState, state: Condition, line: Line, now: float) -> None:
        """Write down where the row shows as new what is not."""
        told = [at for at, change in self.heard[node.name] if not isinstance(change, Dropped)]
        loud = [text for text, tone in line[2:] if text.strip(" ·") and tone not in {"dim", "off"}]
        if state in LIVING and now - told[-1] > self.patience + SLACK_SECONDS:
            self.wrong.append(f"{node.name} is {state}, but was silent for {now - told[-1]:.2f} s: {text_of(line)}")
        if state in LIVING and isinstance(self.heard[node.name][-1][1], LinkDown):
            self.wrong.append(f"{node.name} is {state} without a connection: {text_of(line)}")
        if state == "stale" and not (len(loud) == 1 and re.search(r"\bstale \d|\d \w+ old", loud[0])):
            self.wrong.append(f"{node.name} is stale, and its row says {loud} aloud")


@asynccontextmanager
async def watching(*nodes: NodeConfig, interval: float = INTERVAL_SECONDS) -> AsyncIterator[Watch]:
    """Follow the nodes with links that share their logins."""
    watch, logins = Watch(nodes, interval), Logins()
    links = [asyncio.create_task(Link(node, watch.receive, interval, logins).run()) for node in nodes]
    looking = asyncio.create_task(_look_on(watch))
    try:
        yield watch
        broken = [task.exception() for task in (*links, looking) if task.done()]
        assert not broken, f"a link or a look has ended: {broken}"
        watch.check()
    finally:
        for task in (*links, looking):
            task.cancel()
        await asyncio.gather(*links, looking, return_exceptions=True)


async def _look_on(watch: Watch) -> None:
    while True:
        watch.look()
        await asyncio.sleep(LOOK_SECONDS)


def row(node: NodeState, now: float) -> tuple[Line, str]:
    """The row of a node, and its leading words: why there are no figures, or what stands where its models do."""
    columns = rows.layout({node.name: node}, WIDTH)
    line = rows.row(node, now, columns, WIDTH, selected=False)
    text = text_of(line)
    if condition_of(node, now) in {"down", "connecting"}:
        return line, text.split(node.name, 1)[1].strip()
    return line, text[text_of(rows.heading(columns, WIDTH)).index(columns[-1].title) :].strip()


def _ageless(words: str) -> str:
    """The words without what changes by the mere passing of time."""
    return re.sub(r"\d+", "", words)
