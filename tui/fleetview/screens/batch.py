"""One verb for several nodes: they are asked, and what comes of it is followed to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from fleetview.fleet import Fleet
from fleetview.messages import RequestFailed
from fleetview.wishes.batch import Row, Target, asked_again, followed, found_in, over
from fleetview_agent.wire import Operation, Order

JOURNALED = 200
"""How far back a journal is looked through for an operation that ended unheard."""
Operate = Callable[[str, Order], Awaitable[str]]
Ended = Callable[[tuple[Row, ...]], None]
Journal = Callable[[str, int], Awaitable[tuple[Operation, ...]]]


class Batch:
    """One verb for several nodes, asked once and followed from then on."""

    def __init__(self, verb: str, targets: tuple[Target, ...], operate: Operate, journal: Journal) -> None:
        self.verb = verb
        self.rows = tuple(Row(target) for target in targets)
        self.summed: str | None = None
        """What the operator was told of its end; told again where that is no longer so."""
        self.changed: Callable[[], None] = lambda: None
        """Is called when a row is no longer what it was; whoever shows the rows listens here."""
        self.ended: Ended = lambda _: None
        """Is called when nothing more is awaited; whoever has marked the rows listens here."""
        self.watched = False
        """Whether its results are in view."""
        self._operate = operate
        self._journal = journal
        self._searching = False

    @property
    def over(self) -> bool:
        """Whether nothing more is awaited of nodes that can be heard."""
        return over(self.rows)

    @property
    def settled(self) -> bool:
        """Whether everything is known, also of nodes that were lost."""
        return self.over and not any(row.state == "lost" for row in self.rows)

    @property
    def failed(self) -> bool:
        """Whether there is anything to be asked again."""
        return any(row.state == "failed" for row in self.rows)

    @property
    def astray(self) -> bool:
        """Whether an operation ended unheard, so that a journal has to be read."""
        return not self._searching and any(row.astray for row in self.rows)

    def forget_failures(self) -> None:
        """What failed is to be asked again."""
        self.summed = None
        self._become(tuple(asked_again(row) for row in self.rows))

    async def ask(self) -> None:
        """Ask all nodes that were not asked yet, at the same time; those rows of one node in their order."""
        places: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            if row.state == "asked":
                places.setdefault(row.target.node, []).append(place)
        await asyncio.gather(*(self._ask_node(own) for own in places.values()))

    async def _ask_node(self, places: list[int]) -> None:
        """Ask one node for its rows."""
        for place in places:
            target = self.rows[place].target
            if target.request is None:
                continue
            try:
                operation_id = await self._operate(target.node, target.request)
            except RequestFailed as failed:
                self._put(place, replace(self.rows[place], problem=str(failed)))
            else:
                self._put(place, replace(self.rows[place], operation_id=operation_id))

    def follow(self, fleet: Fleet) -> None:
        """The fleet has become this."""
        self._become(tuple(followed(row, fleet) for row in self.rows))

    async def search(self) -> None:
        """Read in the journals how operations ended that nobody heard of."""
        self._searching = True
        for place, row in enumerate(self.rows):
            if not row.astray:
                continue
            try:
                journal = await self._journal(row.target.node, JOURNALED)
            except RequestFailed as failed:
                found = replace(row, lost=str(failed), astray=False)
            else:
                found = found_in(row, journal)
            if self.rows[place].astray:  # otherwise its end was heard of meanwhile
                self._put(place, found)
        self._searching = False

    def _put(self, place: int, row: Row) -> None:
        """Another state of one row."""
        self._become((*self.rows[:place], row, *self.rows[place + 1 :]))

    def _become(self, rows: tuple[Row, ...]) -> None:
        """Tell whoever looks that rows have changed."""
        if rows != self.rows:
            self.rows = rows
            self.changed()
