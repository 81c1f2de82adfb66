"""What a plan would do, in words. Pure; knows no Textual."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.models.fitting import spare_bytes
from fleetview.present.figures import bar
from fleetview.present.numbers import age, count, duration, size
from fleetview.present.text import DASH, Line, Tone, joined, plain
from fleetview_agent.wire import Plan, ResidentModel

_TONES: dict[str, Tone] = {"fits": "good", "tight": "warm", "does_not_fit": "hot", "unknown": "dim"}
_SHORT = {"fits": "yes", "tight": "tight", "does_not_fit": "no", "unknown": "not known"}
_LONG = {"fits": "fits", "tight": "tight", "does_not_fit": "does not fit", "unknown": "nobody knows whether it fits"}
WAITING = "enter: waiting for the plan …"
"""Is said where Enter came before the plan."""
UNKNOWN = "┄"
"""What stands for a bar when nothing is known."""
_TIGHT_RATIO = 0.9
"""From here on less than a tenth is left."""


def fits(plan: Plan) -> Line:
    """Verdict and what is left, for a column."""
    return ((_with_spare(_SHORT[plan.verdict], plan, " spare"), _TONES[plan.verdict]),)


def sure(plan: Plan) -> str:
    """How sure the verdict is, for a column."""
    return DASH if plan.confidence == "unknown" else plan.confidence


def verdict(plan: Plan) -> Line:
    """Verdict, what is left, how sure that is, and how long it would take."""
    certainty = "confidence unknown" if plan.confidence == "unknown" else plan.confidence
    took = "" if plan.expected_seconds is None else expected(plan)
    said = ((_with_spare(_LONG[plan.verdict], plan, " to spare"), _TONES[plan.verdict]),)
    return joined((said, ((certainty, "plain"),), ((took, "plain"),) if took else ()))


def expected(plan: Plan) -> str:
    """How long it would take, and whether the file has to be read from the disk for that."""
    if plan.expected_seconds is None:
        return DASH
    warmth = {None: "", True: " cold", False: " warm"}[plan.expected_cold]
    return f"about {duration(plan.expected_seconds)}{warmth}"


def _with_spare(word: str, plan: Plan, ending: str) -> str:
    """The verdict with what is left, where that says something."""
    spare = spare_bytes(plan)
    if spare is None or plan.verdict == "unknown":
        return word
    if spare < 0:
        return f"{word}, {size(-spare)} short"
    return f"{word}, no margin" if plan.verdict == "does_not_fit" else f"{word}, {size(spare)}{ending}"


def need(plan: Plan) -> Line:
    """What it takes, of what that is made, and what there would be."""
    parts = tuple(
        f"{size(amount)} {name}"
        for name, amount in (
            ("weights", plan.weights_bytes),
            ("cache", plan.cache_bytes),
            ("compute", plan.compute_bytes),
            ("other", plan.other_bytes),
        )
        if amount  # a part of nothing is none
    )
    made_of = f" ({' + '.join(parts)})" if parts and plan.need_bytes is not None else ""
    return ((f"{size(plan.need_bytes)}{made_of} of {size(plan.room_bytes)} room", "plain"),)


def leaving(plan: Plan, node: NodeState, at: float) -> Line:
    """Who leaves, how long each has been idle at the monotonic time `at`, and what has to be waited for."""
    if not plan.evictions:
        return (("nothing leaves", "dim"),)
    names: tuple[Line, ...] = tuple(((leaver(name, node, at), "plain"),) for name in plan.evictions)
    waits = f"waits for {count(plan.waits_for, 'answer')}" if plan.waits_for else "nothing to wait for"
    return joined((*names, ((waits, "warm" if plan.waits_for else "dim"),)))


def leaver(name: str, node: NodeState, at: float) -> str:
    """One model that leaves, with what speaks for and against it."""
    backend, model = _resident(node, name)
    if model is None:
        return plain(name)
    notes = ["pinned"] if model.pinned else []
    if model.phase != "ready":
        notes.append(model.phase)
    elif model.idle_seconds is None:
        notes.append("answering")
    else:
        heard_at = node.backends_heard_at.get(backend, at)
        notes.append(f"idle {age(model.idle_seconds + (at - heard_at))}")
    return f"{plain(model.name)} ({', '.join(notes)})"


def costs(plan: Plan, node: NodeState) -> tuple[str, ...]:
    """What the plan would take from somebody, a sentence each; empty when Enter is consent enough."""
    found = ((name, _resident(node, name)[1]) for name in plan.evictions)
    lines = [
        f"{plain(name)} is pinned, and would leave." for name, model in found if model is not None and model.pinned
    ]
    if plan.waits_for:
        answers = f"{count(plan.waits_for, 'answer')} {'is' if plan.waits_for == 1 else 'are'} being written"
        lines.append(f"{answers}; what has not ended when the waiting time is over is cut.")
    return tuple(lines)


def forcible(plan: Plan | None) -> bool:
    """Whether it is refused for nothing but its size."""
    return plan is not None and plan.refusal is not None and plan.verdict == "does_not_fit"


def short_of(plan: Plan) -> tuple[str, ...]:
    """Why loading it all the same is a risk."""
    figures = f"{size(plan.need_bytes)} needed, {size(plan.room_bytes)} of room ({sure(plan)})"
    return (f"It does not fit: {figures}.", "The machine may swap, or kill the engine.")


def remark(plan: Plan | None, node: NodeState, trouble: str | None, *, waiting: bool) -> tuple[str, bool]:
    """What an operator has to know before Enter, and whether it stands in the way; the plan is None until it comes."""
    if trouble is not None:
        return trouble, True
    if plan is None:
        return WAITING if waiting else "planning …", False
    if plan.refusal is not None:
        return plan.refusal, True
    if plan.already_resident:
        return "It is in memory with this context already; nothing would change.", False
    if node.operations:
        return f"waits behind {count(len(node.operations), 'operation')} on {node.name}", False
    return "", False


def _resident(node: NodeState, name: str) -> tuple[str, ResidentModel | None]:
    """The backend and the model of a `BACKEND/MODEL` in memory."""
    backend, _, rest = name.partition("/")
    return backend, next((model for owner, model in node.resident if (owner, model.name) == (backend, rest)), None)


def used_bar(used: int | None, limit: int | None, width: int) -> Line:
    """How much of the limit is used, as a bar of `width` cells; a quiet line alone where that is not known."""
    ratio = None if used is None or not limit else used / limit
    return bar(ratio, width, level(ratio)) if ratio is not None else ((UNKNOWN * width, "dim"),)


def of_limit(used: int | None, limit: int | None) -> str:
    """The figure beside a bar."""
    return f"{size(used)} of {size(limit)}"


def level(ratio: float | None) -> Tone:
    """How worrying it is that this much is used."""
    if ratio is None or ratio <= _TIGHT_RATIO:
        return "bar"
    return "bar-warm" if ratio <= 1 else "bar-hot"
