"""What is to be measured, and how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetview_agent.wire import BackendState, Machine, ModelFile, ResidentModel, Sample


PROMPT_TOKENS, GENERATED_TOKENS, RUNS = 512, 128, 5
"""What is measured where nothing else is said."""


@dataclass(frozen=True)
class Lengths:
    """How much is read and written, and how often."""

    pp: int = PROMPT_TOKENS
    tg: int = GENERATED_TOKENS
    runs: int = RUNS


QUICK = Lengths(128, 32, 3)
FULL = Lengths()


@dataclass(frozen=True)
class Task:
    """What is to be measured, and how."""

    node: str
    backend: str
    resident: ResidentModel
    file: ModelFile | None
    machine: Machine
    sample: Sample | None
    """The newest one before anything was measured."""
    pp: int
    tg: int
    runs: int

    @property
    def model(self) -> str:
        """`BACKEND/MODEL`."""
        return f"{self.backend}/{self.resident.name}"

    @property
    def key(self) -> tuple[str, str]:
        """Node and model, by which tasks are told apart."""
        return self.node, self.model

    @property
    def ceiling(self) -> float | None:
        """Tokens per second that the bandwidth of the memory allows."""
        read = self.file.bytes_per_token if self.file else None
        speed = self.machine.memory_bytes_per_second
        return speed / read if speed and read else None


def ready_tasks(
    node: str, machine: Machine, backends: Iterable[BackendState], sample: Sample | None, lengths: Lengths
) -> tuple[Task, ...]:
    """A task for every model of the node that can answer."""
    return tuple(
        Task(
            node=node,
            backend=state.backend,
            resident=row,
            file=next((file for file in state.models if file.name == row.name), None),
            machine=machine,
            sample=sample,
            pp=lengths.pp,
            tg=lengths.tg,
            runs=lengths.runs,
        )
        for state in backends
        for row in state.resident
        if row.phase == "ready"
    )
