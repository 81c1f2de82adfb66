"""A node as it was last heard of, as one line of a file."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, FiniteFloat, ValidationError

from fleetview.fleet import NodeState
from fleetview_agent.wire import BackendState, Machine, Sample

Identity = tuple[str, ...]
"""What a node of a fleet file is known by: its name, and the way to it."""


class Record(BaseModel):
    """One node."""

    identity: Identity
    heard: FiniteFloat
    """Seconds since 1970, on the clock of this machine."""
    machine: Machine
    backends: tuple[BackendState, ...]
    sample: Sample | None = None

    def restored(self, node: NodeState, heard_at: float) -> NodeState:
        """The node as it was, before the first word of its agent."""
        backends = {state.backend: state for state in self.backends}
        return replace(
            node,
            heard_at=heard_at,
            machine=self.machine,
            backends=backends,
            backends_heard_at=dict.fromkeys(backends, heard_at),
            samples=() if self.sample is None else (self.sample,),
        )


def record_of(line: bytes) -> Record | None:
    """What a line says; None where it is damaged or foreign."""
    try:
        return Record.model_validate_json(line)
    except ValidationError:
        return None


def line_of(who: Identity, heard: float, machine: Machine, node: NodeState) -> bytes:
    """The line of a node on its machine. Raises ValueError where it cannot be written: half a character in a name."""
    sample = node.sample and node.sample.model_copy(update={"traffic": ()})  # what a model did is of that moment alone
    record = Record(identity=who, heard=heard, machine=machine, backends=tuple(node.backends.values()), sample=sample)
    return record.model_dump_json(exclude_none=True).encode()
