"""The table of nodes: which columns fit, and what stands in a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetview.fleet import Condition, Fleet, NodeState, condition
from fleetview.present import measures, models
from fleetview.present.absence import absence_in, staleness
from fleetview.present.figures import bar
from fleetview.present.numbers import age, celsius, percent, rate, size, watts
from fleetview.present.text import DASH, SEPARATOR, Line, Span, Tone, cut, left, plain, right, width_of

SYMBOLS: dict[Condition, Span] = {
    "up": ("●", "good"),
    "busy": ("◐", "accent"),
    "degraded": ("!", "hot"),
    "stale": ("◌", "warm"),
    "down": ("○", "hot"),
    "connecting": ("…", "dim"),
}
PRESSURES: dict[str | None, tuple[str, Tone]] = {
    "normal": ("normal", "dim"),
    "warning": ("warning", "warm"),
    "critical": ("critical", "hot"),
    None: (DASH, "dim"),
}
_SHORT = {"normal": "·", "warning": "!", "critical": "!!", DASH: DASH}
_BARS: dict[Tone, Tone] = {"warm": "bar-warm", "hot": "bar-hot"}
_NARROW, _WIDE, _VERY_WIDE = 60, 110, 150
_FEWEST = 2
"""Columns that stay however narrow the pane is."""
_MODEL = 10
"""Cells that the model gets at least, or its neighbours leave."""

Cell = Callable[[NodeState, float, int], Line]


@dataclass(frozen=True)
class Column:
    """One column: what stands over it, how wide it is, and what stands in it."""

    title: str
    width: int
    cell: Cell
    numeric: bool = False
    gap: int = 1
    """Empty cells before it."""


def layout(fleet: Fleet, width: int) -> tuple[Column, ...]:
    """The columns that fit into `width` cells, the last one as wide as there is room."""
    wide, widest, gauge = width >= _WIDE, width >= _VERY_WIDE, _gauge(width)
    gap = 1 if width < _NARROW else 2
    longest = max((width_of(((plain(name), "plain"),)) for name in fleet), default=4)
    known = [node for node in fleet.values() if node.machine]
    cpu_only = bool(known) and not any(measures.has_gpu(node) for node in known)
    choice: tuple[tuple[bool, Column], ...] = (
        (True, Column("NODE", max(4, min(longest, 28 if wide else 16)), _name)),
        (cpu_only, Column("CPU", gauge + 5 if gauge else 4, _cpu, not gauge)),
        (not cpu_only, Column("GPU", gauge + 5 if gauge else 4, _gpu, not gauge)),
        (widest and not cpu_only, Column("CPU", 4, _cpu_number, numeric=True, gap=2)),
        (True, Column("MEMORY FREE" if gauge else "FREE", gauge + 6 if gauge else 5, _memory, not gauge, gap)),
        (True, Column("PRESSURE" if wide else "P", 8 if wide else 2, _pressure, gap=gap)),
        (widest, Column("SWAP", 5, _swap, numeric=True)),
        (widest, Column("TEMP", 6, _celsius, numeric=True)),
        (wide, Column("POWER", 6, _watts, numeric=True)),
        (widest, Column("UP", 6, _uptime, numeric=True)),
        (True, Column("TOK/S", 6 if gauge else 5, _tokens, numeric=True)),
    )
    columns = [column for fits, column in choice if fits]
    while len(columns) > _FEWEST and width - _taken(columns) - gap < _MODEL:
        columns.pop()
    columns.append(Column("MODEL", max(1, width - _taken(columns) - gap - 1), models.cell, gap=gap))
    return tuple(columns)


def _gauge(width: int) -> int:
    """How wide the bars are."""
    return 0 if width < _NARROW else 8 if width < _WIDE else 12 if width < _VERY_WIDE else 20


def _taken(columns: list[Column]) -> int:
    """Cells that the symbol and the columns take together."""
    return _LEAD + sum(column.gap + column.width for column in columns)


_LEAD = 2
"""The selection's mark and the symbol."""


def heading(columns: tuple[Column, ...], width: int) -> Line:
    """What stands over the columns."""
    line: list[Span] = [(" " * _LEAD, "heading")]
    for column in columns:
        align = right if column.numeric else left
        line += [(" " * column.gap, "heading"), *align(((cut(column.title, column.width), "heading"),), column.width)]
    return left(tuple(line), width)


