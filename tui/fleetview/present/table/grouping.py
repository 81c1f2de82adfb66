"""Rows in groups by what the fleet file says of their nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fleetview.fleet import Fleet, NodeState
from fleetview.present.sums import sums
from fleetview.present.text import Line, joined, left, plain, width_of

Grouping = Literal["role", "tag"]
NEXT: dict[Grouping | None, Grouping | None] = {None: "role", "role": "tag", "tag": None}
"""From each way of grouping to the next one."""
_RULE = 4
"""Cells around what stands on a group's line."""


@dataclass(frozen=True)
class Group:
    """Nodes that have something in common, in their order."""

    title: str
    names: tuple[str, ...]


def grouped(fleet: Fleet, names: Sequence[str], by: Grouping | None) -> tuple[str | Group, ...]:
    """The rows, each group after its heading; groups come as the fleet file first has them, the nameless one last.

    A node stands in one group alone: that of the first of its tags.
    """
    if by is None:
        return tuple(names)
    titles = dict.fromkeys(title for node in fleet.values() if (title := _title(node, by)))
    members: dict[str | None, list[str]] = {title: [] for title in (*titles, None)}
    for name in names:
        members[_title(fleet[name], by)].append(name)
    rows: list[str | Group] = []
    for title, inside in members.items():
        if inside:
            rows += [Group(title or f"no {by}", tuple(inside)), *inside]
    return tuple(rows)


def _title(node: NodeState, by: Grouping) -> str | None:
    """What the node's group is called."""
    return (node.role if by == "role" else next(iter(node.tags), None)) or None


def group_line(group: Group, fleet: Fleet, now: float, width: int) -> Line:
    """What stands over a group: its name and what its nodes come to together; the last sums give way first."""
    nodes = {name: fleet[name] for name in group.names if name in fleet}
    parts: tuple[Line, ...] = (((plain(group.title), "strong"),), *sums(nodes, now))
    while len(parts) > 1 and width_of(joined(parts)) + _RULE > width:
        parts = parts[:-1]
    line: Line = (("── ", "dim"), *joined(parts), (" ", "plain"))
    return left((*line, ("─" * (width - width_of(line)), "dim")), width)
