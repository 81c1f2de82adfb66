"""The first event of a stream, by which an agent is known, and by which a foreign version is."""

from __future__ import annotations

from pydantic import ValidationError

from fleetview.remote.errors import Unreachable
from fleetview_agent.wire import PROTOCOL, Event, Snapshot, decode_event
from fleetview_agent.wire.numbers import parse

OLDEST_PROTOCOL = 1
"""What an agent must speak at least."""


def first_event(name: str, line: bytes) -> Event | None:
    """A line before the snapshot; None for a type that a newer agent may know.

    Raises Unreachable for a snapshot of a version that cannot be understood, ValueError for nonsense.
    """
    value = parse(line)
    return known_snapshot(name, value) if is_snapshot(value) else decode_event(line)


def is_snapshot(value: object) -> bool:
    """Whether the value says that it is a snapshot, of whatever version."""
    return isinstance(value, dict) and value.get("type") == "snapshot"


def known_snapshot(name: str, value: object) -> Snapshot:
    """What says that it is a snapshot. Raises Unreachable where its version cannot be understood."""
    protocol = _protocol(value)
    if protocol < OLDEST_PROTOCOL:
        raise Unreachable(
            f"agent too old: the one of {name} speaks protocol {protocol}, and fleetview needs {OLDEST_PROTOCOL}",
            f"upgrade fleetview-agent on {name}",
        )
    try:
        return Snapshot.model_validate(value)
    except ValidationError as problem:
        hint = "upgrade fleetview" if protocol > PROTOCOL else f"install the same version of both on {name} and here"
        told = f"the agent of {name} speaks protocol {protocol}, and fleetview cannot read what it says of the node"
        raise Unreachable(told, hint) from problem


def _protocol(value: object) -> int:
    """The protocol that a snapshot names; the first one where it names none that makes sense."""
    told = value.get("protocol") if isinstance(value, dict) else None
    return told if isinstance(told, int) and not isinstance(told, bool) else 1
