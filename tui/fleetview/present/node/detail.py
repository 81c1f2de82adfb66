"""Everything about one node, as sections of lines: what is hot first, what hardly ever changes last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleetview.fleet import NodeState, condition
from fleetview.present.absence import absence
from fleetview.present.measures import clock_of
from fleetview.present.node.account import account
from fleetview.present.node.charts import beside, charts, column_width
from fleetview.present.node.curves import LIVE, Past
from fleetview.present.node.engines import backends
from fleetview.present.node.gauges import gauges, not_drawn, unknown
from fleetview.present.node.panel import alarms, identity
from fleetview.present.node.processes import UNASKED, Holders, processes
from fleetview.present.node.readings import lacking, sources
from fleetview.present.node.remarks import remarks
from fleetview.present.node.residents import residents
from fleetview.present.node.source_table import source_table
from fleetview.present.numbers import age
from fleetview.present.operations import progress
from fleetview.present.signs import dimmed
from fleetview.present.text import Line, cut_line, plain
from fleetview.present.wrapping import flowing, wrapped

_EMPTY: Line = ()
Section = tuple[Line, ...]


@dataclass(frozen=True)
class Asked:
    """What is told besides the node's state."""

    past: Past = LIVE
    holders: Holders = UNASKED
    is_sourced: bool = False
    """Whether every figure is told by itself, with its source."""
    source_key: str = ""
    """What to press for that."""
    is_whole: bool = True
    """Whether it ends with what hardly ever changes: processes, machine and sources."""


def sections(node: NodeState, now: float, width: int, asked: Asked) -> tuple[Section, ...]:
    """The parts of the description that have something to say, each in lines of `width` cells at most."""
    room = width - 4
    column = column_width(room)
    below = _below_the_charts(node, now, column, asked)
    parts = (
        _state(node, now, width - 2),
        _in_hand(node, now, room),
        (*charts(node, asked.past, room), *(() if asked.is_sourced else not_drawn(node, room))),
        *(below if column == room else (_in_columns(below, column),)),
    )
    first, *others = (
        tuple(((" ", "plain"), *cut_line(line, width - 2)) if line else _EMPTY for line in part)
        for part in parts
        if part
    )
    if condition(node, now) in {"down", "stale"}:
        others = [(part[0], *(dimmed(line) for line in part[1:])) for part in others]
    return (first, *others)


def _below_the_charts(node: NodeState, now: float, width: int, asked: Asked) -> tuple[Section, ...]:
    """What is told in words; at its end stands what hardly ever changes."""
    settled = (
        processes(node, asked.holders, width) if node.machine else (),
        _machine(node, width),
        () if asked.is_sourced else _sources(node, width, asked.source_key),
    )
    return (
        source_table(node, width) if asked.is_sourced else (),
        residents(node, now, width) if node.machine else (),
        _last(node, now),
        () if asked.is_sourced else _figures(node, width),
        backends(node, width),
        *(settled if asked.is_whole else ()),
    )


def _in_columns(parts: Iterable[Section], width: int) -> Section:
    """The sections in two columns that are about as high, in the order in which they are read."""
    told = [part for part in parts if part]
    splits = ((page(told[:at])[0], page(told[at:])[0]) for at in range(1, len(told) + 1))
    first, second = min(splits, key=lambda pair: max(map(len, pair)), default=((), ()))
    height = max(len(first), len(second))
    return beside(_filled(first, height), _filled(second, height), width)


def _filled(lines: tuple[Line, ...], height: int) -> tuple[Line, ...]:
    """The lines, and empty ones below them."""
    return (*lines, *(_EMPTY,) * (height - len(lines)))


def page(parts: Iterable[Section]) -> tuple[tuple[Line, ...], tuple[int, ...]]:
    """The sections one below the other, and the lines at which they begin."""
    lines: list[Line] = []
    starts: list[int] = []
    for part in parts:
        if lines:
            lines.append(_EMPTY)
        starts.append(len(lines))
        lines += part
    return tuple(lines), tuple(starts)


def detail(node: NodeState, now: float, width: int, asked: Asked | None = None) -> tuple[Line, ...]:
    """All sections, one below the other."""
    return page(sections(node, now, width, asked or Asked()))[0]


def _state(node: NodeState, now: float, width: int) -> Section:
    """What it is, why there is no connection, and what is odd about its agent."""
    lines: list[Line] = [identity(node, now, width)]
    away = condition(node, now) in {"down", "connecting"}
    if away and node.link != "connecting":  # which its name is followed by
        lines += wrapped(absence(node, now), width)
    if node.heard_at is not None and (away or not node.current):
        lines.append(((f"last heard {age(now - node.heard_at)} ago; what follows is as it was then", "dim"),))
    for remark in remarks(node):
        lines += wrapped(((plain(remark), "warm"),), width)
    alarming = () if away else alarms(node)
    lines += [line for alarm in alarming for line in wrapped((("▲ ", alarm[0][1]), *alarm), width)]
    return tuple(lines)


def _in_hand(node: NodeState, now: float, width: int) -> Section:
    """Operations in hand with their phases."""
    lines: list[Line] = []
    for operation in node.operations:
        told = wrapped(progress.in_hand(operation, clock_of(node, now)), width - 2)
        lines += [(("  ", "plain"), *line) for line in told]
        step = operation.transfer.step if operation.transfer else None
        if step:
            lines.append(((f"    {plain(step)}", "dim"),))
        if len(operation.phases) > 1:
            lines.append((("    ", "plain"), *progress.times(operation)))
    return ((("in hand", "heading"),), *lines) if lines else ()


def _last(node: NodeState, now: float) -> Section:
    """The operation that ended last."""
    if node.last is None:
        return ()
    lines: list[Line] = [(("last operation", "heading"),), (("  ", "plain"), *progress.over(node.last, now))]
    if len(node.last.operation.phases) > 1:
        lines.append((("    ", "plain"), *progress.times(node.last.operation)))
    return tuple(lines)


def _figures(node: NodeState, width: int) -> Section:
    """What has no chart, or more to it than one."""
    lines = gauges(node, width)
    return ((("figures", "heading"),), *lines) if lines else ()


def _machine(node: NodeState, width: int) -> Section:
    """Where the agent runs, and on what."""
    if node.machine is None:
        return ()
    told = flowing(account(node.machine), width - 2, 0)
    return ((("machine", "heading"),), *((("  ", "plain"), *line) for line in told))


def _sources(node: NodeState, width: int, key: str) -> Section:
    """Where the figures are read, and why others are not."""
    if node.machine is None or node.sample is None:
        return ()
    lines: list[Line] = [
        ((" " * 2, "plain"), *line)
        for source, labels in sources(node.machine, node.sample).items()
        for line in wrapped(((f"{', '.join(labels)}  ", "plain"), (plain(source), "dim")), width - 2)
    ]
    lines += unknown(lacking(node.sample), width)
    title: Line = (("sources", "heading"),)
    if key:
        title = (*title, (f"  {key} ", "accent"), ("tells each figure by itself", "dim"))
    return (title, *lines) if lines else ()
