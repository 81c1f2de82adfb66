"""What an operator wants of this node: which models should run, and which are pinned."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from fleetview_agent.records.journal import Journal, Wanted
from fleetview_agent.wire import BackendState, LoadOptions

SLACK_SECONDS = 2.0
"""How much earlier than told a model may leave and still have left because its time was over."""


class Wishes:
    """Kept in the journal, so that they outlive the agent. Targets are `BACKEND/MODEL`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._wanted = journal.wanted()
        self._pins = journal.pins()
        self._failures = journal.failures()

    @property
    def pins(self) -> frozenset[str]:
        """Models that no policy may evict."""
        return self._pins

    def options(self, target: str) -> LoadOptions | None:
        """How a model that should run is to be loaded; None for one that should not."""
        wanted = self._wanted.get(target)
        return wanted.options if wanted and wanted.ended_at is None else None

    def running(self, backend: str) -> Mapping[str, LoadOptions]:
        """Models of the backend that should run, the one loaded longest ago first."""
        return {model: wanted.options for model, wanted in self._of(backend).items() if wanted.ended_at is None}

    def last_ran(self, backend: str) -> Mapping[str, LoadOptions]:
        """Models of the backend that should run; where there are none, those that were ended last."""
        if running := self.running(backend):
            return running
        ended = self._of(backend)
        last = max((wanted.ended_at or 0.0 for wanted in ended.values()), default=None)
        return {model: wanted.options for model, wanted in ended.items() if wanted.ended_at == last}

    def came(self, target: str, options: LoadOptions) -> None:
        """The model was loaded, and should run from now on."""
        self._want(target, Wanted(options))
        self.failed(target, 0)

    def placed(self, target: str, options: LoadOptions, *, pinned: bool | None) -> None:
        """The model was loaded, and is pinned from now on, or is not; None: as it was."""
        self.came(target, options)
        if pinned and target not in self._pins:
            self.pin(target)
        elif pinned is False and target in self._pins:
            self.unpin(target)

    def changed(self, target: str, options: LoadOptions) -> None:
        """The model is to be loaded otherwise the next time, if it should run at all."""
        if self.options(target) is not None:
            self._want(target, Wanted(options))

    def stopped(self, targets: Collection[str]) -> None:
        """The models left together, and should no longer run; their pins wait for them."""
        now = time.time()
        for target in targets:
            if (options := self.options(target)) is not None:
                self._want(target, Wanted(options, ended_at=now))

    def left(self, targets: Collection[str]) -> None:
        """An operator let the models leave: they should not run, and are not pinned."""
        self.stopped(targets)
        for target in self._pins.intersection(targets):
            self.unpin(target)

    def failures(self, target: str) -> int:
        """How often in a row the model could not be brought back."""
        return self._failures.get(target, 0)

    def failed(self, target: str, times: int) -> None:
        """It could not be brought back so often in a row; none: it was, or who loads it begins anew."""
        if times != self.failures(target):
            self._journal.count_failures(target, times)
            self._failures = {**self._failures, target: times}

    def pin(self, target: str) -> None:
        """No policy may evict the model."""
        self._journal.pin(target)
        self._pins |= {target}

    def unpin(self, target: str) -> None:
        """The model is like any other."""
        self._journal.unpin(target)
        self._pins -= {target}

    def _want(self, target: str, wanted: Wanted) -> None:
        self._journal.want(target, wanted)
        self._wanted = {**{name: known for name, known in self._wanted.items() if name != target}, target: wanted}

    def _of(self, backend: str) -> dict[str, Wanted]:
        """What is kept of one backend, by the names of its models."""
        prefix = f"{backend}/"
        return {
            target.removeprefix(prefix): wanted for target, wanted in self._wanted.items() if target.startswith(prefix)
        }


def lapsed(former: BackendState, now: BackendState, seconds: float) -> tuple[str, ...]:
    """Models that left between two looks because nobody had asked them for as long as they were kept."""
    if now.phase != "ready":
        return ()
    there = {row.name for row in now.resident}
    return tuple(
        f"{former.backend}/{row.name}"
        for row in former.resident
        if row.name not in there
        and row.phase == "ready"
        and row.expires_in_seconds is not None
        and row.expires_in_seconds <= seconds + SLACK_SECONDS
    )
