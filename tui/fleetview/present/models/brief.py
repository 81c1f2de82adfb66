"""A model in a few words: in a cell of a table, or on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetview.fleet import ENDED_SECONDS, NodeState, of_disk
from fleetview.present import measures
from fleetview.present.numbers import age, context, duration, percent, rate, size
from fleetview.present.operations import progress
from fleetview.present.text import DASH, Line, Tone, cut, filled, fitting, plain, width_of

if TYPE_CHECKING:
    from fleetview_agent.wire import Operation, ResidentModel, Traffic

_NAME = 5
"""Cells that a model's name gets at least; where there are fewer, it stands alone."""
_LONGEST_BAR = 40
PIN = " ⚑"
"""Stands behind a model that leaves only when it is named."""


def cell(node: NodeState, now: float, width: int) -> Line:
    """What runs here: the operation in hand, else the one that just ended, else the resident models.

    What changes the disk alone may take an hour, and stands beside the models.
    """
    aside = tuple(one for one in node.operations if of_disk(one))
    others = tuple(one for one in node.operations if one not in aside)
    if others:
        return _operating(others[0], len(node.operations) - 1, width)
    if node.ended and now - node.ended[-1].heard_at < ENDED_SECONDS:
        return _just_ended(node.ended[-1].operation, width)
    if not node.resident:
        return _operating(aside[0], len(aside) - 1, width) if aside else ((DASH, "dim"),)
    return _resident(node, aside, width)


def _operating(operation: Operation, more: int, width: int) -> Line:
    """An operation in hand: what it is about and its phase, on a bar where the engine tells its progress."""
    phase, name = progress.PHASES[operation.phase], progress.subject(operation.request)
    waiting = f" +{more}" if more else ""
    if (ratio := progress.done_ratio(operation)) is None:
        return _named(name, "strong", ((f" {phase}", progress.tone(operation)), (waiting, "dim")), width)
    width = min(width, _LONGEST_BAR)
    suffix: Line = ((f" {phase} {percent(ratio)}{waiting}", progress.tone(operation)),)
    line = _named(name, "strong", suffix, width)
    gap = width - width_of(line)
    return filled((line[0], (" " * max(0, gap), "plain"), *line[1:]), ratio, width)


def _just_ended(operation: Operation, width: int) -> Line:
    """The result of an operation."""
    took = None if operation.ended_at is None else operation.ended_at - operation.queued_at
    name = progress.subject(operation.request)
    if operation.result == "done":
        suffix: Line = ((f" {duration(took)}", "good"),)
        if operation.request.verb not in {"swap", "load"}:  # without the word it would look as if it were there
            suffix = ((f" {progress.DONE[operation.request.verb]}", "good"), *suffix)
        return (("✓ ", "good"), *_named(name, "strong", suffix, width - 2))
    told = progress.outcome(operation)
    result = told if width >= _ROOMY else told.partition(":")[0]
    return (("✗ ", "hot"), (f"{result} ", "hot"), (name, "plain"))


_ROOMY = 40
"""Cells from which there is room for the cause of a failure."""


def _resident(node: NodeState, aside: tuple[Operation, ...], width: int) -> Line:
    """The resident model that matters most, how many others there are, and what is done beside them."""
    models = sorted((model for _, model in node.resident), key=lambda model: _ORDER[model.phase])
    first = models[0]
    suffix: Line = ((f" +{len(models) - 1}", "dim"),) if len(models) > 1 else ()
    match first.phase:
        case "failed":
            suffix = ((" failed", "hot"), *suffix)
        case "orphaned":
            suffix = ((" orphaned", "warm"), *suffix)
        case "loading":
            share = "" if first.progress is None else f" {percent(first.progress)}"
            suffix = ((f" load{share}", "accent"), *suffix)
        case "unloading":
            suffix = ((" leaves", "accent"), *suffix)
        case "ready":
            pin: Line = ((PIN, "accent"),) if first.pinned else ()
            waits = measures.waiting(node)
            suffix = (*pin, *suffix, *(((f" {waits} wait", "warm"),) if waits else ()))
            suffix = (*suffix, *_in_flight(node, width - width_of((*suffix, (plain(first.name), "plain")))))
    if aside:
        ratio = progress.done_ratio(aside[0])
        suffix = (*suffix, (f" · {aside[0].request.verb}{'' if ratio is None else f' {percent(ratio)}'}", "accent"))
    return _named(first.name, "plain", suffix, width)


def _in_flight(node: NodeState, room: int) -> Line:
    """How many requests are being answered, where that leaves the name whole."""
    runs = measures.in_flight(node)
    said: Line = ((f" · {runs} in flight", "dim"),) if runs else ()
    return said if width_of(said) <= room else ()


_ORDER = {"failed": 0, "orphaned": 1, "loading": 2, "unloading": 3, "ready": 4}


def _named(name: str, tone: Tone, suffix: Line, width: int) -> Line:
    """A model's name, which gives way, and what must stay; the last parts of that go first, a failure never."""
    urgent = suffix[:1] if suffix and suffix[0][1] in {"hot", "warm"} else ()
    while suffix != urgent and width - width_of(suffix) < _NAME:
        suffix = suffix[:-1]
    return ((cut(plain(name), width - width_of(suffix)), tone), *suffix)


def facts(node: NodeState, backend: str, model: ResidentModel, now: float, width: int) -> Line:
    """A resident model in one line: name, quantization, memory, context, engine, and what it does."""
    title: Line = ((plain(model.name), "strong"),)
    quantization = model.quantization
    if model.phase != "failed" and quantization and quantization.casefold() not in model.name.casefold():
        title = (*title, (f" {plain(quantization)}", "plain"))
    return fitting((title, *parts(node, backend, model, now)), width)


def parts(node: NodeState, backend: str, model: ResidentModel, now: float) -> tuple[Line, ...]:
    """The same without its name: memory, context, engine, and what it does."""
    if model.phase == "failed":
        return life(model, None, 0.0)
    heard = node.backends_heard_at.get(backend, now)
    about: tuple[Line, ...] = tuple(((text, "plain"),) for text in _about(backend, model))
    doing = life(model, node.traffic(backend, model.name), now - heard)
    remark: Line = ((plain(model.remark), "warm"),) if model.remark else ()
    return (*about, *doing, *((remark,) if remark else ()))


def _about(backend: str, model: ResidentModel) -> tuple[str, ...]:
    """What a model takes, and whose it is."""
    if model.phase == "orphaned":
        return (f"keeps {size(model.memory_bytes)}", plain(backend))
    return (size(model.memory_bytes), f"{context(model.context)} context", plain(backend))


def life(model: ResidentModel, traffic: Traffic | None, since: float) -> tuple[Line, ...]:
    """Phase, pin, expiry and work of a resident model, `since` seconds after its state came."""
    parts: list[Line] = []
    if model.phase == "failed":
        reason = plain(model.failure.reason) if model.failure else "for an unknown reason"
        return ((("failed: ", "hot"), (reason, "hot")),)
    if model.phase == "orphaned":
        return ((("orphaned, x ends it", "warm"),),)
    if model.phase != "ready":
        parts.append(
            ((" ".join((model.phase, percent(model.progress) if model.progress is not None else "")), "accent"),)
        )
    parts += work(traffic)
    if model.pinned:
        parts.append((("⚑ pinned", "accent"),))
    if model.expires_in_seconds is not None:
        parts.append(((f"leaves in {age(model.expires_in_seconds - since)}", "plain"),))
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
