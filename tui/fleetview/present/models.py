"""Words about models and operations."""

from __future__ import annotations

from fleetview.fleet import ENDED_SECONDS, Ended, NodeState
from fleetview.present import measures
from fleetview.present.numbers import age, context, duration, percent, rate, size
from fleetview.present.text import DASH, ELLIPSIS, Line, Tone, cut, filled, fitting, joined, plain, width_of
from fleetview_agent.wire import Operation, Phase, ResidentModel, Traffic

PHASES: dict[Phase, str] = {
    "queued": "queued",
    "plan": "plan",
    "drain": "drain",
    "evict": "evict",
    "load": "load",
    "warm": "warm",
    "ready": "ready",
    "roll_back": "roll back",
}
_DONE = {"swap": "swapped in", "load": "loaded", "unload": "unloaded"}
_NAME = 5
"""Cells that a model's name gets at least; where there are fewer, it stands alone."""
_LONGEST_BAR = 40


def cell(node: NodeState, now: float, width: int) -> Line:
    """What runs here: the operation in hand, else the one that just ended, else the resident models."""
    if node.operations:
        return _operating(node.operations[0], len(node.operations) - 1, width)
    if node.ended and now - node.ended[-1].heard_at < ENDED_SECONDS:
        return _just_ended(node.ended[-1].operation, width)
    if not node.resident:
        return ((DASH, "dim"),)
    return _resident(node, width)


def _operating(operation: Operation, more: int, width: int) -> Line:
    """An operation in hand: the model that it is about and its phase, on a bar where the engine tells its progress."""
    phase = PHASES[operation.phase]
    tone: Tone = "warm" if operation.phase == "roll_back" else "accent"
    waiting = f" +{more}" if more else ""
    if operation.progress is None:
        return _named(operation.request.model, "strong", ((f" {phase}", tone), (waiting, "dim")), width)
    width = min(width, _LONGEST_BAR)
    suffix: Line = ((f" {phase} {percent(operation.progress)}{waiting}", tone),)
    line = _named(operation.request.model, "strong", suffix, width)
    gap = width - width_of(line)
    return filled((line[0], (" " * max(0, gap), "plain"), *line[1:]), operation.progress, width)


def _just_ended(operation: Operation, width: int) -> Line:
    """The result of an operation."""
    took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
    if operation.result == "done":
        said = "" if operation.request.verb != "unload" else " unloaded"
        return (
            ("✓ ", "good"),
            *_named(operation.request.model, "strong", ((f"{said} {duration(took)}", "good"),), width - 2),
        )
    result = outcome(operation) if width >= _ROOMY else outcome(operation).partition(":")[0]
    return (("✗ ", "hot"), (f"{result} ", "hot"), (plain(operation.request.model), "plain"))


_ROOMY = 40
"""Cells from which there is room for the cause of a failure."""


def outcome(operation: Operation) -> str:
    """How an operation ended that is not done."""
    result = "refused" if operation.refused else (operation.result or "").replace("_", " ")
    return f"{result}: {plain(operation.cause)}" if operation.cause else result


def _resident(node: NodeState, width: int) -> Line:
    """The resident model that matters most, and how many others there are."""
    models = sorted((model for _, model in node.resident), key=lambda model: _ORDER[model.phase])
    first = models[0]
    suffix: Line = ((f" +{len(models) - 1}", "dim"),) if len(models) > 1 else ()
    match first.phase:
        case "failed":
            suffix = ((" failed", "hot"), *suffix)
        case "loading":
            progress = "" if first.progress is None else f" {percent(first.progress)}"
            suffix = ((f" load{progress}", "accent"), *suffix)
        case "unloading":
            suffix = ((" leaves", "accent"), *suffix)
        case "ready":
            if waits := measures.waiting(node):
                suffix = (*suffix, (f" {waits} wait", "warm"))
    return _named(first.name, "plain", suffix, width)


_ORDER = {"failed": 0, "loading": 1, "unloading": 2, "ready": 3}


def _named(name: str, tone: Tone, suffix: Line, width: int) -> Line:
    """A model's name, which gives way, and what must stay."""
    room = width - width_of(suffix)
    return ((cut(plain(name), room), tone), *suffix) if room >= _NAME else ((cut(plain(name), width), tone),)


