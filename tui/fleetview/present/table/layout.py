"""Which columns fit into a pane, and how wide each of them is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fleetview.fleet import Fleet
from fleetview.present import measures
from fleetview.present.table import cells
from fleetview.present.table.column import Column, Frame
from fleetview.present.table.columns import COLUMNS
from fleetview.present.text import plain, width_of

LEAD = 2
"""Cells before the first column: the selection's mark and the symbol. The cell after them holds the mark."""
_MINI, _NARROW, _USUAL, _WIDE, _VERY_WIDE = 50, 60, 72, 110, 150
_HIGHEST = 4
"""The level of columns that no width alone brings."""


@dataclass(frozen=True)
class Choice:
    """What the operator wants to see of the columns."""

    names: tuple[str, ...] = ()
    """Those of the fleet file; empty: what suits the width."""
    wide: bool = False
    """Whether every further column is wanted, as far as there is room."""


@dataclass(frozen=True)
class Placed:
    """A column where it stands."""

    column: Column
    width: int
    gap: int
    """Empty cells before it."""
    bars: bool

    @property
    def title(self) -> str:
        """What stands over it, where there is room."""
        return self.column.title

    @property
    def numeric(self) -> bool:
        """Whether it stands on the right."""
        return self.column.align == "right" or (self.column.align == "numbers" and not self.bars)


def layout(fleet: Fleet, width: int, choice: Choice = Choice()) -> tuple[Placed, ...]:
    """The columns that fit into `width` cells; the least important give way, the elastic one takes what is left."""
    frame = _frame(fleet, width, choice)
    known = [node for node in fleet.values() if node.machine]
    cpu_only = bool(known) and not any(measures.has_gpu(node) for node in known)
    parts = any(measures.has_power_of_parts(node) for node in known)
    columns = [_suited(column, cpu_only=cpu_only, parts=parts) for column in _chosen(width, choice)]
    if cpu_only and not choice.names:
        columns = [column for column in columns if column.name != "cpu"]
    columns = _fitting(columns, frame)
    left = _room(frame) - _taken(columns, frame)
    return tuple(
        Placed(
            column,
            max(1, column.cells(frame) + (left if column.elastic else 0)),
            _gap(column, frame),
            bool(frame.gauge),
        )
        for column in columns
    )


def _chosen(width: int, choice: Choice) -> Iterable[Column]:
    """The columns that are wanted, in the order in which they are wanted; the name is always the first."""
    level = _HIGHEST if choice.wide else sum(width >= limit for limit in (_MINI, _WIDE, _VERY_WIDE))
    named = [COLUMNS[name] for name in ("name", *choice.names) if name in COLUMNS] if choice.names else []
    usual = [column for column in COLUMNS.values() if column.level <= level and column.from_width <= width]
    return dict.fromkeys((*named, *usual) if choice.wide or not named else named)


def _fitting(columns: list[Column], frame: Frame) -> list[Column]:
    """As many of the columns as there is room for, the most important first; the first of all stays anyway."""
    kept = columns[:1]
    for column in sorted(columns[1:], key=lambda column: column.importance):
        if _taken((*kept, column), frame) <= _room(frame):
            kept.append(column)
    return [column for column in columns if column in kept]


def _suited(column: Column, *, cpu_only: bool, parts: bool) -> Column:
    """The column as it suits the fleet: the CPU where no node has a GPU; watts alone where they say it all."""
    if column.name == "gpu" and cpu_only:
        return replace(column, title="CPU", cell=cells.cpu)
    if column.name == "power" and not parts:
        return replace(column, cells=lambda _: cells.WATTS, align="right")
    return column


def _frame(fleet: Fleet, width: int, choice: Choice) -> Frame:
    """What the columns have in common at this width."""
    longest = max((width_of(((plain(name), "plain"),)) for name in fleet), default=4)
    return Frame(width, _gauge(width, choice), width >= _WIDE, longest, 16 if width >= _VERY_WIDE else 12)


def _gauge(width: int, choice: Choice) -> int:
    """Cells for a bar; further columns are worth more than long bars."""
    if choice.wide:
        return 8 if width >= _WIDE else 0
    return 0 if width < _NARROW else 4 if width < _USUAL else 8 if width < _WIDE else 12


def margin(width: int) -> int:
    """Cells that keep rows clear of the right edge, where there are enough of them."""
    return int(width >= _NARROW)


def _room(frame: Frame) -> int:
    """Cells that the columns may take."""
    return frame.width - margin(frame.width)


def _gap(column: Column, frame: Frame) -> int:
    """Empty cells before a column."""
    return 2 if column.apart and frame.width >= _NARROW else 1


def _taken(columns: Iterable[Column], frame: Frame) -> int:
    """Cells that the columns need at least, with what stands before them."""
    return LEAD + sum(_gap(column, frame) + column.cells(frame) for column in columns)
