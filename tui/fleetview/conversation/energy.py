"""What an answer costs in joules, from the power that its machine drew while it was written. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fleetview_agent.wire import PowerCovers, Sample

_WHOLE: frozenset[PowerCovers] = frozenset({"system", "chip"})
"""What has to be measured: of a GPU alone it is not known what the rest of the machine drew meanwhile."""


@dataclass(frozen=True)
class Energy:
    """The power of a machine since some reading."""

    since: float
    """The last reading that is counted, or was before; by the node's clock."""
    joules: float = 0.0
    seconds: float = 0.0
    """For how long `joules` were drawn."""
    covers: PowerCovers | None = None
    """What was measured."""
    unknown: bool = False
    """Whether a reading had no power, or that of something else."""

    def after(self, samples: Iterable[Sample]) -> Energy:
        """With the readings that are newer; those that are counted already are not counted again."""
        energy = self
        for sample in samples:
            if sample.at > energy.since:
                energy = energy.heard(sample)
        return energy

    def heard(self, sample: Sample) -> Energy:
        """With one more reading."""
        seconds = sample.interval_seconds if sample.interval_seconds is not None else sample.at - self.since
        covers = sample.power_covers
        if sample.power_watts is None or covers not in _WHOLE or covers != (self.covers or covers):
            return replace(self, since=sample.at, unknown=True)
        return replace(
            self,
            since=sample.at,
            joules=self.joules + sample.power_watts * seconds,
            seconds=self.seconds + seconds,
            covers=covers,
        )

    def per_token(self, seconds: float, tokens: int | None) -> float | None:
        """Joules for each of the tokens that took so long; None where that cannot be told."""
        if self.unknown or self.seconds <= 0 or seconds <= 0 or not tokens:
            return None
        return self.joules / self.seconds * seconds / tokens
