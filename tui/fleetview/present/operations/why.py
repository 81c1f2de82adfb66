"""The last failure of a node: what failed, why, what the engine said last, and what to do. Pure."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState
from fleetview.present.numbers import moment, size
from fleetview.present.operations.progress import named, outcome
from fleetview.present.text import DASH, Line, Tone, plain
from fleetview.present.wrapping import wrapped

if TYPE_CHECKING:
    from fleetview_agent.wire import Failure, History, Operation, Sample

LAST_LINES = 12
"""Of the engine, that are shown."""
NEAR_SECONDS = 15.0
"""A reading that is further from the failure says nothing of it."""
_LABEL = len("memory then  ")
_PRESSURES = ("normal", "warning", "critical")
"""As a history counts them."""
_ADVICE: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("out of memory", "insufficient memory", "failed to allocate", "does not fit", "cudamalloc"),
        "The memory did not suffice: load it with a smaller context, let others leave (s, tab), or use another node.",
    ),
    (
        ("unknown model architecture", "unknown architecture", "unsupported architecture"),
        "The engine does not know this kind of model yet: upgrade the engine, or take another model.",
    ),
    (
        (
            "within the file bounds",
            "missing tensor",
            "corrupt",
            "truncated",
            "cut off",
            "invalid magic",
            "not a gguf",
            "checksum",
        ),
        "The file is damaged: delete it (D) and pull it again (P).",
    ),
    (("no space left", "disk full", "disk is full"), "The disk is full: delete models that nobody needs (D)."),
    (("timed out", "took longer", "does not answer"), "The engine hangs: restart it (a)."),
    (("no such file", "not found"), "What it needs is not there: pull the model (P), or look where its files went."),
)
"""What stands in a reason or in a last line → what to do about it; the first that holds."""
_KILLED = (
    "It was killed from outside, mostly by the system for want of memory: load it with a smaller context, or let "
    "others leave."
)
_CRASHED = "The engine crashed: load the model again; if that happens again, upgrade the engine or take another file."
_USUAL = "The engine's lines say more; l shows its whole log, and h what else is wrong with the node."
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


@dataclass(frozen=True)
class Trouble:
    """One failure, as far as it is known."""

    node: str
    what: str
    """What was done, or runs no more."""
    reason: str
    log: tuple[str, ...] = ()
    exit_status: int | None = None
    at: float | None = None
    """By the node's clock; None where nobody says."""


@dataclass(frozen=True)
class Then:
    """How the machine was at that time."""

    memory_bytes: float | None = None
    pressure: str | None = None
    swap_bytes: float | None = None


def trouble(node: NodeState) -> Trouble | None:
    """The last failure that the node's state tells of: an operation's, else a model's or an engine's."""
    standing = tuple(_standing(node))
    last = node.last.operation if node.last else None
    if last is not None and last.result != "done":
        return of_operation(node.name, last, standing)
    return standing[0] if standing else None


def of_operation(node: str, operation: Operation, standing: Iterable[Trouble] = ()) -> Trouble:
    """Why an operation did not end as done; `standing` failures may know the exit status of the same process."""
    status = next((one.exit_status for one in standing if one.log and one.log == operation.log), None)
    what = f"{operation.request.verb} {named(operation.request)}"
    return Trouble(node, what, outcome(operation), operation.log, status, operation.ended_at)


def _standing(node: NodeState) -> Iterable[Trouble]:
    """Models and engines that have failed."""
    for backend, model in node.resident:
        if model.phase == "failed":
            yield _of(node.name, f"{backend}/{model.name}", model.failure, "its engine does not say why")
    for state in node.backends.values():
        if state.phase == "failed":
            yield _of(node.name, state.backend, state.failure, "it does not say why")


def _of(node: str, what: str, failure: Failure | None, silence: str) -> Trouble:
    """A failure in our words; `silence`: what is said where it has none."""
    return (
        Trouble(node, what, failure.reason, failure.log, failure.exit_status)
        if failure
        else Trouble(node, what, silence)
    )


def ended(status: int | None) -> str | None:
    """An exit status in words; negative for a signal."""
    if status is None:
        return None
    if status >= 0:
        return str(status)
    try:
        return f"signal {-status} ({signal.Signals(-status).name})"
    except ValueError:
        return f"signal {-status}"


def advice(one: Trouble) -> str:
    """What to do about a failure."""
    said = "\n".join((one.reason, *one.log)).casefold()
    for words, what in _ADVICE:
        if any(word in said for word in words):
            return what
    if one.exit_status == -signal.SIGKILL or "sigkill" in said or "signal 9" in said:
        return _KILLED
    if one.exit_status is not None and -one.exit_status in _CRASHES:
        return _CRASHED
    return _USUAL


def nearest(samples: Iterable[Sample], at: float | None) -> Then | None:
    """How the machine was at a time, by its readings; None where there is none of then."""
    if at is None:
        return None
    one = min(samples, key=lambda sample: abs(sample.at - at), default=None)
    if one is None or abs(one.at - at) > NEAR_SECONDS:
        return None
    return Then(one.memory_used_bytes, one.pressure, one.swap_used_bytes)


def remembered(history: History, at: float) -> Then | None:
    """The same by a history that has that time in it."""
    step = int((at - history.began_at) // history.step_seconds)

    def figure(name: str) -> float | None:
        curve = history.figures.get(name)
        return curve.high[step] if curve and 0 <= step < len(curve.high) else None

    level = figure("pressure")
    word = None if level is None else _PRESSURES[min(max(round(level), 0), len(_PRESSURES) - 1)]
    then = Then(figure("memory_used_bytes"), word, figure("swap_used_bytes"))
    return None if then == Then() else then


def card(one: Trouble, then: Then | None, width: int) -> tuple[Line, ...]:
    """Everything about a failure, in lines of a width."""
    facts: Mapping[str, str | None] = {
        "what failed": plain(one.what),
        "why": plain(one.reason),
        "when": None if one.at is None else moment(one.at),
        "exit status": ended(one.exit_status),
        "memory then": _memory(then) if one.at is not None else None,
    }
    lines: list[Line] = []
    for label, text in facts.items():
        if text is not None:
            tone: Tone = "hot" if label == "why" else "plain"
            lines += wrapped(((label.ljust(_LABEL), "dim"), (text, tone)), width, _LABEL)
    lines.append(())
    lines += wrapped((("what to do   ", "dim"), (advice(one), "strong")), width, _LABEL)
    lines += [(), (("The engine's last lines", "heading"),)]
    told = one.log[-LAST_LINES:]
    if not told:
        return (*lines, (("It wrote none, or none was kept.", "dim"),))
    for text in told:
        lines += wrapped(((plain(text), "plain"),), width)
    return tuple(lines)


def _memory(then: Then | None) -> str:
    """Memory and pressure at the time of the failure."""
    if then is None:
        return f"{DASH} (nothing was read then)"
    parts = [f"{size(then.memory_bytes)} in use", f"pressure {then.pressure or DASH}", f"swap {size(then.swap_bytes)}"]
    return ", ".join(parts)
