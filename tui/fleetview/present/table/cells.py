"""What stands in a row of the table of nodes, column by column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState, condition
from fleetview.present import measures
from fleetview.present.figures import bar, columns, sparkline
from fleetview.present.measures import Reading
from fleetview.present.numbers import age, celsius, percent, power, rate, size, watts
from fleetview.present.signs import PRESSURES, SYMBOLS
from fleetview.present.text import DASH, Line, Tone, cut, plain, right, width_of

if TYPE_CHECKING:
    from fleetview_agent.wire import Sample, ThermalState

Cell = Callable[[NodeState, float, int], Line]
"""A node, the time, and the cells that there are → what stands in them, or in fewer."""

_SHORT = {"normal": "·", "warning": "!", "critical": "!!", DASH: DASH}
_BARS: Mapping[Tone, Tone] = {"warm": "bar-warm", "hot": "bar-hot"}
_HEAT: Mapping[ThermalState, Tone] = {
    "nominal": "dim",
    "moderate": "warm",
    "heavy": "hot",
    "trapping": "hot",
    "sleeping": "hot",
}
WATTS = 6
"""Cells for power with its unit."""


def name(node: NodeState, _now: float, width: int) -> Line:
    """What the operator calls it."""
    return ((abbreviated(plain(node.name), width), "strong"),)


def abbreviated(text: str, width: int) -> str:
    """A name in at most `width` cells; `worker-primary` is `w-primary` before anything is cut off."""
    if width_of(((text, "plain"),)) <= width:
        return text
    *ahead, last = re.split("[-_.]", text)
    short = "-".join((*(part[:1] for part in ahead), last))
    return cut(short if len(short) <= width else text, width)


def role(node: NodeState, _now: float, width: int) -> Line:
    """What the fleet file says it is for."""
    return _word(node.role, width)


def state(node: NodeState, now: float, _width: int) -> Line:
    """What its symbol says, as a word."""
    word = condition(node, now)
    return ((word, "dim" if word == "up" else SYMBOLS[word][1]),)


def gpu(node: NodeState, now: float, width: int) -> Line:
    """The GPU's load; of a machine without one, the CPU's, named so."""
    if measures.has_gpu(node):
        ratio = node.sample.gpu_ratio if node.sample else None
        return _gauged(ratio, percent(ratio), 4, width, "bar")
    label = "cpu "
    if width < len(label) + 4:
        return ((DASH, "dim"),)
    return ((label, "dim"), *cpu(node, now, width - len(label)))


def cpu(node: NodeState, _now: float, width: int) -> Line:
    """The CPU's load on a bar."""
    ratio = node.sample.cpu_ratio if node.sample else None
    return _gauged(ratio, percent(ratio), 4, width, "bar")


def cpu_number(node: NodeState, _now: float, _width: int) -> Line:
    """The CPU's load."""
    return _figure(percent(node.sample.cpu_ratio if node.sample else None))


def memory(node: NodeState, _now: float, width: int) -> Line:
    """What is taken of the room for models on a bar, and what is free."""
    ratio, free = measures.memory_ratio(node), measures.memory_free(node)
    tone = PRESSURES[measures.pressure(node)][1]
    return _gauged(ratio, size(free), 5, width, _BARS.get(tone, "bar"))


def pressure(node: NodeState, _now: float, width: int) -> Line:
    """How hard memory is pressed, as a word where there is room."""
    word, tone = PRESSURES[measures.pressure(node)]
    return ((word if width >= len(word) else _SHORT[word], tone),)


def swap(node: NodeState, _now: float, _width: int) -> Line:
    """What is swapped out."""
    used = node.sample.swap_used_bytes if node.sample else None
    return _figure(size(used), "plain" if used else "dim")


def swap_rate(node: NodeState, _now: float, _width: int) -> Line:
    """What goes into and out of swap."""
    moved = node.sample.swap_bytes_per_second if node.sample else None
    text = DASH if moved is None else "0" if not moved else f"{size(moved)}/s"
    return _figure(text, "warm" if moved else "dim")


