"""The order of the rows: by a column, without rows that dance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.present.table.column import Key
from fleetview.present.table.columns import COLUMNS

SETTLE_SECONDS = 3.0
"""Rows keep their places at least so long."""
_SHARE = 0.05
"""Figures that differ by less than this share of the largest are as good as equal."""


@dataclass(frozen=True)
class Sort:
    """By which column, and which way."""

    column: str
    descending: bool

    @classmethod
    def by(cls, name: str) -> Sort:
        """By a column, in the order in which it is usually wanted."""
        return cls(name, descending=not COLUMNS[name].ascending)

    def reversed(self) -> Sort:
        """The other way round."""
        return Sort(self.column, not self.descending)


class Order:
    """The order in which rows stand; they change places when their figures really differ, and not all the time."""

    def __init__(self) -> None:
        self._sort: Sort | None = None
        self._members: tuple[str, ...] = ()
        """The fleet that was put in order, as its file has it."""
        self._names: tuple[str, ...] = ()
        self._looked_at = -math.inf

    def of(self, fleet: Fleet, sort: Sort | None, now: float) -> tuple[str, ...]:
        """All nodes in their order; without a wish, that of the fleet file."""
        members = tuple(fleet)
        if sort is None:
            self._sort, self._names = None, members
            return members
        asked = (sort, members) != (self._sort, self._members)
        if asked or now - self._looked_at >= SETTLE_SECONDS:
            self._looked_at = now
            keys = {name: key_of(node, sort.column, now) for name, node in fleet.items()}
            if asked or not stands(self._names, keys, sort):
                self._sort, self._members = sort, members
                self._names = in_order(keys, sort)
        return self._names


def key_of(node: NodeState, column: str, now: float) -> Key | None:
    """What a node is put in order by; None where that is not known of now."""
    declared = COLUMNS[column]
    if declared.sort is None or (declared.of_now and condition(node, now) in {"down", "connecting"}):
        return None
    key = declared.sort(node)
    return None if key is None or math.isnan(key[0]) else key


def in_order(keys: Mapping[str, Key | None], sort: Sort) -> tuple[str, ...]:
    """The names by their keys; equal ones stay as they stand, unknown ones are last both ways."""
    known = {name: key for name, key in keys.items() if key is not None}
    unknown = (name for name in keys if name not in known)
    return (*sorted(known, key=known.__getitem__, reverse=sort.descending), *unknown)


def stands(names: Iterable[str], keys: Mapping[str, Key | None], sort: Sort) -> bool:
    """Whether the order is right still, but for figures that are near each other."""
    largest = max((abs(key[0]) for key in keys.values() if key is not None), default=0.0)
    near = max(COLUMNS[sort.column].near, largest * _SHARE)
    way = 1 if sort.descending else -1
    bound: Key | None = None
    unknown = False
    for name in names:
        if (key := keys[name]) is None:
            unknown = True
            continue
        if unknown:
            return False
        if bound is not None:
            misplaced = key > bound if sort.descending else key < bound
            if misplaced and (key[0] - bound[0]) * way >= (near if key[0] != bound[0] else 0):
                return False
        if bound is None or ((key < bound) if sort.descending else (key > bound)):
            bound = key
    return True
