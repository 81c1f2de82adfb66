"""A fleet in which every key of the dashboard has something to do."""

from __future__ import annotations

from fleetview.fleet import LinkDown, LinkUp
from fleetview_agent.wire import BackendState, LogLine, OperationChanged, ResidentModel
from tests.builders import (
    GIB,
    a_backend_state,
    a_model_file,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
    an_operation,
    an_unload_request,
)
from tests.tui.fake_fleet import AT, FakeFleet

NODES = ("desk", "studio", "tower", "lost")
"""The first does all; the others are for keys that need an operation, a failure, a lost connection."""
ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "delete")
MODELS = tuple(
    a_model_file(name, size_bytes=size * GIB, default_context=8192)
    for name, size in (("alpha:8b", 8), ("beta:14b", 14), ("gamma:70b", 42))
)
UNDOABLE = an_operation(id="op-done", phase="ready", result="done", ended_at=AT, inverse=an_unload_request("alpha:8b"))
FAILED = an_operation(id="op-failed", phase="ready", result="failed", cause="out of memory", ended_at=AT)


def ollama(*resident: ResidentModel) -> BackendState:
    """An Ollama that has every file."""
    return a_backend_state("ollama", models=MODELS, resident=resident, abilities=ABILITIES, address="127.0.0.1:11434")


def workbench() -> FakeFleet:
    """One node with a model, one with an operation in hand, one that is in trouble, one that is lost."""
    samples = (a_sample(traffic=()),)
    hurt = (a_sample(pressure="critical", traffic=()),)
    swap = an_operation(id="op-swap", request=a_swap_request("beta:14b"))
    return FakeFleet(
        {
            "desk": (
                LinkUp(),
                a_snapshot(backends=(ollama(a_resident("alpha:8b")),), samples=samples),
                OperationChanged(operation=UNDOABLE),
            ),
            "studio": (LinkUp(), a_snapshot(backends=(ollama(),), samples=samples, operations=(swap,))),
            "tower": (LinkUp(), a_snapshot(backends=(ollama(),), samples=hurt), OperationChanged(operation=FAILED)),
            "lost": (LinkDown("no route to host", 12.0),),
        }
    )


def written() -> tuple[LogLine, ...]:
    """What the agent and the engine of a node wrote."""
    return tuple(
        LogLine(at=AT + number, source="agent" if number == 0 else "ollama", level="info", text=f"line {number}")
        for number in range(4)
    )
