"""Everything about one node, as lines: figures, models, engines, operations, and where the figures come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetview.fleet import NodeState, condition
from fleetview.present import measures, operations
from fleetview.present.absence import absence
from fleetview.present.engines import backends, residents
from fleetview.present.figures import columns, sparkline
from fleetview.present.measures import Reading
from fleetview.present.numbers import age, celsius, percent, rate, size, watts
from fleetview.present.panel import identity
from fleetview.present.remarks import remarks
from fleetview.present.rows import PRESSURES
from fleetview.present.text import DASH, Line, Tone, cut_line, joined, left, plain, right
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import Machine, Sample

_LABEL = 13
_FIGURE = 8
_EMPTY: Line = ()


@dataclass(frozen=True)
class Curve:
    """One figure over the last two minutes."""

    label: str
    field: str
    """Of `Sample`, for its reason and its source."""
    reading: Reading
    word: str
    """How its values are written: one of `_WORDS`."""
    top: float | None = None
    """What reaches the top of the picture; None: its highest value."""


_WORDS: dict[str, Callable[[float | None], str]] = {
    "percent": percent,
    "size": size,
    "watts": watts,
    "celsius": celsius,
    "rate": rate,
    "flow": lambda value: DASH if value is None else f"{size(value)}/s",
}


def detail(node: NodeState, now: float, width: int) -> tuple[Line, ...]:
    """All sections, one below the other."""
    room = width - 4
    sections = (
        _state(node, now, width - 2),
        _histories(node, room),
        _operations(node, now),
        residents(node, now, room),
        backends(node, room),
        _sources(node),
    )
    lines = [line for section in sections if section for line in (*section, _EMPTY)]
    return tuple(((" ", "plain"), *cut_line(line, width - 2)) if line else _EMPTY for line in lines[:-1])


def _state(node: NodeState, now: float, width: int) -> tuple[Line, ...]:
    """What it is, why there is no connection, and what is odd about its agent."""
    lines: list[Line] = [identity(node, now, width)]
    away = condition(node, now) in {"down", "connecting"}
    if away:
        lines += wrapped(absence(node, now), width)
    if node.heard_at is not None and (away or not node.current):
        lines.append(((f"last heard {age(now - node.heard_at)} ago; what follows is as it was then", "dim"),))
    for remark in remarks(node):
        lines += wrapped(((plain(remark), "warm"),), width)
    if node.machine:
        lines.append(_account(node.machine))
    if node.sample and node.sample.pressure:
        word, tone = PRESSURES[node.sample.pressure]
        evidence = plain(node.sample.pressure_evidence or "")
        lines.append(joined(((("memory pressure ", "dim"), (word, tone)), ((evidence, "dim"),) if evidence else ())))
    return tuple(lines)


def _account(machine: Machine) -> Line:
    """Where the agent runs."""
    where = f"{plain(machine.user)}@{plain(machine.hostname)}"
    gpu = plain(machine.gpu) if machine.gpu else "no GPU that can be seen"
    texts = (where, f"{machine.cpu_cores} CPU cores", gpu, f"agent {plain(machine.agent_version)}")
    parts: list[Line] = [((text, "dim"),) for text in texts]
    if machine.simulated:
        parts.append((("simulated", "accent"),))
    return joined(tuple(parts))


def _curves(node: NodeState) -> tuple[Curve, ...]:
    """The figures that have a history."""
    memory = node.machine.memory_bytes if node.machine else None
    limit = node.sample.gpu_memory_limit_bytes if node.sample else None
    return (
        Curve("GPU", "gpu_ratio", lambda one: one.gpu_ratio, "percent", 1.0),
        Curve("CPU", "cpu_ratio", lambda one: one.cpu_ratio, "percent", 1.0),
        Curve("memory", "memory_used_bytes", lambda one: one.memory_used_bytes, "size", memory),
        Curve("GPU memory", "gpu_memory_used_bytes", lambda one: one.gpu_memory_used_bytes, "size", limit),
        Curve("swapping", "swap_bytes_per_second", lambda one: one.swap_bytes_per_second, "flow"),
        Curve("GPU heat", "gpu_celsius", lambda one: one.gpu_celsius, "celsius", 110.0),
        Curve("power", "power_watts", lambda one: one.power_watts, "watts"),
        Curve("tokens/s", "traffic", measures.tokens_per_second, "rate"),
    )


def _histories(node: NodeState, width: int) -> tuple[Line, ...]:
    """Two minutes of every figure that is known, and why the others are not."""
    if not node.samples:
        return ((("no figures yet", "dim"),),)
    room = max(0, width - _LABEL - 3 * _FIGURE)
    head: Line = (
        *left((("last 2 minutes", "heading"),), _LABEL + room),
        *(span for word in ("now", "low", "high") for span in right(((word, "heading"),), _FIGURE)),
    )
    lines, unknown = [head], []
    for curve in _curves(node):
        values = [value for one in node.samples if (value := curve.reading(one)) is not None]
        if values:
            lines.append(_history(node.samples, curve, values, room))
        else:
            unknown.append(curve)
    return (*lines, *_unknown(node.samples[-1], unknown))


def _history(samples: tuple[Sample, ...], curve: Curve, values: list[float], room: int) -> Line:
    """Label, picture, and the figures now, lowest and highest."""
    word = _WORDS[curve.word]
    picture = sparkline(columns(samples, curve.reading, room - 1), curve.top or max(values))
    figures = (word(curve.reading(samples[-1])), word(min(values)), word(max(values)))
    tones: tuple[Tone, ...] = ("strong", "dim", "dim")
    numbers = (span for text, tone in zip(figures, tones, strict=True) for span in right(((text, tone),), _FIGURE))
    return (*left(((f"  {curve.label}", "dim"),), _LABEL), *left(((picture.rjust(room - 1), "spark"),), room), *numbers)


def _unknown(sample: Sample, curves: list[Curve]) -> tuple[Line, ...]:
    """Figures that cannot be read, each with the reason."""
    labels: dict[str, list[str]] = {}
    for curve in curves:
        if curve.field != "traffic":
            labels.setdefault(plain(sample.reasons.get(curve.field, "no reason is known")), []).append(curve.label)
    return tuple(((f"  {', '.join(names)}  {DASH}  ", "dim"), (reason, "dim")) for reason, names in labels.items())


def _operations(node: NodeState, now: float) -> tuple[Line, ...]:
    """Operations in hand with their phases, and the one that ended last."""
    lines: list[Line] = []
    for operation in node.operations:
        lines.append((("  ", "plain"), *operations.in_hand(operation)))
        step = operation.transfer.step if operation.transfer else None
        if step:
            lines.append(((f"    {plain(step)}", "dim"),))
        if len(operation.phases) > 1:
            lines.append((("    ", "plain"), *operations.times(operation)))
    if node.last:
        lines.append((("  ", "plain"), *operations.over(node.last, now)))
        if len(node.last.operation.phases) > 1:
            lines.append((("    ", "plain"), *operations.times(node.last.operation)))
    return ((("operations", "heading"),), *lines) if lines else ()


def _sources(node: NodeState) -> tuple[Line, ...]:
    """Where each figure is read."""
    if not node.machine or not node.machine.sources:
        return ()
    lines = tuple(
        (*left(((f"  {plain(field)}", "dim"),), 30), (plain(source), "plain"))
        for field, source in node.machine.sources.items()
    )
    return ((("sources", "heading"),), *lines)
