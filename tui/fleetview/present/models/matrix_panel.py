"""Below the matrix: the selected model on the selected node, or on all of them where there are no columns."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.models.inventory import Entry, Held
from fleetview.present.absence import absence, staleness
from fleetview.present.measures import memory_free
from fleetview.present.models import brief
from fleetview.present.models.matrix_cells import Table, cell, first_of, operation_of
from fleetview.present.models.places import needs
from fleetview.present.numbers import context, size
from fleetview.present.operations import plans
from fleetview.present.operations.progress import in_hand_in
from fleetview.present.signs import MARK, SYMBOLS
from fleetview.present.text import Line, Span, Tone, cut, cut_line, fitting, joined, left, plain
from fleetview_agent.wire import Plan

_LABEL = 9
_LONGEST_NAME = 20
_MOST = 24
"""Other nodes that are looked at for one line."""


@dataclass(frozen=True)
class Verdict:
    """What is known of whether a model fits on a node."""

    plan: Plan | None = None
    trouble: str | None = None
    """Why it is not known; neither of them: it is being asked for."""


@dataclass(frozen=True)
class Cell:
    """What is selected."""

    entry: Entry
    node: NodeState
    verdict: Verdict | None = None


def panel(chosen: Cell, table: Table, width: int, height: int) -> tuple[Line, ...]:
    """The selected model on the selected node, the most important first."""
    held = table.inventory.held(chosen.node.name, chosen.entry.key)
    room = max(0, width - 2)
    lines = [_title(chosen, table.now), _file(chosen.entry, held)]
    lines += _here(chosen, held, table.now, room) if held else _absent(chosen, table)
    if operation := operation_of(chosen.node, chosen.entry):
        lines.append((("in hand".ljust(_LABEL), "dim"), *in_hand_in(operation, max(0, room - _LABEL))))
    if chosen.verdict is not None and held and not _refusal(held):
        lines += _verdict(chosen.verdict)
    if also := _also(chosen, table, room):
        lines.append(also)
    lines += _besides(chosen, room)
    return tuple(((" ", "plain"), *cut_line(line, room)) for line in lines[:height])


def nodes(chosen: Cell, table: Table, marked: frozenset[str], width: int, height: int) -> tuple[Line, ...]:
    """The selected model, and under it every node with what it has of it; the selected node always in view."""
    held = table.inventory.held(chosen.node.name, chosen.entry.key)
    head: Line = ((" ", "plain"), *cut_line(_file(chosen.entry, held), width - 2))
    names = tuple(table.fleet)
    room = max(1, height - 1)
    first = max(0, min(names.index(chosen.node.name) - room // 2, len(names) - room))
    longest = min(_LONGEST_NAME, max(len(plain(name)) for name in names))
    lines: list[Line] = [head]
    for name in names[first : first + room]:
        signs = ("▸" if name == chosen.node.name else " ") + (MARK if name in marked else " ")
        tone: Tone = "strong" if name == chosen.node.name else "plain"
        told = cell(table.fleet[name], chosen.entry, table, max(0, width - longest - 4))
        line = ((signs, "accent"), *left(((cut(plain(name), longest), tone),), longest), (" ", "plain"), *told)
        lines.append(cut_line(line, width))
    return tuple(lines)


def emptiness(filtered: str, fleet: Fleet) -> tuple[Line, ...]:
    """Why there is no model to show."""
    known = any(node.machine for node in fleet.values())
    why = "no node has a model; P pulls one" if known else "nothing was heard of any node yet"
    return (((" no model matches; esc shows all" if filtered else f" {why}", "dim"),),)


def _title(chosen: Cell, now: float) -> Line:
    """Which model, on which node, and how the node is."""
    node = chosen.node
    state = condition(node, now)
    line: Line = ((plain(chosen.entry.name), "strong"), (" on ", "dim"), (plain(node.name), "strong"))
    if state == "down" or (state == "connecting" and node.machine is None):
        return (*line, (" ", "plain"), *absence(node, now))
    if state != "up":
        word = staleness(node, now) if state == "stale" else state
        return (*line, (f" {SYMBOLS[state][0]} {word}", SYMBOLS[state][1]))
    return line


def _file(entry: Entry, held: tuple[Held, ...]) -> Line:
    """What the file is, by all the names that it has."""
    kind = next((one.file.architecture for one in held if one.file.architecture), None)
    words = [size(entry.size_bytes), plain(entry.quantization or ""), plain(kind or "")]
    if entry.trained:
        words.append(f"trained for {context(entry.trained)}")
    if len(entry.names) > 1:
        words.append(f"also called {plain(', '.join(entry.names[1:]))}")
    return (("file".ljust(_LABEL), "dim"), *joined(tuple(((word, "plain"),) for word in words if word)))


def _here(chosen: Cell, held: tuple[Held, ...], now: float, width: int) -> list[Line]:
    """How the node runs it, and what it does there."""
    node = chosen.node
    names = ", ".join(plain(one.backend if one.file.name == chosen.entry.name else one.name) for one in held)
    same = " (the same file)" if len(held) > 1 else ""
    lines: list[Line] = [(("engines".ljust(_LABEL), "dim"), (f"{names}{same}", "plain"))]
    first = first_of(held)
    if first is not None and first.resident is not None:
        facts = fitting(brief.parts(node, first.backend, first.resident, now), width - _LABEL)
        lines.append((("memory".ljust(_LABEL), "dim"), *facts))
    elif (refusal := _refusal(held)) is not None:
        lines.append((("refused".ljust(_LABEL), "dim"), (plain(refusal), "hot")))
    return lines


def _refusal(held: tuple[Held, ...]) -> str | None:
    """Why it cannot be loaded at all; None where it is in memory, or may come there."""
    first = first_of(held)
    return first.file.refusal if first is not None and first.resident is None else None


def _verdict(verdict: Verdict) -> list[Line]:
    """Whether it fits beside what is in memory."""
    label: Span = ("verdict".ljust(_LABEL), "dim")
    if verdict.trouble is not None:
        return [(label, (plain(verdict.trouble), "warm"))]
    if verdict.plan is None:
        return [(label, ("asking …", "dim"))]
    plan = verdict.plan
    if plan.already_resident:
        return [(label, ("in memory with this context already", "good"))]
    lines: list[Line] = [(label, *plans.verdict(plan), (f" · with {context(plan.context)} context", "dim"))]
    if plan.verdict == "does_not_fit":
        better: Line = (("beside what is there; s shows what would leave, f where it fits", "plain"),)
        lines.append(((" " * _LABEL, "dim"), *better))
    elif plan.refusal:
        lines.append(((" " * _LABEL, "dim"), (plain(plan.refusal), "hot")))
    else:
        lines.append((("needs".ljust(_LABEL), "dim"), *needs(plan)))
    return lines


def _absent(chosen: Cell, table: Table) -> list[Line]:
    """That the node does not have it, whether it would have room, and what brings it there."""
    if chosen.node.machine is None:
        return [(("here".ljust(_LABEL), "dim"), ("not known: nothing was heard of the node yet", "dim"))]
    needed, free = chosen.entry.size_bytes, memory_free(chosen.node)
    lines: list[Line] = [(("here".ljust(_LABEL), "dim"), ("not on this node", "plain"), *_source(chosen, table))]
    if needed is not None and free is not None:
        fits: Span = ("its weights would fit", "good") if needed <= free else ("its weights alone do not fit", "hot")
        room: Line = (fits, (f": {size(needed)} of {size(free)} free now", "plain"))
        lines.append((("room".ljust(_LABEL), "dim"), *room))
    return lines


def _source(chosen: Cell, table: Table) -> Line:
    """From where it could come, unless it is coming."""
    holders = () if operation_of(chosen.node, chosen.entry) else table.inventory.holders(chosen.entry.key)
    return ((f"; C copies it from {plain(holders[0])}", "plain"),) if holders else ()


def _besides(chosen: Cell, width: int) -> list[Line]:
    """What the node has in hand besides, which may be about a model that has no row yet."""
    own = operation_of(chosen.node, chosen.entry)
    others = (one for one in chosen.node.operations if one is not own)
    return [(("besides".ljust(_LABEL), "dim"), *in_hand_in(one, max(0, width - _LABEL))) for one in others]


def _also(chosen: Cell, table: Table, width: int) -> Line | None:
    """The other nodes that have it, and how."""
    others = [name for name in table.inventory.holders(chosen.entry.key) if name != chosen.node.name]
    if not others:
        return None
    parts = tuple(
        ((f"{plain(name)} ", "plain"), *cell(table.fleet[name], chosen.entry, table, 20))
        for name in others[:_MOST]
        if name in table.fleet
    )
    return (("also on".ljust(_LABEL), "dim"), *fitting(parts, max(0, width - _LABEL)))
