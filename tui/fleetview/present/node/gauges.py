"""What a node's figures are now, in words, and why some are not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState
from fleetview.present.node.readings import absent_of_gpus, missed
from fleetview.present.numbers import celsius, hertz, percent, power, size, watts
from fleetview.present.signs import PRESSURES
from fleetview.present.text import DASH, Line, Span, Tone, left, plain
from fleetview.present.wrapping import flowing, wrapped

if TYPE_CHECKING:
    from fleetview_agent.wire import Gpu, Sample, ThermalState

_LABEL = 13
_THERMAL: Mapping[ThermalState, Tone] = {
    "nominal": "dim",
    "moderate": "warm",
    "heavy": "hot",
    "trapping": "hot",
    "sleeping": "hot",
}


def gauges(node: NodeState, width: int) -> tuple[Line, ...]:
    """Memory, power and heat in a line each, and every GPU where there are several."""
    if (sample := node.sample) is None:
        return ()
    rows: tuple[tuple[str, Iterable[Span]], ...] = (
        ("memory", _memory(sample)),
        ("GPU memory", _gpu_memory(sample)),
        ("power", _power(sample)),
        ("heat", _heat(sample)),
    )
    lines = [line for label, parts in rows for line in _row(label, tuple(parts), width)]
    for number, gpu in enumerate(sample.gpus):
        lines += _row(f"GPU {number}", tuple(_gpu(gpu)), width)
    return (*lines, *unknown(absent_of_gpus(sample), width))


def not_drawn(node: NodeState, width: int) -> tuple[Line, ...]:
    """Why there is no chart of a figure."""
    return () if node.sample is None else unknown(missed(node.sample), width)


def unknown(groups: Mapping[str, tuple[str, ...]], width: int) -> tuple[Line, ...]:
    """Figures that cannot be read, those of one reason together."""
    return tuple(
        ((" " * 2, "plain"), *line)
        for reason, names in groups.items()
        for line in wrapped(((f"{', '.join(names)}  {DASH}  {plain(reason)}", "dim"),), width - 2)
    )


def _row(label: str, parts: tuple[Span, ...], width: int) -> tuple[Line, ...]:
    """A label and what is known of it, in as many lines as that takes; none where nothing is."""
    if not parts:
        return ()
    told = flowing(tuple((part,) for part in parts), width - _LABEL, 0)
    labels = (f"  {label}", *[""] * (len(told) - 1))
    return tuple((*left(((name, "dim"),), _LABEL), *line) for name, line in zip(labels, told, strict=True))


def _memory(sample: Sample) -> Iterable[Span]:
    """How hard it is pressed, by what evidence, and what is swapped out."""
    if sample.pressure is not None:
        word, tone = PRESSURES[sample.pressure]
        yield f"pressure {word}", "plain" if tone == "dim" else tone
    if sample.pressure_evidence:
        yield plain(sample.pressure_evidence), "dim"
    if sample.swap_used_bytes is not None:
        yield f"swap {size(sample.swap_used_bytes)}", "plain"


def _gpu_memory(sample: Sample) -> Iterable[Span]:
    """In use, asked for, and the most that there can be."""
    if sample.gpu_memory_used_bytes is not None:
        yield f"{size(sample.gpu_memory_used_bytes)} in use", "plain"
    if sample.gpu_memory_allocated_bytes is not None:
        yield f"{size(sample.gpu_memory_allocated_bytes)} allocated", "plain"
    if sample.gpu_memory_limit_bytes is not None:
        about = "about " if sample.gpu_memory_limit_inferred else ""
        yield f"limit {about}{size(sample.gpu_memory_limit_bytes)}", "plain"


def _power(sample: Sample) -> Iterable[Span]:
    """What the machine draws, what the GPU does, and how fast that is clocked."""
    if sample.power_watts is not None:
        yield power(sample), "plain"
    if sample.gpu_watts is not None and sample.power_covers != "gpu":
        yield f"GPU {watts(sample.gpu_watts)}", "plain"
    if sample.gpu_hertz is not None:
        yield f"GPU at {hertz(sample.gpu_hertz)}", "plain"


def _heat(sample: Sample) -> Iterable[Span]:
    """How hot it is, whether that holds it back, and what the fans do."""
    if sample.gpu_celsius is not None:
        yield f"GPU {celsius(sample.gpu_celsius)}", "plain"
    if sample.cpu_celsius is not None:
        yield f"CPU {celsius(sample.cpu_celsius)}", "plain"
    if sample.thermal_state is not None:
        held_back = "" if sample.thermal_state == "nominal" else ", so it is held back"
        yield f"thermal state {sample.thermal_state}{held_back}", _THERMAL[sample.thermal_state]
    if sample.fans_rpm is not None:
        yield _fans(sample.fans_rpm), "plain"


def _fans(rpm: tuple[float, ...]) -> str:
    """How fast they turn."""
    if not rpm:
        return "no fans"
    if not any(rpm):
        return "fan stands still" if len(rpm) == 1 else "fans stand still"
    return f"{'fan' if len(rpm) == 1 else 'fans'} {', '.join(f'{one:.0f}' for one in rpm)} rpm"


def _gpu(gpu: Gpu) -> Iterable[Span]:
    """One of several."""
    yield plain(gpu.name), "strong"
    if gpu.ratio is not None:
        yield percent(gpu.ratio), "plain"
    if gpu.memory_used_bytes is not None:
        yield f"{size(gpu.memory_used_bytes)} of {size(gpu.memory_limit_bytes)}", "plain"
    if gpu.celsius is not None:
        yield celsius(gpu.celsius), "plain"
    if gpu.watts is not None:
        yield watts(gpu.watts), "plain"
