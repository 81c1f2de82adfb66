"""Samplers read the counters of a machine; `detect` is the only look at the platform."""

from __future__ import annotations

import sys
from typing import Literal, Protocol

from fleetview_agent.errors import ConfigError
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


def detect(choice: Literal["detect", "simulated"] = "detect") -> Sampler:
    """The sampler for this machine, or a made-up one. Raises ConfigError where there is none."""
    # Each is imported only where it serves: another platform's would not even import.
    if choice == "simulated":
        from fleetview_agent.samplers.simulated import SimulatedSampler

        return SimulatedSampler()
    platform: str = sys.platform  # a plain text, so that every branch is checked on every platform
    match platform:
        case "linux":
            from fleetview_agent.samplers.linux import LinuxSampler

            return LinuxSampler()
        case "darwin":
            from fleetview_agent.samplers.portable import PortableSampler

            return PortableSampler()
        case _:
            raise ConfigError(
                f"fleetview-agent cannot read a machine that runs {platform}", "it runs on macOS and on Linux"
            )
