"""Makes one reading out of what each GPU tells by itself; for every maker's GPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from fleetview_agent.samplers.limits import FASTEST_RPM, LIMITS, MOST_WATTS
from fleetview_agent.samplers.probing import Reading
from fleetview_agent.wire import Gpu


@dataclass(frozen=True)
class GpuIdentity:
    """What of the GPUs stays as it is."""

    name: str
    """Of those of which there are most."""
    count: int = 1
    """How many of that name."""
    cores: int | None = None
    unified: bool = False
    """Whether their memory is the machine's."""


@dataclass(frozen=True)
class GpuFigures:
    """What one GPU tells, or one of the instances into which it is divided."""

    name: str
    values: Mapping[str, float]
    """By the field names of `Gpu`, and besides them `hertz` and `fan_rpm`; what is not known is not in it."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Figure that is not in `values` → why."""
    instances: tuple[GpuFigures, ...] = ()
    """Memory is then theirs alone; all else is still that of the whole GPU."""
    limit_inferred: bool = False
    """Whether `memory_limit_bytes` is concluded from the size of the machine's memory."""


@dataclass(frozen=True)
class _Rule:
    """How one figure of several GPUs becomes one of the machine."""

    fields: tuple[str, ...]
    """Of `Sample`."""
    join: Callable[[Iterable[float]], object]
    whole: bool
    """Whether it means nothing unless every GPU tells it, as with a sum."""


RULES: Mapping[str, _Rule] = {
    "ratio": _Rule(("gpu_ratio",), fmean, whole=False),
    "memory_used_bytes": _Rule(("gpu_memory_used_bytes",), sum, whole=True),
    "memory_limit_bytes": _Rule(("gpu_memory_limit_bytes",), sum, whole=True),
    "celsius": _Rule(("gpu_celsius",), max, whole=False),
    "hertz": _Rule(("gpu_hertz",), max, whole=False),
    "watts": _Rule(("gpu_watts", "power_watts"), sum, whole=True),
    "fan_rpm": _Rule(("fans_rpm",), tuple, whole=False),
}
"""Figure → what becomes of it."""
FIELDS = tuple(name for rule in RULES.values() for name in rule.fields)
"""All fields of `Sample` that may come of it, besides those that stand beside another."""
MEMORY = ("memory_used_bytes", "memory_limit_bytes")


def combined(gpus: Sequence[GpuFigures]) -> Reading:
    """The mean of how busy they are, the highest temperature and clock, the sums of memory and power."""
    boards = tuple(map(_possible, gpus))
    rows = tuple(row for board in boards for row in (board.instances or (board,)))
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for name, rule in RULES.items():
        told_by = rows if name in MEMORY else boards
        told = [one.values[name] for one in told_by if name in one.values]
        if told and (len(told) == len(told_by) or not rule.whole):
            values |= dict.fromkeys(rule.fields, rule.join(told))
        else:
            reasons |= dict.fromkeys(rule.fields, _why(name, told_by))
    if "power_watts" in values:
        values["power_covers"] = "gpu"
    if "gpu_memory_limit_bytes" in values:
        values["gpu_memory_limit_inferred"] = any(board.limit_inferred for board in boards)
    if rows != boards or len(rows) > 1:
        values["gpus"] = tuple(map(_row, rows))
    return Reading(values, reasons)


def _possible(figures: GpuFigures) -> GpuFigures:
    """The same without what cannot be: one absurd figure would spoil the sum of all."""
    values: dict[str, float] = {}
    reasons = dict(figures.reasons)
    for name, value in figures.values.items():
        low, high = LIMITS.get(RULES[name].fields[0], (0, FASTEST_RPM))
        if low <= value <= (MOST_WATTS if name == "watts" else high):
            values[name] = value
        else:
            reasons[name] = f"its driver said {value!r:.40}, which cannot be"
    return GpuFigures(
        figures.name, values, reasons, tuple(map(_possible, figures.instances)), limit_inferred=figures.limit_inferred
    )


def _why(name: str, told_by: Sequence[GpuFigures]) -> str:
    """Why a figure is not there; which GPU it is that does not tell, where others do."""
    silent = [one for one in told_by if name not in one.values]
    named = len(silent) < len(told_by)
    why = ((f"{one.name}: " if named else "") + one.reasons.get(name, "it is not told") for one in silent)
    return "; ".join(dict.fromkeys(why)) or "no GPU was found"


def _row(figures: GpuFigures) -> Gpu:
    """As it travels."""
    told = {name: value for name, value in figures.values.items() if name in Gpu.model_fields}
    reasons = {name: why for name, why in figures.reasons.items() if name in Gpu.model_fields}
    return Gpu.model_validate({"name": figures.name, **told, "reasons": reasons})
