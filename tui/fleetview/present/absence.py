"""Why there are no figures of a node, or none of now."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.numbers import age
from fleetview.present.text import SEPARATOR, Line, cut_line, plain, width_of

_REASON = 24
"""Cells that a reason gets at least, or what stands beside it leaves."""
_LONGEST_REASON = 2000


def absence(node: NodeState, now: float) -> Line:
    """Why there are no figures of a node, since when, and when it is tried again."""
    if node.link == "connecting":
        return (("connecting", "dim"),)
    if node.link == "up" and node.heard_at is None:
        return (("connected, waiting for its first figures", "dim"),)
    if node.link == "up" and node.heard_at is not None:
        return (("down", "hot"), (f"{SEPARATOR}silent for {age(now - node.heard_at)}", "plain"))
    return (*_since(node, now), *_reason(node), *_next_try(node, now))


def absence_in(node: NodeState, now: float, width: int) -> Line:
    """The same in at most `width` cells; of a reason that is too long, the first words are what matters."""
    line = absence(node, now)
    if width_of(line) <= width or node.link != "down" or not node.reason:
        return cut_line(line, width)
    since, reason, next_try = _since(node, now), _reason(node), _next_try(node, now)
    room = width - width_of(since) - width_of(next_try)
    if room >= _REASON:
        return (*since, *cut_line(reason, room), *next_try)
    if width - width_of(since) >= _REASON:
        return cut_line((*since, *reason), width)
    return cut_line(((plain(node.reason), "hot"),), width)


def staleness(node: NodeState, now: float) -> str:
    """How old the figures are, and whether newer ones are on their way."""
    old = age(now - (now if node.heard_at is None else node.heard_at))
    return f"stale {old}" if node.current else f"{old} old, connecting"


def _since(node: NodeState, now: float) -> Line:
    """For how long it is down."""
    return ((f"down {age(now - node.link_since)}" if node.link_since is not None else "down", "hot"),)


def _reason(node: NodeState) -> Line:
    """Why it is down."""
    return ((f"{SEPARATOR}{plain(node.reason, _LONGEST_REASON)}", "plain"),) if node.reason else ()


def _next_try(node: NodeState, now: float) -> Line:
    """When it is tried again."""
    if node.retry_at is None:
        return ((f"{SEPARATOR}press r to try again", "dim"),)
    wait = node.retry_at - now
    return ((SEPARATOR + (f"next try {age(wait)}" if wait > 0 else "trying now"), "dim"),)
