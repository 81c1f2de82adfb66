"""What the nodes of a fleet, or of a part of it, come to together."""

from __future__ import annotations

from fleetview.fleet import Fleet
from fleetview.present import measures
from fleetview.present.numbers import count, powers, rate, size
from fleetview.present.text import Line


def sums(fleet: Fleet, now: float) -> tuple[Line, ...]:
    """Nodes up, free memory, tokens per second, power, requests and operations, the most important first.

    What nobody tells is left out, and power of different things is not added up.
    """
    living = measures.living(fleet, now)
    samples = tuple(node.sample for node in living if node.sample)
    parts: list[Line] = [((f"{len(living)} of {len(fleet)} up", "plain" if living else "hot"),)]
    if (free := measures.total(measures.memory_free(node) for node in living)) is not None:
        limit = measures.total(measures.memory_limit(node) for node in living)
        parts.append(((size(free), "strong"), (f" free of {size(limit)}", "plain")))
    if (tokens := measures.total(measures.tokens_per_second(sample) for sample in samples)) is not None:
        parts.append(((rate(tokens), "strong"), (" tok/s", "plain")))
    if (power := powers(samples)) is not None:
        parts.append(((power, "plain"),))
    if in_flight := sum(measures.in_flight(node) for node in living):
        parts.append(((f"{in_flight} in flight", "plain"),))
    if operations := sum(len(node.operations) for node in living):
        parts.append(((count(operations, "operation"), "accent"),))
    return tuple(parts)