def drawn(node: NodeState, _now: float, width: int) -> Line:
    """Watts, and of what where that is not the whole machine."""
    if node.sample is None or node.sample.power_watts is None:
        return right(_figure(DASH), min(width, WATTS))
    number = watts(node.sample.power_watts)
    covers = power(node.sample, short=True).removeprefix(number)
    return (*right(_figure(number), min(width, WATTS)), (covers, "dim"))


def temperature(node: NodeState, _now: float, _width: int) -> Line:
    """How hot the GPU is."""
    return _figure(celsius(node.sample.gpu_celsius if node.sample else None))


def thermal(node: NodeState, _now: float, _width: int) -> Line:
    """How much heat holds it back."""
    word = node.sample.thermal_state if node.sample else None
    return ((word, _HEAT[word]),) if word else ((DASH, "dim"),)


def uptime(node: NodeState, _now: float, _width: int) -> Line:
    """How long the machine has been running."""
    seconds = node.sample.uptime_seconds if node.sample else None
    return _figure(DASH if seconds is None else age(seconds))


def tokens(node: NodeState, _now: float, _width: int) -> Line:
    """What its models generate together."""
    generated = measures.tokens_per_second(node.sample) if node.sample else None
    return _figure(rate(generated), "strong" if generated else "dim")


def in_flight(node: NodeState, _now: float, _width: int) -> Line:
    """Requests being answered."""
    return _amount(measures.in_flight(node) if node.sample else None)


def queued(node: NodeState, _now: float, _width: int) -> Line:
    """Requests that wait for their turn."""
    return _amount(measures.waiting(node) if node.sample else None, "warm")


def resident(node: NodeState, _now: float, _width: int) -> Line:
    """How many models can answer, of how many that are there."""
    there = sum(len(backend.models) for backend in node.backends.values())
    return ((f"{len(node.ready)}", "plain"), (f" of {there}", "dim")) if node.machine else ((DASH, "dim"),)


def version(node: NodeState, _now: float, width: int) -> Line:
    """Which agent it runs."""
    return _word(node.machine.agent_version if node.machine else None, width)


def heard(node: NodeState, now: float, _width: int) -> Line:
    """How old its figures are."""
    return _figure(DASH if node.heard_at is None else age(now - node.heard_at), "dim")


def gpu_history(node: NodeState, _now: float, width: int) -> Line:
    """Two minutes of the GPU's load; of a machine without one, of the CPU's."""
    return _history(node, _gpu_load if measures.has_gpu(node) else _cpu_load, 1.0, width)


def memory_history(node: NodeState, _now: float, width: int) -> Line:
    """Two minutes of the memory in use."""
    return _history(node, measures.memory_used, node.machine.memory_bytes if node.machine else 0, width)


def tokens_history(node: NodeState, _now: float, width: int) -> Line:
    """Two minutes of tokens per second, scaled to their peak."""
    values = columns(node.samples, measures.tokens_per_second, width)
    return ((sparkline(values, max((value for value in values if value), default=0.0)), "spark"),)


def _gpu_load(sample: Sample) -> float | None:
    return sample.gpu_ratio


def _cpu_load(sample: Sample) -> float | None:
    return sample.cpu_ratio


def _history(node: NodeState, reading: Reading, top: float, width: int) -> Line:
    """The last two minutes of a figure, newest last."""
    return ((sparkline(columns(node.samples, reading, width), top), "spark"),)


def _gauged(ratio: float | None, number: str, digits: int, width: int, tone: Tone) -> Line:
    """A bar as wide as there is room, and the number beside it."""
    figure = right(_figure(number), digits)
    room = width - digits - 1
    return (*bar(ratio, room, tone), (" ", "plain"), *figure) if room > 0 else figure


def _figure(text: str, tone: Tone = "plain") -> Line:
    """A number; a dash is quiet."""
    return ((text, "dim" if text == DASH else tone),)


def _amount(number: int | None, tone: Tone = "plain") -> Line:
    """How many; none of them is quiet."""
    return _figure(DASH if number is None else str(number), tone if number else "dim")


def _word(text: str | None, width: int) -> Line:
    """A word from elsewhere."""
    return ((cut(plain(text), width), "plain"),) if text else ((DASH, "dim"),)
