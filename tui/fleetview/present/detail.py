"""Everything about one node, as lines: figures, models, engines, operations, and where the figures come from."""

from __future__ import annotations

from fleetview.fleet import NodeState, condition
from fleetview.present import operations
from fleetview.present.absence import absence
from fleetview.present.account import account
from fleetview.present.charts import LIVE, Past, charts
from fleetview.present.engines import backends, residents
from fleetview.present.gauges import gauges, unknown
from fleetview.present.numbers import age
from fleetview.present.panel import identity
from fleetview.present.readings import lacking, sources
from fleetview.present.remarks import remarks
from fleetview.present.text import Line, cut_line, plain
from fleetview.present.wrapping import flowing, wrapped

_EMPTY: Line = ()


def detail(node: NodeState, now: float, width: int, past: Past = LIVE) -> tuple[Line, ...]:
    """All sections, one below the other."""
    room = width - 4
    sections = (
        _state(node, now, width - 2),
        (*charts(node, past, room), *gauges(node, room)),
        _operations(node, now),
        residents(node, now, room),
        backends(node, room),
        _sources(node, room),
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
        lines += flowing(account(node.machine), width)
    return tuple(lines)


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


def _sources(node: NodeState, width: int) -> tuple[Line, ...]:
    """Where the figures are read, and why others are not."""
    if node.machine is None or node.sample is None:
        return ()
    lines: list[Line] = [
        ((" " * 2, "plain"), *line)
        for source, labels in sources(node.machine, node.sample).items()
        for line in wrapped(((f"{', '.join(labels)}  ", "plain"), (plain(source), "dim")), width - 2)
    ]
    lines += unknown(lacking(node.sample), width)
    return ((("sources", "heading"),), *lines) if lines else ()
