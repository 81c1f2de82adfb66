"""Words about operations: how far they are, and how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fleetview.fleet import Ended
from fleetview.present.numbers import age, duration, percent, size
from fleetview.present.text import DASH, ELLIPSIS, Line, Tone, fitting, joined, plain
from fleetview.verbs import VERBS

if TYPE_CHECKING:
    from fleetview_agent.wire import KeepRequest, Operation, Phase, Request, Transfer

PHASES: dict[Phase, str] = {
    "queued": "queued",
    "plan": "plan",
    "drain": "drain",
    "evict": "evict",
    "load": "load",
    "warm": "warm",
    "stop": "stop",
    "start": "start",
    "keep": "keep",
    "pull": "pull",
    "create": "create",
    "copy": "copy",
    "verify": "verify",
    "wait": "wait",
    "delete": "delete",
    "ready": "ready",
    "roll_back": "roll back",
}
DONE = {verb.name: verb.done for verb in VERBS if verb.done}
"""What each verb has done, in a word or two."""
_TELLING = 0.05
"""The share of a load from which on its speed says how long the rest takes."""
_TAKES_TIME = frozenset({"swap", "load", "start", "restart", "pull", "create", "copy"})
"""Verbs whose end is told to whoever asked, who looks elsewhere by then."""


def subject(request: Request) -> str:
    """What a request is about, by its short name: the model, or the engine alone."""
    from fleetview_agent.wire import ServerRequest  # the first paint does not wait for the wire models

    return plain(request.backend if isinstance(request, ServerRequest) else request.model)


def named(request: Request) -> str:
    """The same with its engine: `BACKEND/MODEL`."""
    from fleetview_agent.wire import target  # the first paint does not wait for the wire models

    return plain(target(request))


def done_ratio(operation: Operation) -> float | None:
    """The share of the phase that is done, where anyone knows it."""
    transfer = operation.transfer
    if operation.progress is None and transfer is not None and transfer.total_bytes:
        return min(1.0, transfer.done_bytes / transfer.total_bytes)
    return operation.progress


def tone(operation: Operation) -> Tone:
    """How an operation in hand looks."""
    return "warm" if operation.phase == "roll_back" else "accent"


def did(operation: Operation) -> str:
    """What an operation has done."""
    from fleetview_agent.wire import (  # the first paint does not wait for the wire models
        KeepRequest,
        LoadRequest,
        SwapRequest,
    )

    request = operation.request
    if isinstance(request, KeepRequest):
        return stays(request)
    if isinstance(request, LoadRequest | SwapRequest) and operation.phases and not _loaded(operation):
        return "was in memory already"
    return DONE[request.verb]


def _loaded(operation: Operation) -> bool:
    """Whether anything was put into memory."""
    return any(row.phase == "load" for row in operation.phases)


def stays(request: KeepRequest) -> str:
    """How long a model is to stay."""
    if request.keep is None:
        return f"stays as long as {plain(request.backend)} likes"
    return "stays for good" if request.keep == "forever" else f"stays {age(request.keep)} after its last answer"


def outcome(operation: Operation) -> str:
    """How an operation ended that is not done."""
    result = "refused" if operation.refused else (operation.result or "").replace("_", " ")
    return f"{result}: {plain(operation.cause)}" if operation.cause else result


def told(operation: Operation, author: str) -> tuple[str, Literal["information", "error"]] | None:
    """What a notice says of an operation that has ended, and how grave that is; None where nobody waits for it.

    Failures are everybody's business; what succeeded is told to whoever asked for it, where it takes its time.
    """
    request = operation.request
    if operation.result is None:
        return None
    if operation.result != "done":
        return f"{request.verb} of {subject(request)} {outcome(operation)}; ! tells why", "error"
    if request.author != author or operation.reason is not None or request.verb not in _TAKES_TIME:
        return None
    took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
    undo = "; u undoes it" if undoable(operation) else ""
    return f"{named(request)} {did(operation)}, {duration(took)}{undo}", "information"


def undoable(operation: Operation) -> bool:
    """Whether its node would take it back, as far as can be told from here."""
    return operation.result == "done" and operation.inverse is not None and operation.undoes is None


def transferred(transfer: Transfer) -> str:
    """How far bytes have come, how fast, and how long it will take: `1.2G of 4.6G, 34M/s, 2 min left`."""
    of = "" if transfer.total_bytes is None else f" of {size(transfer.total_bytes)}"
    parts = [f"{size(transfer.done_bytes)}{of}"]
    if transfer.bytes_per_second is not None:
        parts.append(f"{size(transfer.bytes_per_second)}/s")
    if transfer.seconds_left is not None:
        parts.append(f"{age(transfer.seconds_left)} left")
    return ", ".join(parts)


def time_left(operation: Operation, clock: float | None) -> str:
    """How long a load will take still, at a time of the node's clock: by its plan, else by how far it is.

    Empty where nobody knows.
    """
    loads = (row for row in operation.phases if row.phase == "load")
    began_at = next((row.began_at for row in loads), None)
    if clock is None or began_at is None or operation.phase not in {"load", "warm"}:
        return ""
    gone, expected, ratio = clock - began_at, operation.expected_seconds, operation.progress
    if expected is None and ratio is not None and ratio >= _TELLING and operation.phase == "load":
        expected = gone / ratio
    if expected is None:
        return ""
    return f"about {age(max(1.0, expected - gone))} left" if expected > gone else "longer than expected"


def in_hand(operation: Operation, clock: float | None = None) -> Line:
    """An operation that waits or goes on, in one line, at a time of its node's clock."""
    return joined(_in_hand(operation, clock))