def row(node: NodeState, now: float, columns: tuple[Column, ...], width: int, *, selected: bool) -> Line:
    """One node; where its figures are not known, the reason takes their place."""
    state = condition(node, now)
    line: list[Span] = [("▸" if selected else " ", "accent"), SYMBOLS[state]]
    if state in {"down", "connecting"}:
        first = columns[0]
        room = width - _LEAD - first.gap * 2 - first.width
        line += [(" ", "plain"), *left(_name(node, now, first.width), first.width), (" ", "plain")]
        return left((*line, *absence_in(node, now, room)), width)
    old = state == "stale"
    for column in columns:
        cell = dimmed(column.cell(node, now, column.width)) if old else column.cell(node, now, column.width)
        if old and column is columns[-1]:
            cell = ((f"{staleness(node, now)}{SEPARATOR}", "warm"), *cell)
        align = right if column.numeric else left
        line += [(" " * column.gap, "plain"), *align(cell, column.width)]
    return left(tuple(line), width)


def ages(node: NodeState, then: float, now: float) -> bool:
    """Whether the node's row may say something else now, though nothing was heard."""
    return condition(node, now) != "up" or condition(node, then) != "up" or bool(node.ended)


def dimmed(line: Line) -> Line:
    """The line in the tone of what is old."""
    return tuple((text, "dim") for text, _ in line)


def _name(node: NodeState, _now: float, width: int) -> Line:
    return ((cut(plain(node.name), width), "strong"),)


def _gpu(node: NodeState, now: float, width: int) -> Line:
    """The GPU's load; of a machine without one, the CPU's, named so."""
    if measures.has_gpu(node):
        ratio = node.sample.gpu_ratio if node.sample else None
        return _gauged(ratio, percent(ratio), 4, width, "bar")
    label = "cpu "
    if width < len(label) + 4:
        return ((DASH, "dim"),)
    return ((label, "dim"), *_cpu(node, now, width - len(label)))


def _cpu(node: NodeState, _now: float, width: int) -> Line:
    ratio = node.sample.cpu_ratio if node.sample else None
    return _gauged(ratio, percent(ratio), 4, width, "bar")


def _cpu_number(node: NodeState, _now: float, _width: int) -> Line:
    return _figure(percent(node.sample.cpu_ratio if node.sample else None))


def _memory(node: NodeState, _now: float, width: int) -> Line:
    ratio, free = measures.memory_ratio(node), measures.memory_free(node)
    tone = PRESSURES[measures.pressure(node)][1]
    return _gauged(ratio, size(free), 5, width, _BARS.get(tone, "bar"))


def _gauged(ratio: float | None, number: str, digits: int, width: int, tone: Tone) -> Line:
    """A bar as wide as there is room, and the number beside it."""
    figure = right(_figure(number), digits)
    room = width - digits - 1
    return (*bar(ratio, room, tone), (" ", "plain"), *figure) if room > 0 else figure


def _pressure(node: NodeState, _now: float, width: int) -> Line:
    word, tone = PRESSURES[measures.pressure(node)]
    return ((word if width >= len(word) else _SHORT[word], tone),)


def _tokens(node: NodeState, _now: float, _width: int) -> Line:
    tokens = measures.tokens_per_second(node.sample) if node.sample else None
    return _figure(rate(tokens), "strong" if tokens else "dim")


def _watts(node: NodeState, _now: float, _width: int) -> Line:
    return _figure(watts(node.sample.power_watts if node.sample else None))


def _celsius(node: NodeState, _now: float, _width: int) -> Line:
    return _figure(celsius(node.sample.gpu_celsius if node.sample else None))


def _swap(node: NodeState, _now: float, _width: int) -> Line:
    swap = node.sample.swap_used_bytes if node.sample else None
    return _figure(size(swap), "plain" if swap else "dim")


def _uptime(node: NodeState, _now: float, _width: int) -> Line:
    uptime = node.sample.uptime_seconds if node.sample else None
    return _figure(DASH if uptime is None else age(uptime))


def _figure(text: str, tone: Tone = "plain") -> Line:
    """A number; a dash is quiet."""
    return ((text, "dim" if text == DASH else tone),)
