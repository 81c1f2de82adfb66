"""Words about a verb for several nodes: what it would do on each, and what has come of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len

from fleetview.fleet import NodeState
from fleetview.present.numbers import count, percent, size
from fleetview.present.operations.plan_rows import change_rows, headline
from fleetview.present.operations.plans import costs, leaving, verdict
from fleetview.present.operations.progress import PHASES, did, done_ratio, named, outcome, transferred
from fleetview.present.text import ELLIPSIS, Line, Tone, cut, cut_line, joined, left, plain, width_of
from fleetview.present.wrapping import flowing
from fleetview.wishes.batch import ORDER, Row, State, Target, nodes_of, over
from fleetview_agent.wire import LoadRequest, Order, Plan, SwapRequest, UndoRequest, UnloadRequest

_NARROW = 56
"""Cells below which there is no room for words beside a name."""
_NAME = 24
"""Cells that names of nodes get at most."""
SECOND_LOOK_NODES = 3
"""More than these are changed only after a second look."""
_SIGNS: dict[State, tuple[str, Tone]] = {
    "failed": ("✗", "hot"),
    "lost": ("?", "warm"),
    "asked": ("◌", "dim"),
    "in hand": ("◐", "accent"),
    "done": ("✓", "good"),
    "left out": ("–", "dim"),
}


def target_lines(targets: Sequence[Target], nodes: Mapping[str, NodeState], at: float, width: int) -> tuple[Line, ...]:
    """What would be done on every node, or why it is left out."""
    room = _names(target.node for target in targets)
    lines: list[Line] = []
    for target in targets:
        name: Line = ((plain(target.node), "strong" if target.agreed else "dim"),)
        lines += _beside((*left(name, room), ("  ", "plain")), _target(target, nodes[target.node], at), width)
    return tuple(lines)


def _beside(start: Line, parts: tuple[Line, ...], width: int) -> tuple[Line, ...]:
    """The parts beside what they are about; in a narrow pane below it."""
    margin = width_of(start) if width >= _NARROW else 2
    told = flowing(parts, width - margin, indent=0)
    gap: Line = ((" " * margin, "plain"),)
    first = (*start, *told[0]) if width >= _NARROW else cut_line(start, width)
    rest = told[1:] if width >= _NARROW else told
    return (first, *((*gap, *line) for line in rest))


def _names(names: Iterable[str]) -> int:
    """How wide the column of names is."""
    return min(_NAME, max((cell_len(plain(name)) for name in names), default=0))


def _target(target: Target, node: NodeState, at: float) -> tuple[Line, ...]:
    """What would be done on one node."""
    if target.refusal is not None:
        return ((("left out: ", "warm"), (plain(target.refusal), "plain")),)
    if target.plan is None:
        return (((f"planning {ELLIPSIS}", "dim"),),)
    return would(target.plan, node, at)


def would(plan: Plan, node: NodeState, at: float) -> tuple[Line, ...]:
    """What a plan would do, in parts of a line."""
    request = plan.request
    about: Line = ((f"{request.verb} ", "plain"), (headline(plan), "strong"))
    parts: list[Line] = [about]
    if plan.cancels or plan.undoes:
        parts.append((("cancels what is still in hand" if plan.cancels else "undoes the last operation", "plain"),))
    if isinstance(request, LoadRequest | SwapRequest):
        leaves: Line = (("leaves ", "plain"), *leaving(plan, node, at)) if plan.evictions else leaving(plan, node, at)
        return (*parts, leaves, verdict(plan))
    if isinstance(request, UnloadRequest):
        model = next((one for name, one in node.resident if f"{name}/{one.name}" == named(request)), None)
        if model and model.memory_bytes:
            parts.append(((f"frees {size(model.memory_bytes)}", "plain"),))
    said = {"", "memory", "leaves"} if isinstance(request, UnloadRequest) else {"", "memory"}
    rows = tuple(row for row in change_rows(plan) if row[0] not in said)
    return (*parts, *(((f"{label} {words}", "plain"),) for label, words in rows))


def concerns(targets: Sequence[Target], nodes: Mapping[str, NodeState]) -> tuple[str, ...]:
    """What asks for a second look, a sentence each; empty when Enter is consent enough."""
    asked = nodes_of(targets)
    many = (f"{count(len(asked), 'node')} are changed: {plain(', '.join(asked))}.",)
    found = [
        f"{plain(target.node)}: {line}"
        for target in targets
        if target.agreed and target.plan is not None
        for line in costs(target.plan, nodes[target.node])
    ]
    return (*(many if len(asked) > SECOND_LOOK_NODES else ()), *found)


def row_lines(rows: Sequence[Row], width: int) -> tuple[Line, ...]:
    """How far every node is, each told to its end."""
    room = _names(row.target.node for row in rows)
    lines: list[Line] = []
    for row in rows:
        sign, tone = _SIGNS[row.state]
        name = left(((plain(row.target.node), "strong"),), room)
        start: Line = ((f"{sign} ", tone), *name, ("  ", "plain"), (f"{row.state.ljust(8)}  ", tone))
        lines += _beside(start, (_detail(row),), width)
    return tuple(lines)


def _detail(row: Row) -> Line:
    """What there is to say of one row."""
    operation = row.operation
    match row.state:
        case "left out":
            return ((plain(row.target.refusal or ""), "dim"),)
        case "lost":
            why = plain(row.lost or "it ended while nobody heard it; its journal is being read")
            return ((f"{why}; what was begun goes on there", "plain"),)
        case "failed" if operation is None or row.problem is not None:
            return ((plain(row.problem or ""), "plain"),)
        case "failed" if operation is not None:
            words = plain(operation.cause or "") if operation.result == "failed" and not operation.refused else ""
            return ((words or outcome(operation), "plain"),)
        case "done" if operation is not None:
            return ((f"{named(operation.request)} {did(operation)}", "plain"),)
        case _ if operation is not None:
            ratio = done_ratio(operation)
            phase = PHASES[operation.phase] + ("" if ratio is None else f" {percent(ratio)}")
            moved: Line = ((transferred(operation.transfer), "plain"),) if operation.transfer else ()
            return joined((((phase, "accent"),), ((named(operation.request), "plain"),), moved))
        case _:
            return ((_about(row.target.request), "dim"),)


def _about(request: Order | None) -> str:
    """What a node was asked for."""
    if request is None or isinstance(request, UndoRequest):
        return "undo"
    return f"{request.verb} {named(request)}"


def totals(rows: Sequence[Row]) -> str:
    """How many nodes are how far: `4 done, 1 failed`."""
    states = [row.state for row in rows]
    shown = (*(state for state in reversed(ORDER) if state != "left out"), "left out")
    return ", ".join(f"{states.count(state)} {state}" for state in shown if state in states)


def summary(verb: str, rows: Sequence[Row]) -> str:
    """What has come of it, or how far it is, in one line."""
    return cut(f"{verb}: {totals(rows)}", 200) if over(rows) else cut(f"{verb}: {totals(rows)} {ELLIPSIS}", 200)
