"""What was done to a node, as marks on the axis of time under its charts, and in words below. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleetview.fleet import NodeState
from fleetview.present.node import curves
from fleetview.present.node.curves import Past
from fleetview.present.numbers import duration, percent
from fleetview.present.operations.progress import PHASES, done_ratio, outcome, subject
from fleetview.present.text import DASH, Line, Span, Tone, cut_line, merged, plain
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import Operation

TOLD = 3
"""Events that are told in words."""
_SIGNS: Mapping[str, tuple[str, Tone, str]] = {
    "load": ("▲", "accent", "load of"),
    "swap": ("◆", "accent", "swap to"),
    "unload": ("▼", "accent", "unload of"),
    "start": ("●", "good", "start of"),
    "restart": ("●", "good", "restart of"),
    "stop": ("○", "warm", "stop of"),
}
"""Verbs that change what the figures show → their sign, and what they are called."""
_FAILED: tuple[str, Tone] = ("!", "hot")
_MANY = 9


@dataclass(frozen=True)
class Event:
    """Something that was done to a node, or is being done."""

    at: float
    """By the node's clock: when it ended, or was asked for where it goes on."""
    sign: str
    tone: Tone
    words: str


def events(node: NodeState, journal: Iterable[Operation]) -> tuple[Event, ...]:
    """What there is to mark, oldest first; an operation that is known from several sides counts once."""
    found: dict[str, Operation] = {one.id: one for one in node.operations}
    found |= {end.operation.id: end.operation for end in (*node.ended, *((node.last,) if node.last else ()))}
    found |= {one.id: one for one in journal}
    marked = (event for one in found.values() if (event := _event(one)) is not None)
    return tuple(sorted(marked, key=lambda event: event.at))


def _event(operation: Operation) -> Event | None:
    """How an operation is marked; None for one that the figures do not show, and did not fail either."""
    verb = operation.request.verb
    sign, tone, called = _SIGNS.get(verb, ("", "plain", f"{verb} of"))
    about = f"{called} {subject(operation.request)}"
    if operation.result is None:
        if not sign:
            return None
        ratio = done_ratio(operation)
        return Event(
            operation.queued_at,
            sign,
            tone,
            f"{about}: {PHASES[operation.phase]}{'' if ratio is None else ' ' + percent(ratio)}",
        )
    ended = operation.queued_at if operation.ended_at is None else operation.ended_at
    if operation.result != "done":
        return Event(ended, *_FAILED, f"{about} {outcome(operation)}")
    took = f", {duration(ended - operation.queued_at)}" if operation.ended_at is not None else ""
    return Event(ended, sign, tone, f"{about}{took}") if sign else None


def row(placed: Iterable[tuple[int, Event]], width: int) -> Line:
    """The marks in `width` cells; several in one column are their number, in the colour of the gravest."""
    columns: dict[int, list[Event]] = {}
    for column, event in placed:
        columns.setdefault(column, []).append(event)
    cells: list[Span] = [(" ", "plain")] * width
    for column, several in columns.items():
        cells[column] = _cell(several)
    return merged(tuple(cells))


def _cell(several: list[Event]) -> Span:
    """What stands for events in the same column."""
    gravest = next((one for one in several if one.sign == _FAILED[0]), several[-1])
    if len(several) == 1:
        return gravest.sign, gravest.tone
    return str(len(several)) if len(several) <= _MANY else "+", gravest.tone


def seen(node: NodeState, past: Past, width: int) -> tuple[tuple[int, Event], ...]:
    """The events that lie in the stretch, each with its column."""
    if node.sample is None:
        return ()
    placed = ((curves.place(past, node.sample.at, one.at, width), one) for one in events(node, past.journal))
    return tuple((column, one) for column, one in placed if column is not None)


def legend(placed: tuple[tuple[int, Event], ...], past: Past, now: float, width: int) -> tuple[Line, ...]:
    """The last events in words, newest first, and how many came before; why there are none of the journal."""
    shown = [one for _, one in placed[-TOLD:]][::-1]
    lines: list[Line] = [
        cut_line(((f"  {one.sign} ", one.tone), (f"{clock(one.at, now)}  ", "dim"), (one.words, "plain")), width)
        for one in shown
    ]
    if more := len(placed) - len(shown):
        earlier = "1 earlier event" if more == 1 else f"{more} earlier events"
        lines.append(cut_line(((f"  {earlier}; 5 shows the journal", "dim"),), width))
    if past.unread:
        why: Line = ((f"earlier events  {DASH}  {plain(past.unread)}", "dim"),)
        lines += [(("  ", "plain"), *line) for line in wrapped(why, width - 2)]
    return tuple(lines)


def clock(at: float, now: float) -> str:
    """A time of day, with its day where that is another one than that of `now`."""
    try:
        then, today = time.localtime(at), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return DASH
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%a %H:%M", then)
