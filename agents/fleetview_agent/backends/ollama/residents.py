"""What is in memory: the server's own list, beside the processes that hold the models."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from fleetview_agent.backends.ollama.answers import Loaded
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.figures import Figures
from fleetview_agent.backends.ollama.looks import Looks, Sight
from fleetview_agent.backends.ollama.memory import Memory, Place
from fleetview_agent.backends.ollama.names import canonical
from fleetview_agent.backends.ollama.processes import Runner, Server
from fleetview_agent.wire import ResidentModel

Names = Mapping[str, tuple[str, ...]]
"""File name of each blob → the models that are made of it."""


@dataclass(frozen=True)
class Seen:
    """What is in memory just now."""

    sight: Sight
    places: tuple[Place, ...] = ()
    further: tuple[Runner, ...] = ()
    """Runners of models that the server does not list: on their way into memory, or out of it."""

    def find(self, model: str) -> Place | None:
        """The resident model of that name."""
        return next((place for place in self.places if canonical(place.name) == canonical(model)), None)

    def holds(self, sight: Sight) -> bool:
        """Whether the processes say that nothing has come or gone since; not where they cannot tell."""
        are_known = sight.server is not None and all(place.runner for place in self.places)
        return are_known and not self.further and _alive(sight) == _alive(self.sight)


class Residents:
    """Brings both lists together, and tells each model's row."""

    def __init__(self, api: OllamaApi, looks: Looks, memory: Memory, names: Callable[[], Names]) -> None:
        self._api = api
        self._looks = looks
        self._memory = memory
        self._names = names

    async def look(self, *, afresh: bool = False) -> Seen:
        """What is in memory. Raises the errors of the server."""
        loaded = await self._api.resident()
        sight = await self._looks.look(afresh=afresh)
        seen = paired(loaded, sight, self._names())
        if seen.further or any(place.runner is None for place in seen.places):
            # The look may be older than the list; what they disagree about deserves another one.
            seen = paired(loaded, await self._looks.look(afresh=True), self._names())
        busy = {name for runner in seen.further for name in names_of(runner, self._names())}
        self._memory.see(seen.places, busy, time.time())
        return seen

    def rows(self, seen: Seen, figures: Figures) -> tuple[ResidentModel, ...]:
        """What is to be shown, each model once."""
        works, names, left = self._memory.works, self._names(), self._memory.pids()
        rows: dict[str, ResidentModel] = {}
        for place in seen.places:
            rows[place.name] = self._row(place, figures)
        for runner in seen.further:
            name = left.get(runner.pid) or _named(runner, names, works)
            is_leaving = runner.pid in left or works.get(name) == "unloading"
            rows.setdefault(name, _process_row(runner, name, "unloading" if is_leaving else "loading"))
        for name, work in works.items():
            if work == "loading":
                rows[name] = rows.get(name, ResidentModel(name=name, phase="loading")).model_copy(
                    update={"phase": "loading"}
                )
        for name, failure in self._memory.fallen().items():
            rows[name] = ResidentModel(name=name, phase="failed", failure=failure)
        return (*rows.values(), *orphan_rows(seen.sight, names))

    def _row(self, place: Place, figures: Figures) -> ResidentModel:
        """A model that the server lists."""
        loaded, name = place.loaded, place.name
        is_ready = name not in self._memory.works
        remarks = (*self._memory.remark(name), *_partly_on_cpu(loaded))
        return ResidentModel(
            name=name,
            phase=self._memory.works.get(name, "ready"),
            memory_bytes=loaded.size_bytes,
            gpu_memory_bytes=loaded.gpu_bytes,
            context=loaded.context,
            quantization=loaded.quantization,
            expires_in_seconds=_left(loaded),
            idle_seconds=figures.idle_seconds(name) if is_ready else None,
            time_to_first_token_seconds=figures.time_to_first_token(name),
            pid=place.pid,
            remark="; ".join(remarks) or None,
        )


def paired(loaded: Sequence[Loaded], sight: Sight, names: Names) -> Seen:
    """Each model of the server's list with its runner."""
    free = sorted(sight.runners, key=lambda runner: runner.created_at, reverse=True)
    found: dict[str, Runner] = {}
    for model in loaded:
        fitting = [runner for runner in free if model.name in names_of(runner, names)]
        # While a model is reloaded, the runner before it may still be there.
        fitting.sort(key=lambda runner: runner.context != model.context)
        if fitting:
            found[model.name] = fitting[0]
            free.remove(fitting[0])
    strangers = [model for model in loaded if model.name not in found]
    unknown = [runner for runner in free if not names_of(runner, names)]
    if len(strangers) == len(unknown) == 1:  # its manifest cannot be read, but there is no other choice
        found[strangers[0].name] = unknown[0]
        free.remove(unknown[0])
    return Seen(sight, tuple(Place(model, found.get(model.name)) for model in loaded), tuple(free))


def _alive(sight: Sight) -> tuple[Server | None, frozenset[tuple[int, float]], frozenset[tuple[int, float]]]:
    """Which processes there are, whatever they hold."""
    runners, orphans = (
        frozenset((one.pid, one.created_at) for one in group) for group in (sight.runners, sight.orphans)
    )
    return sight.server, runners, orphans


def names_of(runner: Runner, names: Names) -> tuple[str, ...]:
    """The models that a runner could be holding: several may be made of one file."""
    return names.get(PurePath(runner.model).name) or names.get(runner.model, ())


def orphan_rows(sight: Sight, names: Names) -> tuple[ResidentModel, ...]:
    """Processes that outlived their server."""
    remark = "its server is gone, so nobody can ask it; unloading it ends the process"
    return tuple(
        _process_row(runner, f"{_named(runner, names, {})}#{runner.pid}", "orphaned", remark)
        for runner in sight.orphans
    )


def _named(runner: Runner, names: Names, preferred: Mapping[str, object]) -> str:
    """One name for what a runner holds."""
    known = names_of(runner, names)
    one = next((name for name in known if name in preferred), None) or next(iter(sorted(known)), None)
    return one or PurePath(runner.model).name.removeprefix("sha256-")[:12]


def _process_row(
    runner: Runner, name: str, phase: Literal["loading", "unloading", "orphaned"], remark: str | None = None
) -> ResidentModel:
    """What a process tells by itself."""
    return ResidentModel(
        name=name,
        phase=phase,
        memory_bytes=runner.memory_bytes,
        context=runner.context,
        pid=runner.pid,
        remark=remark,
    )


def _left(loaded: Loaded) -> float | None:
    """Seconds until it leaves; None where it stays."""
    if loaded.forever or loaded.expires_at is None:
        return None
    return max(0.0, loaded.expires_at - time.time())


def _partly_on_cpu(loaded: Loaded) -> tuple[str, ...]:
    """What is to be said of a model that the GPU could not hold."""
    if not loaded.gpu_bytes or loaded.gpu_bytes >= loaded.size_bytes:
        return ()
    share = 100 - 100 * loaded.gpu_bytes // loaded.size_bytes
    return (f"{share} % of it is on the CPU, because the GPU had no room for more",)
