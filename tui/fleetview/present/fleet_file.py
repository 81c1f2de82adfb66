"""What is said when the fleet file has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fleetview.config import NodeConfig
from fleetview.present.numbers import count
from fleetview.present.text import Line, plain

_NAMED = 3
"""Nodes that are told by name; more are counted."""


def news(before: Iterable[NodeConfig], now: Iterable[NodeConfig]) -> str:
    """Which nodes came, went, and changed."""
    old = {node.name: node for node in before}
    new = {node.name: node for node in now}
    parts = (
        _told(tuple(name for name in new if name not in old), "new"),
        _told(tuple(name for name in old if name not in new), "gone"),
        _told(tuple(name for name, node in new.items() if name in old and old[name] != node), "changed"),
    )
    nodes = ", ".join(part for part in parts if part)
    return f"the fleet file was read again: {nodes or 'the same nodes'}"


def removed(name: str) -> Line:
    """What stands where a node was shown."""
    return ((f"{plain(name)} is not in the fleet file any more", "warm"),)


def _told(names: Sequence[str], what: str) -> str:
    """Some nodes, by name or counted; nothing for none."""
    if not names:
        return ""
    return f"{what} {', '.join(map(plain, names))}" if len(names) <= _NAMED else f"{what} {count(len(names), 'node')}"
