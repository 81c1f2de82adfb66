"""Where in the fleet a model fits, node by node, in words."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState, condition
from fleetview.models.fitting import Place, is_fitting
from fleetview.models.inventory import Entry
from fleetview.present.absence import absence, staleness
from fleetview.present.numbers import context, count, size
from fleetview.present.operations import plans
from fleetview.present.text import DASH, Line, Span, Tone, cut, cut_line, joined, left, plain, spread, width_of
from fleetview_agent.wire import Plan

_LONGEST_NAME = 20
_SURE, _EXPECTED = 9, 16
_ROOM_FOR_SURE, _ROOM_FOR_EXPECTED = 56, 74
"""Cells from which there is room for how sure it is, and for how long it takes."""
_LABEL = 9


@dataclass(frozen=True)
class Look:
    """What is looked for."""

    entry: Entry
    context: int
    sources: tuple[str, ...] = ()
    """The connected nodes from which it could be copied."""


def settings(look: Look, width: int, view: Line = ()) -> Line:
    """The context that is asked for, what the model is, and which nodes are in `view`."""
    trained = f" of {context(look.entry.trained)}" if look.entry.trained else ""
    line: Line = (
        ("context".ljust(_LABEL), "dim"),
        ("◂ ", "accent"),
        (context(look.context), "strong"),
        (" ▸", "accent"),
        (trained, "dim"),
    )
    about = " ".join((size(look.entry.size_bytes), plain(look.entry.quantization or ""))).rstrip()
    line = (*line, (f"   {about}", "plain"))
    return spread(line, view, width) if view else cut_line(line, width)


def heading(names: tuple[str, ...], width: int) -> Line:
    """The titles of the columns."""
    titles = _columns(width, _longest(names), (("FITS", "heading"),), "SURE", "EXPECTED", "heading")
    return (("  ", "heading"), *left((("NODE", "heading"),), _longest(names)), *titles)


def row(place: Place | None, node: NodeState, look: Look, names: tuple[str, ...], now: float, width: int) -> Line:
    """One node; None: it is being asked."""
    longest = _longest(names)
    told = _told(place, node, look, now)
    best = place.best if place and not place.resident else None
    name = left(((cut(plain(node.name), longest), "plain"),), longest)
    if best is None:  # the columns beside it are empty
        return cut_line((*name, ("  ", "plain"), *told), width - 2)
    return (*name, *_columns(width, longest, told, plans.sure(best), plans.expected(best), "dim"))


def _columns(width: int, longest: int, told: Line, sure: str, expected: str, tone: Tone) -> Line:
    """The columns beside the name: those that are there is room for."""
    sure_width = _SURE if width >= _ROOM_FOR_SURE else 0
    expected_width = _EXPECTED if width >= _ROOM_FOR_EXPECTED else 0
    room = max(0, width - 4 - longest - sure_width - expected_width)
    line: list[Span] = [("  ", "plain"), *left(told, room)]
    if sure_width:
        line += left(((f" {sure}", tone),), sure_width)
    if expected_width:
        line += left(((f" {expected}", tone),), expected_width)
    return tuple(line)


def _longest(names: tuple[str, ...]) -> int:
    """Cells for the names of nodes."""
    return min(_LONGEST_NAME, max((width_of(((plain(name), "plain"),)) for name in names), default=4))


def _told(place: Place | None, node: NodeState, look: Look, now: float) -> Line:
    """Whether it fits, and what that costs."""
    if place is None:
        return (("asking …", "dim"),)
    if place.problem is not None:
        state = condition(node, now)
        if state in {"down", "connecting"}:
            return absence(node, now)
        return ((staleness(node, now), "warm"),) if state == "stale" else ((plain(place.problem), "warm"),)
    if place.resident:
        return (("● in memory", "good"), (f" with {context(place.now.context)}" if place.now else "", "plain"))
    if place.unknown:
        return _to_be_copied(place, look)
    if place.lack is not None:
        return ((f"no: {plain(place.lack)}", "warm"),)
    return _planned(place)


def _planned(place: Place) -> Line:
    """By the plan that stands for the node."""
    best = place.best
    if best is None:
        return ((DASH, "dim"),)
    words = plans.fits(best)
    if best is place.emptied and is_fitting(best):
        return (*words, (f", {_leavers(best)}", "plain"))
    if best.verdict == "does_not_fit" and place.emptied is not None:
        return (*words, (", whoever leaves", "plain"))
    return words


def _leavers(plan: Plan) -> str:
    """Who has to leave for it."""
    if len(plan.evictions) == 1:
        return f"when {plain(plan.evictions[0].partition('/')[2] or plan.evictions[0])} leaves"
    return f"when {count(len(plan.evictions), 'model')} leave"


def _to_be_copied(place: Place, look: Look) -> Line:
    """Of a node without the file: from where it would come, and whether there is room."""
    if not look.sources:
        return (("not here, and no node that is connected has it", "dim"),)
    words: Line = ((f"copy from {plain(look.sources[0])} ({size(look.entry.size_bytes)})", "accent"),)
    needed, free = look.entry.size_bytes, place.room_now
    if needed is None or free is None:
        return words
    fits: Line = (("fits" if needed <= free else "does not fit", "good" if needed <= free else "hot"),)
    return joined((words, (*fits, (f" in {size(free)} free", "plain"))))


def details(place: Place | None, node: NodeState, now: float, width: int) -> tuple[Line, ...]:
    """What Enter would agree to on the node that is highlighted."""
    unknown: Line = ((DASH, "dim"),)
    plan = place.best if place and not place.resident else None
    rows = {"leaves": unknown, "needs": unknown, "verdict": unknown}
    if plan is not None:
        leaves: Line = plans.leaving(plan, node, now) if plan.evictions else (("nothing", "dim"),)
        rows = {"leaves": leaves, "needs": needs(plan), "verdict": plans.verdict(plan)}
    return tuple(cut_line(((label.ljust(_LABEL), "dim"), *line), width) for label, line in rows.items())


def needs(plan: Plan) -> Line:
    """What it takes and what there would be, then of what that is made."""
    named = (("weights", plan.weights_bytes), ("cache", plan.cache_bytes), ("compute", plan.compute_bytes))
    parts = ", ".join(f"{name} {size(amount)}" for name, amount in named if amount)
    total: Line = ((f"{size(plan.need_bytes)} of {size(plan.room_bytes)} room", "plain"),)
    return joined((total, ((parts, "dim"),) if parts and plan.need_bytes is not None else ()))


def window(length: int, at: int, height: int) -> range:
    """The rows in view, of so many, with that at `at` among them."""
    first = max(0, min(at - height // 2, length - height))
    return range(first, min(length, first + height))


def in_view(seen: range, length: int) -> Line:
    """Which of so many nodes are in view; nothing where all of them are."""
    if len(seen) >= length:
        return ()
    places = str(seen.stop) if len(seen) == 1 else f"{seen.start + 1}–{seen.stop}"
    return ((" node " if len(seen) == 1 else " nodes ", "dim"), (f"{places} of {length}", "plain"))
