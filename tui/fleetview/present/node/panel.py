"""The selected node in a few lines: what it is, its last two minutes, its models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState, condition
from fleetview.present import measures
from fleetview.present.absence import absence, staleness
from fleetview.present.figures import columns, sparkline
from fleetview.present.hints import hint
from fleetview.present.measures import Reading
from fleetview.present.models import brief
from fleetview.present.numbers import age, celsius, count, duration, percent, power, rate, size
from fleetview.present.operations import progress
from fleetview.present.signs import SYMBOLS, dimmed
from fleetview.present.text import DASH, Line, Tone, cut_line, fitting, joined, left, plain, right
from fleetview.present.wrapping import wrapped

if TYPE_CHECKING:
    from fleetview_agent.wire import Failure, Machine, Sample

_LABEL = 8
_NOW = 6
_NOTES = 26
"""Cells for what stands beside a history, where there is room."""
_ROOM_FOR_NOTES = 66


def panel(node: NodeState, now: float, width: int, height: int) -> tuple[Line, ...]:
    """The node in at most `height` lines; the last ones give way first."""
    state = condition(node, now)
    room = width - 2
    lines: list[Line] = [identity(node, now, room)]
    if state in {"down", "connecting"}:
        if node.link != "connecting":  # which its name is followed by
            lines += wrapped(absence(node, now), room)
        if node.heard_at is not None:
            lines.append(((f"last heard {age(now - node.heard_at)} ago", "dim"),))
    else:
        both = measures.has_gpu(node) and height > _ROOMY
        lines += histories(node, room, both=both)
        lines[1:1] = alarm(node, now)
    known = len(lines)
    below = _operations(node, now, room)
    lines += _residents(node, now, max(1, height - len(lines) - len(below)), room)
    lines += below
    if state in {"down", "stale"}:
        old = known if state == "down" else 1
        lines[old:] = [dimmed(line) for line in lines[old:]]
    return tuple(((" ", "plain"), *cut_line(line, room)) for line in lines[:height])


def alarm(node: NodeState, now: float) -> list[Line]:
    """What is wrong with a node that is heard of, in a line; none where nothing is."""
    if not _alarming(node, now):
        return []
    return [(("  ▲ ", "hot"), *joined(tuple(alarms(node))))]


def alarms(node: NodeState) -> Iterator[Line]:
    """What is wrong with its engines, its memory and its models, and by the rules of the fleet file."""
    for backend in node.backends.values():
        if backend.phase == "failed":
            yield ((_failed(backend.backend, backend.failure), "hot"),)
    if measures.pressure(node) == "critical":
        evidence = node.sample.pressure_evidence if node.sample else None
        said = f" ({plain(evidence)})" if evidence else ""
        yield ((f"memory pressure is critical{said}", "hot"),)
    for _, model in node.resident:
        if model.phase == "failed":
            yield ((_failed(model.name, model.failure), "hot"),)
        elif model.phase == "orphaned":
            yield ((f"{plain(model.name)} is orphaned, x ends it", "warm"),)
    yield from (((plain(text), "warm"),) for text in node.alerts)


def _alarming(node: NodeState, now: float) -> bool:
    """Whether something is wrong with a node that is heard of."""
    return measures.alert(node, now) in {"failed", "pressure", "rule"}


def _failed(name: str, failure: Failure | None) -> str:
    """What failed, and why."""
    return f"{plain(name)} failed{f': {plain(failure.reason)}' if failure else ' for an unknown reason'}"


_MOST_OPERATIONS = 2
"""A swap, and what comes to the disk beside it."""
_MORE = 9
"""Cells for saying how many models there are besides."""
_ROOMY = 8
"""Lines from which there is room for the CPU beside the GPU."""


def identity(node: NodeState, now: float, width: int) -> Line:
    """Name, chip, memory, system, engines and uptime."""
    state = condition(node, now)
    parts: list[Line] = [((plain(node.name), "strong"),)]
    if state != "up":
        word = staleness(node, now) if state == "stale" else state
        parts[0] = (*parts[0], (f" {SYMBOLS[state][0]} {word}", SYMBOLS[state][1]))
    if node.machine:
        parts += [((text, "plain"),) for text in machine(node.machine)]
    for backend in node.backends.values():
        if backend.phase == "failed":
            parts.append(((f"{plain(backend.backend)} failed", "hot"),))
        elif backend.phase == "ready":
            parts.append(((" ".join((plain(backend.backend), plain(backend.version or ""))).strip(), "plain"),))
    if node.current and state != "down" and node.sample and node.sample.uptime_seconds is not None:
        parts.append(((f"up {age(node.sample.uptime_seconds)}", "plain"),))
    return fitting(tuple(parts), width)


def machine(about: Machine) -> tuple[str, ...]:
    """What the machine is: chip, cores, GPU where it is none of the chip, memory, system."""
    chip = plain(about.chip or about.gpu or about.hostname).removeprefix("Apple ")
    chip = chip.replace("(R)", "").replace("(TM)", "")
    if about.gpu is not None and about.gpu.startswith("Apple "):
        cores = count(about.gpu_cores, "GPU core") if about.gpu_cores else ""
        return (f"{chip} {cores}".rstrip(), size(about.memory_bytes), plain(about.system))
    gpu = plain(about.gpu or "").removeprefix("NVIDIA ").removeprefix("GeForce ")
    several = f"{about.gpu_count} × " if about.gpu_count > 1 else ""
    gpus = (f"{several}{gpu}",) if gpu and about.chip else ()
    return (f"{chip} {count(about.cpu_cores, 'core')}", *gpus, size(about.memory_bytes), plain(about.system))


@dataclass(frozen=True)
class Curve:
    """One figure over the last two minutes."""

    label: str
    reading: Reading
    top: float
    """What reaches the top of the picture."""
    now: str
    notes: tuple[str, ...] = ()


def histories(node: NodeState, width: int, *, both: bool) -> list[Line]:
    """The last two minutes of processor, memory and tokens per second."""
    sample = node.sample
    if sample is None:
        return [(("  no figures yet", "dim"),)]
    gpu = measures.has_gpu(node)
    drawn = () if sample.power_watts is None else (power(sample, short=True),)
    heat = () if sample.gpu_celsius is None else (celsius(sample.gpu_celsius),)
    curves: list[Curve] = []
    if gpu:
        curves.append(Curve("GPU", lambda one: one.gpu_ratio, 1.0, percent(sample.gpu_ratio), (*heat, *drawn)))
    if both or not gpu:
        curves.append(Curve("CPU", lambda one: one.cpu_ratio, 1.0, percent(sample.cpu_ratio), () if gpu else drawn))
    curves += [_memory(node, sample), _tokens(node, sample)]
    return [history(node, curve, width) for curve in curves]


def _memory(node: NodeState, sample: Sample) -> Curve:
    """The machine's memory, with the GPU's limit and what is swapped out."""
    total = node.machine.memory_bytes if node.machine else 0
    notes = (f"of {size(total)}", f"swap {size(sample.swap_used_bytes)}")
    return Curve("memory", measures.memory_used, total, size(sample.memory_used_bytes), notes)


def _tokens(node: NodeState, sample: Sample) -> Curve:
    """Tokens per second of all models, scaled to their peak."""
    peak = max((value for one in node.samples if (value := measures.tokens_per_second(one)) is not None), default=0.0)
    first = node.served.time_to_first_token_seconds if node.served else None
    notes = (f"peak {rate(peak)}",) if peak else ()
    if first is not None:
        notes = (*notes, f"first {duration(first)}")
    return Curve("tok/s", measures.tokens_per_second, peak, rate(measures.tokens_per_second(sample)), notes)


def history(node: NodeState, curve: Curve, width: int) -> Line:
    """One curve: label, picture, what it is now, and notes where there is room."""
    beside = _NOTES if width >= _ROOM_FOR_NOTES else 0
    room = max(0, width - 2 - _LABEL - _NOW - 3 - beside)
    picture = sparkline(columns(node.samples, curve.reading, room), curve.top)
    tone: Tone = "dim" if curve.now == DASH else "strong"
    label = left(((f"  {curve.label}", "dim"),), _LABEL + 2)
    line = (*label, *right(((picture, "spark"),), room), *right(((curve.now, tone),), _NOW))
    return (*line, ("   ", "plain"), *cut_line((("   ".join(curve.notes), "dim"),), beside)) if beside else line


def _residents(node: NodeState, now: float, room: int, width: int) -> list[Line]:
    """The resident models, one in a line, as far as there is room."""
    if not node.resident:
        return [_nothing(node)] if node.machine else []
    told = _alarming(node, now) and condition(node, now) not in {"down", "connecting"}
    shown = tuple(one for one in node.resident if not (told and one[1].phase == "failed"))
    more = len(shown) - room
    beside = _MORE if more > 0 else 0
    facts = [brief.facts(node, backend, model, now, width - 2 - beside) for backend, model in shown[:room]]
    lines: list[Line] = [(("  ", "plain"), *line) for line in facts]
    if more > 0:
        lines[-1] = (*lines[-1], (f"  +{more} more", "dim"))
    return lines


def _nothing(node: NodeState) -> Line:
    """No model is resident: say what could be done about it."""
    hints = [todo for backend in node.backends.values() if (todo := hint(backend, node.name))]
    if any(backend.models for backend in node.backends.values()):
        asleep = [backend.backend for backend in node.backends.values() if backend.phase == "stopped"]
        start = f"; {plain(', '.join(asleep))} is stopped, a starts it" if asleep else ""
        return ((f"  no model is resident; s loads one{start}", "dim"),)
    return ((f"  no model to load{': ' + plain(hints[0]) if hints else ''}", "dim"),)


def _operations(node: NodeState, now: float, width: int) -> list[Line]:
    """The operations in hand as far as there is room, else the one that ended last."""
    if not node.operations:
        return [(("  ", "plain"), *progress.over(node.last, now))] if node.last else []
    shown = node.operations[:_MOST_OPERATIONS]
    clock = measures.clock_of(node, now)
    return [(("  ", "plain"), *progress.in_hand_in(one, width - 2, clock)) for one in shown]
