"""The two engines of a made-up machine, as fast as its chip and its disk let them be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleetview_agent.backends import Notices
from fleetview_agent.backends.simulated import (
    ENGINE_LOG,
    ENGINE_STATUS,
    Begun,
    Callers,
    Engine,
    SimulatedModel,
)
from fleetview_agent.simulation import catalog, texts
from fleetview_agent.simulation.copying import MadeUpBackend
from fleetview_agent.simulation.machines import Loaded, MachineSpec
from fleetview_agent.simulation.sampler import Doing
from fleetview_agent.wire import Failure, LoadOptions

EFFICIENCY = 0.62
"""Of the memory's bandwidth that engines make use of."""
FASTEST_TOKEN_SECONDS = 1 / 180
READING = 14.0
"""How many times faster a prompt is read than an answer is written."""
BEGIN_SECONDS = 0.8
CACHED_SPEED = 3.2
"""How many times faster a file is read that is in memory still."""
DOWNLOAD_BYTES_PER_SECOND = 95e6
PULL_STEPS = 200


@dataclass(frozen=True)
class Kind:
    """What is the same of one engine on every machine."""

    name: str
    version: str
    supervisor: str


OLLAMA = Kind("ollama", "0.13.5", "launchd (homebrew.mxcl.ollama)")
LLAMACPP = Kind("llamacpp", "0.3.36 (b7310)", "fleetview-agent")


class Engines:
    """The backends of one machine. `now` counts the seconds of the made-up day."""

    def __init__(self, spec: MachineSpec, seed: str, now: Callable[[], float]) -> None:
        self.kinds = tuple(_engine(kind, models, spec, seed, now) for kind, models in _inventories(spec))
        self._backends: tuple[MadeUpBackend, ...] = ()

    def build(self, notices: Notices) -> tuple[MadeUpBackend, ...]:
        """Bring them to life."""
        self._backends = tuple(MadeUpBackend(engine, notices) for engine in self.kinds)
        return self._backends

    def doing(self) -> Doing:
        """What they hold and how busy they are."""
        return Doing(
            sum(backend.memory_bytes for backend in self._backends),
            min(1.0, sum(backend.busy_share for backend in self._backends)),
        )


def callers_of(spec: MachineSpec, seed: str, loaded: Loaded) -> Callers | None:
    """Who asks a model that is in memory from the beginning."""
    if not loaded.clients or loaded.failed:
        return None
    model = catalog.MODELS[loaded.name.partition("/")[2]]
    speed = 1 / _token_seconds(spec, model)
    return Callers(f"{seed}/{spec.name}/{loaded.name}", loaded.clients, speed, READING, loaded.share)


def _inventories(spec: MachineSpec) -> tuple[tuple[Kind, tuple[SimulatedModel, ...]], ...]:
    """The engines and what each has on the disk."""
    return (OLLAMA, _models(spec.ollama)), (LLAMACPP, _models(spec.llamacpp))


def _models(names: Iterable[str]) -> tuple[SimulatedModel, ...]:
    return tuple(catalog.MODELS[name] for name in names)


def _engine(
    kind: Kind, models: tuple[SimulatedModel, ...], spec: MachineSpec, seed: str, now: Callable[[], float]
) -> Engine:
    """One engine of a machine."""
    loaded = {one.name.partition("/")[2]: one for one in spec.loaded if one.name.startswith(f"{kind.name}/")}

    def callers(model: SimulatedModel) -> Callers | None:
        known = loaded.get(model.name, Loaded(f"{kind.name}/{model.name}", clients=("open-webui",), share=0.45))
        return None if model.name in catalog.EMBEDS else callers_of(spec, seed, known)

    return Engine(
        load_seconds=lambda model, is_cold: _load_seconds(spec, model, is_cold=is_cold),
        pull_seconds=lambda model: model.weights_bytes / DOWNLOAD_BYTES_PER_SECOND,
        token_seconds=lambda model: _token_seconds(spec, model),
        name=kind.name,
        version=kind.version,
        supervisor=kind.supervisor,
        models=models,
        registry=catalog.pulled if kind is OLLAMA else lambda _: None,
        registry_hint="there is " + ", ".join(sorted(catalog.OLLAMA)),
        answer=texts.answer,
        callers=callers,
        clock=now,
        begun=tuple(_begun(one) for one in loaded.values()),
        pull_steps=PULL_STEPS,
    )


def _begun(loaded: Loaded) -> Begun:
    """A model that is in memory, or has just failed to be."""
    backend, _, model = loaded.name.partition("/")
    options = LoadOptions(context=loaded.context, keep="forever" if backend == LLAMACPP.name or loaded.pinned else None)
    return Begun(model, options, failure_of(loaded.name) if loaded.failed else None)


def failure_of(target: str) -> Failure:
    """How the load of the damaged file ends."""
    return Failure(reason=f"llama.cpp could not load {target}", exit_status=ENGINE_STATUS, log=ENGINE_LOG)


def _load_seconds(spec: MachineSpec, model: SimulatedModel, *, is_cold: bool) -> float:
    speed = spec.chip.disk_bytes_per_second * (1 if is_cold else CACHED_SPEED)
    return BEGIN_SECONDS + model.weights_bytes / speed


def _token_seconds(spec: MachineSpec, model: SimulatedModel) -> float:
    return max(FASTEST_TOKEN_SECONDS, model.bytes_per_token / (spec.bytes_per_second * EFFICIENCY))
