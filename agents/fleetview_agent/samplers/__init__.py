"""Samplers read the counters of a machine; `detect` is the only look at the platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path
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


MAC_LIBRARY = "FLEETVIEW_MAC_LIBRARY"
"""Names a library that stands in for every framework of macOS: for trying the Mac's sampler where there is no Mac."""


def detect(choice: Literal["detect", "simulated"] = "detect") -> Sampler:
    """The sampler for this machine, or a made-up one. Raises ConfigError where there is none."""
    # Each is imported only where it serves: another platform's would not even import.
    if choice == "simulated":
        from fleetview_agent.samplers.simulated import SimulatedSampler

        return SimulatedSampler()
    library = os.environ.get(MAC_LIBRARY)
    platform: str = "darwin" if library else sys.platform  # a plain text, so that every branch is checked everywhere
    match platform:
        case "linux":
            from fleetview_agent.samplers.linux import build_sampler as build_linux

            return build_linux()
        case "darwin":
            from fleetview_agent.samplers.macos import build_sampler as build_macos

            return build_macos(Path(library) if library else None)
        case _:
            raise ConfigError(
                f"fleetview-agent cannot read a machine that runs {platform}", "it runs on macOS and on Linux"
            )
