"""All that the rows of a screen were asked for together, followed whether or not anybody looks."""

from __future__ import annotations

from functools import partial
from typing import Literal

from fleetview.present.operations.bulk import summary
from fleetview.screens.batch import Batch, Ended
from fleetview.screens.following import FollowingScreen
from fleetview.screens.results import Results
from fleetview.wishes.batch import Target


class Batches:
    """All that the rows of a screen were asked for together; the screen says when the fleet has changed."""

    def __init__(self, screen: FollowingScreen) -> None:
        self._screen = screen
        self._batches: tuple[Batch, ...] = ()
        """Those that are not over yet."""

    def start(self, action: str, targets: tuple[Target, ...], ended: Ended) -> None:
        """Ask the nodes, and show what comes of it; `ended` is told once it is over."""
        desk = self._screen.desk
        verb = next((target.request.verb for target in targets if target.request), action)
        batch = Batch(verb, targets, desk.operate, desk.journal)
        batch.ended = ended
        self._screen.app.push_screen(Results(f"{verb.capitalize()}: results", batch, partial(self._again, batch)))
        self._run(batch)

    def _again(self, batch: Batch) -> None:
        """Ask the nodes that failed once more."""
        batch.forget_failures()
        self._run(batch)

    def _run(self, batch: Batch) -> None:
        """Ask, and follow from now on."""
        self._batches = (*(one for one in self._batches if one is not batch), batch)
        self._screen.run_worker(self._ask(batch), group="batches")

    async def _ask(self, batch: Batch) -> None:
        """What ended before its id was known is seen here."""
        await batch.ask()
        self.follow()

    async def _search(self, batch: Batch) -> None:
        """What is found may be the end."""
        await batch.search()
        self.follow()

    def follow(self) -> None:
        """See what has come of each, and say so once it is over."""
        for batch in self._batches:
            batch.follow(self._screen.fleet)
            if batch.astray:
                self._screen.run_worker(self._search(batch), group="batches")
            if batch.over and batch.summed != (told := summary(batch.verb, batch.rows)):
                batch.summed = told
                batch.ended(batch.rows)
                severity: Literal["warning", "information"] = "warning" if batch.failed else "information"
                if not batch.watched:
                    self._screen.app.notify(told, severity=severity, markup=False)
        self._batches = tuple(batch for batch in self._batches if not batch.settled)
