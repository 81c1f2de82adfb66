"""What a load is expected to take before it is done: bytes and seconds, and how sure that is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from fleetview_agent.gguf import Header
from fleetview_agent.needs import PROCESS_BYTES, LoadSettings, Need
from fleetview_agent.wire import BackendState, Confidence, LoadRequest, ModelFile, SwapRequest

Number = TypeVar("Number", int, float)
SURENESS: tuple[Confidence, ...] = ("unknown", "computed", "measured")
"""From the least to the most."""


@dataclass(frozen=True)
class Estimate:
    """What a model takes in memory, as far as that is known; the parts in bytes."""

    weights_bytes: int
    total_bytes: int | None = None
    """None where the weights alone are known."""
    cache_bytes: int | None = None
    compute_bytes: int | None = None
    other_bytes: int | None = None
    confidence: Confidence = "unknown"

    @property
    def least_bytes(self) -> int:
        """What it takes at least."""
        return self.weights_bytes if self.total_bytes is None else self.total_bytes


@dataclass(frozen=True)
class Forecast:
    """One model that is to be loaded, and what is known of that."""

    load: LoadRequest | SwapRequest
    state: BackendState
    file: ModelFile
    estimate: Estimate
    context: int | None = None
    """Tokens that it gets."""
    header: Header | None = None
    settings: LoadSettings | None = None
    """None where the backend cannot tell how it would load the model."""
    is_laid_out: bool = False
    """Whether the engine itself was asked what the load would take."""
    unusable: str | None = None
    """What the engine had to say against the file when it was asked."""
    seconds: float | None = None
    """Load and first token."""
    is_cold: bool | None = None
    """Whether the file must be read from the disk; None where that cannot be known."""

    @property
    def target(self) -> str:
        """BACKEND/MODEL."""
        return f"{self.load.backend}/{self.load.model}"

    def off_by(self, ratio: float) -> Forecast:
        """The same, had a formula been wrong by so much; what was measured or laid out stays."""
        estimate = self.estimate
        if self.is_laid_out or estimate.confidence != "computed" or estimate.total_bytes is None:
            return self
        return replace(self, estimate=replace(estimate, total_bytes=int(estimate.total_bytes * ratio)))


def computed(need: Need) -> Estimate:
    """By the formulas, or as the engine lays it out itself."""
    known = need.weights_bytes + need.cache_bytes + need.compute_bytes
    return Estimate(
        weights_bytes=need.weights_bytes,
        total_bytes=need.total_bytes,
        cache_bytes=need.cache_bytes,
        compute_bytes=need.compute_bytes,
        other_bytes=need.total_bytes - known,
        confidence="computed",
    )


def measured(memory_bytes: int, weights_bytes: int, settings: LoadSettings | None, need: Need | None) -> Estimate:
    """By what the engine told after such a load; of the parts, `need` tells those that do not have to be measured.

    Engines count their buffers alone: the process around them and old prompts, which are kept later, come on top.
    """
    process = need.process_bytes if need else PROCESS_BYTES
    prompts = settings.prompt_cache_bytes if settings else 0
    total = memory_bytes + process + prompts
    if need is None:
        return Estimate(min(weights_bytes, memory_bytes), total, confidence="measured")
    other = need.state_bytes + need.projector_bytes + process + prompts
    compute = total - need.weights_bytes - need.cache_bytes - other
    if compute < 0:  # the engine leaves a part out, as Ollama does with one of the two caches of sliding windows
        return computed(need)
    return Estimate(need.weights_bytes, total, need.cache_bytes, compute, other, confidence="measured")


def together(estimates: Iterable[Estimate]) -> Estimate:
    """What several models take that come with one operation; no surer than the least sure of them."""
    all_of_them = tuple(estimates)
    return Estimate(
        weights_bytes=sum(one.weights_bytes for one in all_of_them),
        total_bytes=add_up(one.total_bytes for one in all_of_them),
        cache_bytes=add_up(one.cache_bytes for one in all_of_them),
        compute_bytes=add_up(one.compute_bytes for one in all_of_them),
        other_bytes=add_up(one.other_bytes for one in all_of_them),
        confidence=least_sure(one.confidence for one in all_of_them),
    )


def add_up(numbers: Iterable[Number | None]) -> Number | None:
    """The sum; None where one of them is not known."""
    all_of_them = tuple(numbers)
    known = [number for number in all_of_them if number is not None]
    return sum(known) if len(known) == len(all_of_them) else None


def least_sure(confidences: Iterable[Confidence]) -> Confidence:
    """What can be said of all of them together."""
    return min(confidences, key=SURENESS.index)
