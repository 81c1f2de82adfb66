"""What a filter can ask of a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetview.fleet import Fleet, NodeState, condition
from fleetview.present import measures
from fleetview.present.filtering import Fields, Filter
from fleetview.present.numbers import GIB

if TYPE_CHECKING:
    from fleetview_agent.wire import Sample


@dataclass(frozen=True)
class Candidate:
    """A node that a filter is asked about."""

    node: NodeState
    at: float
    """The monotonic time at which it is judged."""
    host: str = ""
    """Where the fleet file has it."""


def _words(one: Candidate) -> Iterator[str]:
    """Name, role, tags, models and host."""
    yield one.node.name
    yield from _role(one)
    yield from one.node.tags
    yield from _models(one)
    yield from _hosts(one)


def _role(one: Candidate) -> Iterator[str]:
    if one.node.role:
        yield one.node.role


def _models(one: Candidate) -> Iterator[str]:
    for _, model in one.node.resident:
        yield model.name


def _hosts(one: Candidate) -> Iterator[str]:
    if one.host:
        yield one.host
    if one.node.machine:
        yield one.node.machine.hostname


def _sample(one: Candidate) -> Sample | None:
    """The node's reading, where it tells of now."""
    return one.node.sample if condition(one.node, one.at) not in {"down", "connecting"} else None


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _used(one: Candidate) -> float | None:
    """Percent of the memory that is not free."""
    return _scaled(measures.memory_ratio(one.node), 100) if _sample(one) else None


def _free(one: Candidate) -> float | None:
    """GiB that a model could have."""
    return _scaled(measures.memory_free(one.node), 1 / GIB) if _sample(one) else None


def _tokens(one: Candidate) -> float | None:
    return measures.tokens_per_second(sample) if (sample := _sample(one)) else None


def _of(name: str, scale: float = 1) -> Callable[[Candidate], float | None]:
    """A field of the sample in the unit in which people type it."""
    return lambda one: _scaled(getattr(_sample(one), name, None), scale)


NODE_FIELDS: Fields[Candidate] = Fields(
    words=_words,
    texts={
        "name": lambda one: (one.node.name,),
        "role": _role,
        "tag": lambda one: one.node.tags,
        "model": _models,
        "host": _hosts,
        "state": lambda one: (condition(one.node, one.at),),
    },
    numbers={
        "gpu": _of("gpu_ratio", 100),
        "cpu": _of("cpu_ratio", 100),
        "mem": _used,
        "free": _free,
        "tps": _tokens,
        "swap": _of("swap_used_bytes", 1 / GIB),
        "temp": _of("gpu_celsius"),
        "power": _of("power_watts"),
    },
)
"""Every field of `/`: percent, GiB, tokens per second, degrees and watts."""


class Sieve:
    """Lets the nodes through that a filter matches, and asks again only about those that have changed."""

    def __init__(self) -> None:
        self.filter: Filter[Candidate] = Filter("")
        self.hosts: Mapping[str, str] = {}
        """Where the fleet file has each node."""
        self._asked: dict[str, tuple[NodeState, float, Filter[Candidate], bool]] = {}

    def through(self, fleet: Fleet, names: Sequence[str], at: float) -> tuple[str, ...]:
        """The names of those that match."""
        if not self.filter:
            return tuple(names)
        return tuple(name for name in names if self._matches(fleet[name], at))

    def _matches(self, node: NodeState, at: float) -> bool:
        """Whether one of them does."""
        asked = self._asked.get(node.name)
        if asked is None or asked[0] is not node or asked[1] != at or asked[2] is not self.filter:
            candidate = Candidate(node, at, self.hosts.get(node.name, ""))
            asked = self._asked[node.name] = (node, at, self.filter, self.filter.matches(candidate))
        return asked[3]
