"""One reading of a machine for people and programs at a terminal of the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleetview_agent.samplers.probing import COMPANIONS
from fleetview_agent.wire import Gpu, Machine, Sample

NO_FIGURES = frozenset({"at", "interval_seconds", "sources", "reasons", "traffic"})
FIGURES = tuple(field for field in Sample.model_fields if field not in NO_FIGURES)
"""The fields of a sample that say something of the machine."""
NOT_READ = "nothing reads it on this machine"
NOT_COMPARED = "there is no reading before it that it could be compared with"
UNNAMED = "its source has no name"
NAMES: Mapping[str, str] = {
    "cpu_ratio": "cpu busy",
    "cpu_celsius": "cpu temperature",
    "swap_bytes_per_second": "swap rate",
    "gpu_ratio": "gpu busy",
    "gpu_memory_used_bytes": "gpu memory in use",
    "gpu_celsius": "gpu temperature",
    "gpu_hertz": "gpu clock",
    "gpu_watts": "gpu power",
    "power_watts": "power",
    "fans_rpm": "fans",
    "ratio": "busy",
    "celsius": "temperature",
    "watts": "power",
}
"""Field → what people call it, where that is not its name without the unit."""
UNITS: Mapping[str, Callable[[float], str]] = {
    "_bytes_per_second": lambda value: f"{value / (1 << 20):.1f} MiB/s",
    "_bytes": lambda value: f"{value / (1 << 30):.2f}G",
    "_seconds": lambda value: f"{value / 86_400:.1f} days",
    "ratio": lambda value: f"{value:.0%}",
    "celsius": lambda value: f"{value:.0f} °C",
    "hertz": lambda value: f"{value / 1e6:.0f} MHz",
    "watts": lambda value: f"{value:.1f} W",
    "_inferred": lambda value: "yes" if value else "no",
}
"""How the name of a field ends → how its values are told."""


def complete(machine: Machine, sample: Sample) -> Sample:
    """The same sample with the source of every value and the reason of every null, so that it stands by itself."""
    known = {**machine.sources, **sample.sources}
    sources: dict[str, str] = {}
    reasons = dict(sample.reasons)
    if sample.interval_seconds is None:
        reasons.setdefault("interval_seconds", NOT_COMPARED)
    for field in FIGURES:
        value, mains = getattr(sample, field), sorted(COMPANIONS.get(field, ()))
        if value is None:
            reasons[field] = next((reasons[name] for name in (field, *mains) if name in reasons), NOT_READ)
        elif value or not mains:  # no rows for single GPUs, and no limit that is inferred, are no figures
            sources[field] = next((known[name] for name in (field, *mains) if name in known), UNNAMED)
    return sample.model_copy(update={"sources": sources, "reasons": reasons})


def describe(machine: Machine, sample: Sample) -> str:
    """A line per figure with its source, or with the reason why there is none."""
    told = complete(machine, sample)
    lines = [f"{machine.hostname}: {machine.chip or 'unknown chip'}, {machine.system}"]
    for field in FIGURES:
        if field not in COMPANIONS:
            known = told.reasons[field] if getattr(told, field) is None else told.sources[field]
            evidence = f": {told.pressure_evidence}" if field == "pressure" and told.pressure_evidence else ""
            lines.append(f"  {name_of(field):<20} {figure_of(told, field):>20}  {known}{evidence}")
    lines += [f"  {_one_of_several(gpu)}" for gpu in told.gpus]
    return "\n".join(lines)


def name_of(field: str) -> str:
    """What people call a figure: the field without its unit, where that tells it apart."""
    return NAMES.get(field) or field.removesuffix("_bytes").removesuffix("_seconds").replace("_", " ")


def figure_of(sample: Sample, field: str) -> str:
    """A value with its unit, and with what belongs to it."""
    if field == "gpus":
        return "; ".join(map(_one_of_several, sample.gpus))
    value = _figure(field, getattr(sample, field))
    match field:
        case "gpu_memory_limit_bytes" if sample.gpu_memory_limit_inferred:
            return f"about {value}"
        case "power_watts" if sample.power_covers is not None:
            return f"{value} ({sample.power_covers})"
        case _:
            return value


def _one_of_several(gpu: Gpu) -> str:
    """A GPU's own figures."""
    told = (f"{name_of(field)} {_figure(field, value)}" for field, value in gpu if isinstance(value, int | float))
    return f"{gpu.name}: {', '.join(told) or 'no figures'}"


def _figure(field: str, value: object) -> str:
    """The value with its unit."""
    match value:
        case None:
            return "–"
        case tuple():
            return ", ".join(f"{rpm:.0f}" for rpm in value) + " rpm" if value else "none"
        case int() | float():
            unit = next(unit for unit in UNITS if field.endswith(unit))
            return UNITS[unit](value)
        case _:
            return str(value)
