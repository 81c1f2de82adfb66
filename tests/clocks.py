"""The clocks that a sampler looks at, set by the test."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetview_agent.samplers.probing import Watch


@dataclass
class Clock:
    """Time that passes when it is told to, and a wall that goes on while the machine sleeps."""

    now: float = 100.0
    slept: float = 1_700_000_000.0
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(lambda: self.now, lambda: self.now + self.slept)
