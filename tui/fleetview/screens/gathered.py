"""The lines of every node's logs, as far as they were told or heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge

from fleetview.fleet import Fleet
from fleetview.present.logs import Entry, Wanted, entry, matches, news, together
from fleetview_agent.wire import LogLine

MOST = 10_000
"""Lines that are kept of a node."""
_SLACK = 1000
"""More that are let be before the oldest leave, since that moves all others."""


class Gathered:
    """Keeps what comes over the streams, and puts what nodes tell of the time before in front of it."""

    def __init__(self) -> None:
        self._entries: dict[str, list[Entry]] = {}
        self._seen: dict[str, LogLine] = {}
        """The last line that was heard of each node."""

    def hear(self, fleet: Fleet) -> tuple[Entry, ...]:
        """What was logged since this was asked last."""
        fresh: list[Entry] = []
        for name, node in fleet.items():
            if node.logged and node.logged[-1] is not self._seen.get(name):
                more = [entry(name, line) for line in news(self._seen.get(name), node.logged)]
                self._seen[name] = node.logged[-1]
                self._entries.setdefault(name, []).extend(more)
                if len(self._entries[name]) > MOST + _SLACK:
                    del self._entries[name][:-MOST]
                fresh += more
        return tuple(sorted(fresh, key=_at))

    def learn(self, name: str, told: Iterable[LogLine]) -> None:
        """What a node tells of its newest lines, of which some were heard already."""
        heard = (one.line for one in self._entries.get(name, ()))
        self._entries[name] = [entry(name, line) for line in together(told, heard)][-MOST:]

    def find(self, wanted: Wanted) -> tuple[Entry, ...]:
        """The lines that are looked for, in the order of time."""
        rows = self._of(wanted.node)
        return tuple(one for one in merge(*rows, key=_at) if matches(one, wanted))

    def count(self, node: str | None) -> int:
        """How many lines there are of one node, or of all."""
        return sum(map(len, self._of(node)))

    def _of(self, node: str | None) -> tuple[Sequence[Entry], ...]:
        return tuple(rows for name, rows in self._entries.items() if node in {None, name})


def _at(one: Entry) -> float:
    return one.line.at