def in_hand_in(operation: Operation, width: int, clock: float | None = None) -> Line:
    """The same in at most `width` cells; who asked gives way first."""
    return fitting(_in_hand(operation, clock), width)


def _in_hand(operation: Operation, clock: float | None) -> tuple[Line, ...]:
    """What is done, how far it is, what it costs, who asked, and why."""
    request = operation.request
    parts: list[Line] = [((f"{request.verb} ", "plain"), (named(request), "strong"))]
    ratio = done_ratio(operation)
    words = [] if operation.phase == request.verb else [PHASES[operation.phase]]
    words += [] if ratio is None else [percent(ratio)]
    if words:
        parts.append(((" ".join(words), tone(operation)),))
    if remains := time_left(operation, clock):
        parts.append(((remains, "plain"),))
    if operation.transfer:
        parts.append(((transferred(operation.transfer), "plain"),))
    if operation.evictions:
        verb = "leaves" if len(operation.evictions) == 1 else "leave"
        parts.append(((f"{plain(', '.join(operation.evictions))} {verb}", "plain"),))
    return (*parts, *_why(operation))


def _why(operation: Operation) -> tuple[Line, ...]:
    """What it takes back, who asked, and why where no operator did."""
    parts: list[Line] = []
    if operation.undoes:
        parts.append(((f"undoes {plain(operation.undoes)}", "plain"),))
    reason = f": {plain(operation.reason)}" if operation.reason else ""
    return (*parts, ((f"by {plain(operation.request.author)}{reason}", "dim"),))


def over(end: Ended, now: float) -> Line:
    """An operation that has ended, in one line."""
    operation = end.operation
    request = operation.request
    ago: Line = ((f"{age(now - end.heard_at)} ago", "dim"),)
    about: Line = ((named(request), "strong"),)
    if operation.result == "done":
        took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
        done: Line = (("✓ ", "good"), *about, (f" {did(operation)}", "plain"))
        undo: Line = (("u undoes it", "accent"),) if undoable(operation) else ()
        return joined((done, undo, ((duration(took), "plain"),), ago, *_why(operation)))
    return joined(((("✗ ", "hot"), *about, (f" {outcome(operation)}", "hot")), ago, *_why(operation)))


def times(operation: Operation) -> Line:
    """The phases of an operation with their times."""
    lasting = ELLIPSIS if operation.result is None else DASH
    parts = ((phase.phase, lasting if phase.seconds is None else duration(phase.seconds)) for phase in operation.phases)
    return joined(tuple(((f"{PHASES[name]} ", "plain"), (text, "dim")) for name, text in parts))
