"""What is expected of the models in memory, so that what other clients do to them is noticed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from fleetview_agent.backends.ollama.answers import Loaded
from fleetview_agent.backends.ollama.processes import Runner
from fleetview_agent.wire import Failure, Keep

GRACE_SECONDS = 6.0
"""Between the end of one runner and the next of the same model, when a client's options reload it: Ollama waits up to
5 s for the memory of a GPU to be free."""
Work = Literal["loading", "unloading"]


@dataclass(frozen=True)
class Place:
    """A resident model with the process that holds it."""

    loaded: Loaded
    runner: Runner | None
    """None before version 0.30, and where it cannot be seen."""

    @property
    def name(self) -> str:
        """Of the model."""
        return self.loaded.name

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self.runner.pid if self.runner else None


@dataclass
class _Known:
    """One model, as it was and as it should be."""

    context: int | None
    pid: int | None
    expires_at: float | None = None
    reload: str | None = None
    kept: bool = False
    """Whether somebody here asked that it stays."""
    was_pinned: bool = False
    """Whether the engine has said so: its list lags a moment behind what it was asked for."""
    lost_pin: bool = False
    gone_at: float | None = None
    failure: Failure | None = None


class Memory:
    """Compares what is there with what was there. Times are seconds since 1970, as the engine's own are."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._works: dict[str, Work] = {}
        self._kept: set[str] = set()
        """To stay, but not seen yet."""

    @property
    def works(self) -> Mapping[str, Work]:
        """Models that we are loading or unloading."""
        return self._works

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way: no work of ours, and no model that is gone and may still come back."""
        return not self._works and all(known.gone_at is None or known.failure for known in self._known.values())

    @contextmanager
    def working(self, model: str, work: Work) -> Iterator[None]:
        """Held while we load or unload a model; what changes about it meanwhile is our own doing."""
        self._works[model] = work
        self.forget(model)
        try:
            yield
        finally:
            self._works.pop(model, None)
            self._known.pop(model, None)

    def keep(self, model: str, keep: Keep | None) -> None:
        """Remember whether somebody here wants it to stay."""
        known = self._known.get(model)
        if keep == "forever":
            self._kept.add(model)
        else:
            self._kept.discard(model)
        if known:
            known.kept, known.was_pinned, known.lost_pin = keep == "forever", False, False

    def forget(self, model: str) -> bool:
        """Expect nothing of a model any more; whether something was."""
        was_kept = model in self._kept
        self._kept.discard(model)
        return self._known.pop(model, None) is not None or was_kept

    def forget_all(self) -> None:
        """Expect nothing of any model: the server was stopped on purpose."""
        self._known.clear()
        self._kept.clear()

    def lose_server(self) -> None:
        """The server does not answer, so nothing is in its memory; what was to stay is still expected."""
        self._known = {name: known for name, known in self._known.items() if known.kept}
        for known in self._known.values():
            known.pid = None

    def pids(self) -> Mapping[int, str]:
        """The process of each model that was seen ready."""
        return {known.pid: name for name, known in self._known.items() if known.pid is not None}

    def see(self, places: Sequence[Place], busy: Collection[str], now: float) -> None:
        """Compare with what was there before. `busy`: models that some runner is loading or letting go."""
        for place in places:
            if place.name in self._works:
                continue
            known = self._known.get(place.name)
            if known is None:
                known = self._known[place.name] = _Known(place.loaded.context, place.pid)
                known.kept = place.name in self._kept
            self._compare(known, place, now)
        present = {place.name for place in places}
        for name in tuple(self._known):
            if name not in present and name not in busy:
                self._miss(name, self._known[name], now)

    def remark(self, model: str) -> tuple[str, ...]:
        """What an operator should know of a model."""
        if (known := self._known.get(model)) is None:
            return ()
        lost = "it was to stay, but another client's keep_alive has given it an end" if known.lost_pin else None
        return tuple(text for text in (known.reload, lost) if text)

    def fallen(self) -> Mapping[str, Failure]:
        """Models that should be in memory and are not: taken out although they were to stay, or without a process."""
        return {name: known.failure for name, known in self._known.items() if known.failure}

    def _compare(self, known: _Known, place: Place, now: float) -> None:
        """Notice a reload, an expiry that somebody else has set, and the end of a process that is still listed."""
        loaded = place.loaded
        if None not in {loaded.context, known.context} and loaded.context != known.context:
            known.reload = (
                f"another client's request reloaded it with a context of {loaded.context} tokens "
                f"instead of {known.context}"
            )
        elif None not in {known.pid, place.pid} and known.pid != place.pid:
            known.reload = "another client's request reloaded it with other options"
        known.pid = place.pid or known.pid
        known.expires_at = loaded.expires_at
        known.was_pinned = known.was_pinned or loaded.forever
        known.lost_pin = known.kept and known.was_pinned and loaded.expires_at is not None and not loaded.forever
        known.failure = None
        known.gone_at = (known.gone_at or now) if known.pid is not None and place.pid is None else None
        if known.gone_at is not None and now - known.gone_at >= GRACE_SECONDS:
            known.failure = Failure(
                reason=f"the process that held {place.name} (pid {known.pid}) has ended, though Ollama still lists it"
            )

    def _miss(self, name: str, known: _Known, now: float) -> None:
        """A model is not there any more: forget it, or say that it should be."""
        known.gone_at = known.gone_at or now
        has_expired = known.expires_at is not None and known.expires_at <= now
        if now - known.gone_at < GRACE_SECONDS and not has_expired:
            return
        known.pid = None
        if not known.kept:
            self._known.pop(name)
        elif known.failure is None:
            known.failure = Failure(
                reason=f"{name} was to stay in memory, but Ollama or one of its clients has taken it out; "
                "load it again, or unload it to accept that"
            )
