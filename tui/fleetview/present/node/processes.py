"""Who holds a node's memory, the largest processes first."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState
from fleetview.present.figures import bar
from fleetview.present.numbers import percent, size
from fleetview.present.text import DASH, Line, Tone, cut, left, plain, right
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import ProcessMemory

SHOWN = 10
_NAME, _PID, _SIZE, _SHARE, _BAR = 24, 9, 8, 6, 10
_ROOM_FOR_BARS = 70
_LEAST = 0.005
"""The smallest share that is a percent when it is rounded."""


@dataclass(frozen=True)
class Holders:
    """What is known of a node's processes."""

    processes: tuple[ProcessMemory, ...] | None = None
    """None: not asked for yet, or it could not be had."""
    lack: str | None = None
    """Why it could not be had; None while it is on its way, or there."""


UNASKED = Holders()


def processes(node: NodeState, holders: Holders, width: int) -> tuple[Line, ...]:
    """The ten largest with their memory, and whose engine they are."""
    title: Line = (("processes by memory", "heading"),)
    if holders.processes is None:
        said = f"{DASH}  {plain(holders.lack)}" if holders.lack else "asking which they are …"
        tone: Tone = "warm" if holders.lack else "dim"
        return (title, *((("  ", "plain"), *line) for line in wrapped(((said, tone),), width - 2)))
    name = max(10, min(_NAME, width - 2 - _PID - _SIZE - _SHARE))
    heads = ((word, room) for word, room in (("pid", _PID), ("memory", _SIZE), ("share", _SHARE)))
    top = (*left(title, name + 2), *(span for word, room in heads for span in right(((word, "heading"),), room)))
    rows = (_row(node, one, name, width) for one in holders.processes[:SHOWN])
    return (top, *rows) if holders.processes else (title, (("  none that the agent's account may see", "dim"),))


def _row(node: NodeState, one: ProcessMemory, name: int, width: int) -> Line:
    """One process."""
    whole = node.machine.memory_bytes if node.machine else 0
    share = one.memory_bytes / whole if whole else None
    served = _served(node, one)
    line: Line = (
        ("  ", "plain"),
        *left(((cut(plain(one.name), name - 1), "strong" if served else "plain"),), name),
        *right(((str(one.pid), "dim"),), _PID),
        *right(((size(one.memory_bytes), "plain"),), _SIZE),
        *right(((_percent(share), "dim"),), _SHARE),
    )
    if width >= _ROOM_FOR_BARS:
        line = (*line, ("  ", "plain"), *bar(share, _BAR))
    about = f"serves {served}" if served else f"of {plain(one.user)}" if one.user else ""
    return (*line, (f"  {about}" if about else "", "accent" if served else "dim"))


def _percent(share: float | None) -> str:
    """A share of the memory; little is not nothing."""
    return "<1%" if share is not None and 0 < share < _LEAST else percent(share)


def _served(node: NodeState, one: ProcessMemory) -> str | None:
    """The model or the engine that a process belongs to; None for any other process."""
    for backend, model in node.resident:
        if model.pid is not None and model.pid == one.pid:
            return plain(f"{backend}/{model.name}")
    return plain(one.serves) if one.serves else None
