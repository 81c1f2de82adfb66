"""Samplers read the counters of a machine; `detect` is the only look at the platform."""

from __future__ import annotations

from typing import Protocol

from fleetview_agent.wire import Machine, Sample


class Sampler(Protocol):
    """Reads the counters of this machine; blocking, called from one thread only."""

    @property
    def machine(self) -> Machine:
        """What does not change: chip, cores, memory."""
        ...

    def read(self) -> Sample:
        """What happened since the previous read; `traffic` is left empty."""
        ...

    def close(self) -> None:
        """Let go of whatever was opened."""
        ...
