"""Operations: what a request would do, and how it goes."""

from __future__ import annotations

from typing import Literal, get_args

from fleetview_agent.wire.base import Wire
from fleetview_agent.wire.requests import Request

Phase = Literal[
    "queued",
    "plan",
    "drain",
    "evict",
    "load",
    "warm",
    "stop",
    "start",
    "keep",
    "pull",
    "create",
    "copy",
    "verify",
    "wait",
    "delete",
    "ready",
    "roll_back",
]
Result = Literal["done", "failed", "rolled_back", "interrupted"]
Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]
Confidence = Literal["measured", "computed", "unknown"]


class Plan(Wire):
    """What a request would do. Nothing has happened."""

    request: Request
    already_resident: bool = False
    """Nothing would change: the model is in memory with this context."""
    evictions: tuple[str, ...] = ()
    """`BACKEND/MODEL` that would leave."""
    waits_for: int = 0
    """Requests being answered by those that leave."""
    context: int | None = None
    need_bytes: int | None = None
    weights_bytes: int | None = None
    cache_bytes: int | None = None
    """Key-value cache for `context` tokens."""
    compute_bytes: int | None = None
    """Buffers for reading one batch of the prompt."""
    other_bytes: int | None = None
    """Recurrent state, projector, prompt cache and the process around it."""
    room_bytes: int | None = None
    """What would be free for it once the evictions are gone."""
    room_evidence: str | None = None
    """The bounds that the room is the smallest of, for people."""
    memory_before_bytes: int | None = None
    memory_after_bytes: int | None = None
    memory_limit_bytes: int | None = None
    """Of the GPU, or of the machine where models run on the CPU."""
    verdict: Verdict
    confidence: Confidence
    expected_seconds: float | None = None
    """To load and to generate one token, by what loads of this file, else of the one nearest in size, took here;
    how long answers in progress go on is not in it."""
    expected_cold: bool | None = None
    """Whether that is for a file that must be read from the disk; None where that is not known, or no time expected."""
    undoes: str | None = None
    """The id of the operation that this takes back."""
    undone: Request | None = None
    """What that operation had been asked to do."""
    cancels: str | None = None
    """The id of the operation in hand that an undo would simply cancel: `request` is that operation's."""
    supervisor: str | None = None
    """Who runs the server that would be started or stopped."""
    commands: tuple[str, ...] = ()
    """Every command that would be run on the node, as one would type it."""
    refusal: str | None = None
    """Why it would be refused; None for a plan that can be carried out."""


class Transfer(Wire):
    """How far bytes have come on their way to the node's disk."""

    done_bytes: int
    total_bytes: int | None = None
    """None while it is not known how much it will be."""
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    step: str | None = None
    """What the engine is doing, in its own words."""


class PhaseTime(Wire):
    """A phase of an operation and how long it took; None while it lasts."""

    phase: Phase
    seconds: float | None = None
    began_at: float | None = None
    """By the node's clock; None where its agent is too old to say."""


class Operation(Wire):
    """One change of the node: waiting, in hand, or ended."""

    id: str
    request: Request
    phase: Phase
    phases: tuple[PhaseTime, ...] = ()
    progress: float | None = None
    """Of the phase, where the engine tells it."""
    transfer: Transfer | None = None
    """Of a pull, a create or a copy, as it goes on."""
    expected_seconds: float | None = None
    """From the first load to the last token that shows it works, by the plan; None where nobody knows."""
    evictions: tuple[str, ...] = ()
    queued_at: float
    ended_at: float | None = None
    result: Result | None = None
    """None until it has ended."""
    cause: str | None = None
    """Why it did not end as `done`, in a sentence."""
    log: tuple[str, ...] = ()
    """The engine's last lines, where it failed."""
    reason: str | None = None
    """Why it was begun, where no operator asked for it."""
    refused: bool = False
    """True where nothing was tried: it does not fit, or the file is unusable."""
    inverse: Request | None = None
    """What undoes it."""
    undoes: str | None = None
    """The id of the operation that this one takes back."""


_VERBS = frozenset(request.model_fields["verb"].default for request in get_args(get_args(Request)[0]))


def understood(rows: object) -> object:
    """Operations as they came, without those whose verb or phase only a newer version knows."""
    return [row for row in rows if _is_understood(row)] if isinstance(rows, list | tuple) else rows


def _is_understood(row: object) -> bool:
    """Whether nothing in it is new; what makes no sense at all is left for whoever reads it to say."""
    if not isinstance(row, dict):
        return True
    request, phase = row.get("request"), row.get("phase")
    verb = request.get("verb") if isinstance(request, dict) else None
    return (not isinstance(verb, str) or verb in _VERBS) and (not isinstance(phase, str) or phase in get_args(Phase))
