"""When garbage is looked for: in what is young all the time, in everything only while nobody presses a key."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetview.config import FleetConfig
    from fleetview.fleet import Fleet

YOUNG = (200, 1)
"""New objects, and looks at these, before the next older ones are looked at too. Few: a node's hundred samples are gone
through for each of its states that is looked at, and a key waits for all states of one look."""
NEVER = 1 << 30
"""Looks at the older ones before Python looks at everything by itself, which takes a quarter of a second with the
samples of 256 nodes."""
ALL_SECONDS = 60.0
"""How often we look at everything."""
IDLE_SECONDS = 3.0
"""So long the operator has pressed nothing then."""
LATEST_SECONDS = 600.0
"""After this it is done though keys are pressed."""


class Garbage:
    """Looks for garbage, as a follower of the dashboard."""

    def __init__(self, idle_seconds: Callable[[], float]) -> None:
        self._idle_seconds = idle_seconds
        self._looked_at: float | None = None

    def note(self, _config: FleetConfig, _fleet: Fleet, at: float) -> None:
        """Begin in the first second; what was made until then stays. Later, look at everything while nobody waits."""
        if self._looked_at is None:
            gc.freeze()
            gc.set_threshold(*YOUNG, NEVER)
            gc.enable()
            self._looked_at = at
        waited = at - self._looked_at
        if waited >= LATEST_SECONDS or (waited >= ALL_SECONDS and self._idle_seconds() >= IDLE_SECONDS):
            gc.collect()
            self._looked_at = at
