"""One reading of a machine as text, for people at a terminal of the node."""

from __future__ import annotations

from fleetview_agent.wire import Machine, Sample

GIB = 1 << 30


def describe(machine: Machine, sample: Sample) -> str:
    """A line per figure with its source, or with the reason why there is none."""
    lines = [f"{machine.hostname}: {machine.chip or 'unknown chip'}, {machine.system}"]
    for field in Sample.model_fields:
        if field in {"at", "interval_seconds", "reasons", "traffic"}:
            continue
        value = getattr(sample, field)
        known = machine.sources.get(field, "") if value is not None else sample.reasons.get(field, "not read here")
        lines.append(f"  {_name(field):<22} {_figure(field, value):>12}  {known}".rstrip())
    return "\n".join(lines)


def _name(field: str) -> str:
    """The field without its unit."""
    for unit in ("_bytes_per_second", "_bytes", "_ratio", "_celsius", "_watts", "_seconds"):
        field = field.removesuffix(unit)
    return field.replace("_", " ")


def _figure(field: str, value: object) -> str:
    """The value with its unit."""
    match value:
        case None:
            return "–"
        case int() | float() if field.endswith("_ratio"):
            return f"{value:.0%}"
        case int() | float() if field.endswith("_bytes_per_second"):
            return f"{value / (1 << 20):.1f} MiB/s"
        case int() | float() if field.endswith("_bytes"):
            return f"{value / GIB:.2f} GiB"
        case int() | float() if field.endswith("_celsius"):
            return f"{value:.0f} °C"
        case int() | float() if field.endswith("_watts"):
            return f"{value:.1f} W"
        case int() | float() if field.endswith("_seconds"):
            return f"{value / 3600:.1f} h"
        case _:
            return str(value)
