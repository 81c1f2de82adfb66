"""JSON whose numbers can be reckoned with."""

from __future__ import annotations

import json

LARGEST = 2.0**64
"""No size, count or time of ours comes near it; sums and shares of what lies below stay finite."""


def parse(text: str | bytes) -> object:
    """What the JSON says. Raises ValueError for nonsense, and for a number that is too large, infinite, or none."""
    return json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_float)


def _float(text: str) -> float:
    """A number with a point, or one of JavaScript's that JSON does not have."""
    value = float(text)
    if not -LARGEST <= value <= LARGEST:  # not a number is neither
        raise ValueError(f"{text[:20]} cannot be reckoned with")
    return value


def _int(text: str) -> int:
    """A whole number."""
    value = int(text)
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{text[:20]} cannot be reckoned with")
    return value
