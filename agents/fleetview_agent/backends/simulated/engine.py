"""What a simulated backend pretends to be: a plain engine, or one of a made-up machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fleetview_agent import __version__
from fleetview_agent.backends.simulated.callers import Callers
from fleetview_agent.backends.simulated.models import MODELS, SimulatedModel
from fleetview_agent.config import SimulatedConfig
from fleetview_agent.wire import Failure, LoadOptions

REGISTRY = "sim-"
"""Every name that begins so can be pulled by the plain engine."""
PULL_STEPS = 20


@dataclass(frozen=True)
class Answer:
    """What a model says."""

    text: str
    thinking: str = ""
    """What it says to itself before."""


@dataclass(frozen=True)
class Begun:
    """A model that is in memory from the beginning."""

    model: str
    options: LoadOptions = field(default_factory=LoadOptions)
    failure: Failure | None = None
    """Why it has fallen out of memory already."""


@dataclass(frozen=True)
class Engine:
    """Everything that makes one simulated backend another."""

    load_seconds: Callable[[SimulatedModel, bool], float]
    """How long a load of a model takes, and whether its file must be read from the disk."""
    pull_seconds: Callable[[SimulatedModel], float]
    token_seconds: Callable[[SimulatedModel], float]
    """How long one token of an answer takes."""
    name: str = "simulated"
    version: str = __version__
    supervisor: str = "fleetview-agent"
    models: tuple[SimulatedModel, ...] = MODELS
    registry: Callable[[str], SimulatedModel | None] = lambda _: None
    """A model that could be pulled, by its name."""
    registry_hint: str = f"every name there begins with {REGISTRY}"
    answer: Callable[[str, str], Answer] = lambda _, prompt: Answer(prompt)
    """Model and prompt → what is said; by itself, what was said last."""
    callers: Callable[[SimulatedModel], Callers | None] = lambda _: None
    """Who else asks a model; by itself, nobody."""
    clock: Callable[[], float] = time.monotonic
    """By which they come."""
    begun: tuple[Begun, ...] = ()
    pull_steps: int = PULL_STEPS


def plain_engine(config: SimulatedConfig) -> Engine:
    """The engine of the settings file: every load, pull and token takes the same time."""
    return Engine(
        load_seconds=lambda _model, _is_cold: config.load_seconds,
        pull_seconds=lambda _model: config.load_seconds,
        token_seconds=lambda _model: 1 / config.tokens_per_second,
        registry=lambda name: replace(MODELS[0], name=name) if name.startswith(REGISTRY) else None,
    )