def facts(node: NodeState, backend: str, model: ResidentModel, now: float, width: int) -> Line:
    """A resident model in one line: name, quantization, memory, context, engine, and what it does."""
    heard = node.backends_heard_at.get(backend, now)
    title: Line = ((plain(model.name), "strong"),)
    if model.phase == "failed":
        return fitting((title, *life(model, None, 0.0)), width)
    if model.quantization and model.quantization.casefold() not in model.name.casefold():
        title = (*title, (f" {plain(model.quantization)}", "plain"))
    texts = (size(model.memory_bytes), f"{context(model.context)} context", plain(backend))
    about: tuple[Line, ...] = tuple(((text, "plain"),) for text in texts)
    return fitting((title, *about, *life(model, node.traffic(backend, model.name), now - heard)), width)


def life(model: ResidentModel, traffic: Traffic | None, since: float) -> tuple[Line, ...]:
    """Phase, pin, expiry and work of a resident model, `since` seconds after its state came."""
    parts: list[Line] = []
    if model.phase == "failed":
        reason = plain(model.failure.reason) if model.failure else "for an unknown reason"
        return ((("failed: ", "hot"), (reason, "hot")),)
    if model.phase != "ready":
        parts.append(
            ((" ".join((model.phase, percent(model.progress) if model.progress is not None else "")), "accent"),)
        )
    if model.pinned:
        parts.append((("pinned", "accent"),))
    if model.expires_in_seconds is not None:
        parts.append(((f"leaves in {age(model.expires_in_seconds - since)}", "plain"),))
    parts += work(traffic)
    if model.idle_seconds is not None and not (traffic and traffic.in_flight):
        parts.append(((f"idle {age(model.idle_seconds + since)}", "dim"),))
    return tuple(parts)


def work(traffic: Traffic | None) -> tuple[Line, ...]:
    """What a model does for its clients just now."""
    if traffic is None or not (traffic.in_flight or traffic.queued):
        return ()
    parts: list[Line] = [((f"{traffic.in_flight} in flight", "good"),)]
    if traffic.queued:
        parts.append(((f"{traffic.queued} waiting", "warm"),))
    if traffic.prompt_progress is not None:
        parts.append(((f"reading prompt {percent(traffic.prompt_progress)}", "plain"),))
    if traffic.prompt_tokens_per_second is not None:
        parts.append(((f"prompt {rate(traffic.prompt_tokens_per_second)} tok/s", "plain"),))
    if traffic.generation_tokens_per_second:
        parts.append(((f"{rate(traffic.generation_tokens_per_second)} tok/s", "plain"),))
    return tuple(parts)


def in_hand(operation: Operation) -> Line:
    """An operation that waits or goes on, in one line."""
    tone: Tone = "warm" if operation.phase == "roll_back" else "accent"
    progress = "" if operation.progress is None else f" {percent(operation.progress)}"
    request = operation.request
    parts: list[Line] = [
        ((f"{request.verb} ", "plain"), (plain(request.model), "strong")),
        ((f"{PHASES[operation.phase]}{progress}", tone),),
    ]
    if operation.evictions:
        parts.append(((f"{plain(', '.join(operation.evictions))} leaves", "plain"),))
    parts.append(((f"by {plain(request.author)}", "dim"),))
    return joined(tuple(parts))


def over(end: Ended, now: float) -> Line:
    """An operation that has ended, in one line."""
    operation = end.operation
    request = operation.request
    ago: Line = ((f"{age(now - end.heard_at)} ago", "dim"),)
    author: Line = ((f"by {plain(request.author)}", "dim"),)
    model: Line = ((plain(request.model), "strong"),)
    if operation.result == "done":
        took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
        done: Line = (("✓ ", "good"), *model, (f" {_DONE[request.verb]}", "plain"))
        return joined((done, ((duration(took), "plain"),), ago, author))
    return joined(((("✗ ", "hot"), *model, (f" {outcome(operation)}", "hot")), ago, author))


def times(operation: Operation) -> Line:
    """The phases of an operation with their times."""
    lasting = ELLIPSIS if operation.result is None else DASH
    parts = ((phase.phase, lasting if phase.seconds is None else duration(phase.seconds)) for phase in operation.phases)
    return joined(tuple(((f"{PHASES[name]} ", "plain"), (text, "dim")) for name, text in parts))
