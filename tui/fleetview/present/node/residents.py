"""The models that a node holds in memory: their figures in columns, and what else is known of each below."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.fleet import NodeState
from fleetview.present.measures import has_gpu
from fleetview.present.numbers import age, context, count, duration, percent, rate, size
from fleetview.present.operations.loading import options
from fleetview.present.text import DASH, Line, Tone, cut, joined, left, plain, right
from fleetview.present.wrapping import flowing, wrapped
from fleetview_agent.wire import LoadOptions, ResidentModel, Served, Traffic

_NAME = 16
"""Cells that a name gets at least, before columns give way."""
_LONGEST_NAME = 36
_PHASES: dict[str, Tone] = {
    "ready": "good",
    "failed": "hot",
    "orphaned": "warm",
    "loading": "accent",
    "unloading": "accent",
}


@dataclass(frozen=True)
class Figure:
    """One figure of a model, in its column or in words."""

    title: str
    width: int
    text: str
    words: str
    """The same where there is no room for the column; empty where there is nothing to say."""
    tone: Tone = "plain"


def residents(node: NodeState, now: float, width: int) -> tuple[Line, ...]:
    """Every model in memory, and what was answered last."""
    lines: list[Line] = []
    if node.resident:
        rows = tuple((backend, model, _figures(node, backend, model, now)) for backend, model in node.resident)
        shown, name = _columns(rows[0][2], width)
        lines.append(_heading(rows[0][2], shown, name))
        for backend, model, figures in rows:
            lines += _card(node, (backend, model), figures, (shown, name), width)
    else:
        lines += [(("models in memory", "heading"),), (("  none", "dim"),)]
    if node.served:
        told = wrapped((("last answer  ", "dim"), *answered(node.served)), width - 2)
        lines += [(("  ", "plain"), *line) for line in told]
    return tuple(lines)


def _figures(node: NodeState, backend: str, model: ResidentModel, now: float) -> tuple[Figure, ...]:
    """The figures of a model, the most wanted first; those at the end give way first."""
    traffic = node.traffic(backend, model.name)
    since = max(0.0, now - node.backends_heard_at.get(backend, now))
    return (
        Figure("memory", 7, size(model.memory_bytes), _memory(model)),
        *_work(traffic),
        _idle(model, traffic, since),
        _stay(model, since),
        _timed("first", "first token", model.time_to_first_token_seconds),
        Figure("context", 8, context(model.context), f"{context(model.context)} context" if model.context else ""),
        _rated("prompt/s", "prompt {} tok/s", traffic.prompt_tokens_per_second if traffic else None),
    )


def _work(traffic: Traffic | None) -> tuple[Figure, ...]:
    """What a model does for its clients just now; a dash where its engine does not tell."""
    if traffic is None:
        return (Figure("tok/s", 7, DASH, ""), Figure("runs", 5, DASH, ""), Figure("waits", 6, DASH, ""))
    runs, waits = traffic.in_flight, traffic.queued
    return (
        _rated("tok/s", "{} tok/s", traffic.generation_tokens_per_second),
        Figure("runs", 5, str(runs), f"{runs} in flight" if runs else "", "good" if runs else "dim"),
        Figure("waits", 6, str(waits), f"{waits} waiting" if waits else "", "warm" if waits else "dim"),
    )


def _rated(title: str, words: str, value: float | None) -> Figure:
    """Tokens per second."""
    return Figure(title, max(7, len(title) + 1), rate(value), words.format(rate(value)) if value else "")


def _timed(title: str, words: str, seconds: float | None) -> Figure:
    """A time that something took."""
    return Figure(title, 7, duration(seconds), f"{words} {duration(seconds)}" if seconds is not None else "")


def _idle(model: ResidentModel, traffic: Traffic | None, since: float) -> Figure:
    """How long nobody was answered."""
    if traffic is not None and traffic.in_flight:
        return Figure("idle", 7, "busy", "")
    if model.idle_seconds is None:
        return Figure("idle", 7, DASH, "", "dim")
    idle = age(model.idle_seconds + since)
    return Figure("idle", 7, idle, f"idle {idle}", "dim")


def _stay(model: ResidentModel, since: float) -> Figure:
    """When it leaves by itself."""
    if model.expires_in_seconds is None:
        return Figure("leaves", 7, "never", "")
    left_over = age(model.expires_in_seconds - since)
    return Figure("leaves", 7, left_over, f"leaves in {left_over}")


def _columns(figures: tuple[Figure, ...], width: int) -> tuple[int, int]:
    """How many figures have a column, and how wide the names are."""
    shown, room = 0, width - 2
    for figure in figures:
        if room - figure.width < _NAME:
            break
        room -= figure.width
        shown += 1
    return shown, min(room, _LONGEST_NAME)


def _heading(figures: tuple[Figure, ...], shown: int, name: int) -> Line:
    """The titles of the columns."""
    titles = (span for one in figures[:shown] for span in right(((one.title, "heading"),), one.width))
    return (*left((("models in memory", "heading"),), name + 2), *titles)


def _card(
    node: NodeState,
    resident: tuple[str, ResidentModel],
    figures: tuple[Figure, ...],
    shape: tuple[int, int],
    width: int,
) -> tuple[Line, ...]:
    """One model: its figures, what it is, how it was loaded, and why it failed."""
    backend, model = resident
    shown, name = shape
    dead = model.phase in {"failed", "orphaned"}
    told, untold = (figures[:1], ()) if dead else (figures[:shown], figures[shown:])
    title: Line = (("  ", "plain"), *left(((cut(plain(model.name), name - 1), "strong"),), name))
    lines: list[Line] = [(*title, *(span for one in told for span in right(((one.text, one.tone),), one.width)))]
    about = _about(backend, model, node.traffic(backend, model.name))
    about += tuple(((one.words, one.tone),) for one in untold if one.words)
    lines += _behind(flowing(about, width - 4, 0))
    for text, tone in _remarks(node, model):
        lines += _behind(wrapped(((text, tone),), width - 4))
    if model.failure:
        lines += [((f"    │ {plain(line)}", "dim"),) for line in model.failure.log]
    return tuple(lines)


def _about(backend: str, model: ResidentModel, traffic: Traffic | None) -> tuple[Line, ...]:
    """Its state and what it is, without what stands in a column."""
    phase = model.phase if model.progress is None else f"{model.phase} {percent(model.progress)}"
    quantization = plain(model.quantization or "")
    repeated = quantization.casefold() in plain(model.name).casefold()
    reading = traffic.prompt_progress if traffic else None
    gpu, whole = model.gpu_memory_bytes, model.memory_bytes
    texts: tuple[tuple[str, Tone], ...] = (
        (phase, _PHASES[model.phase]),
        ("⚑ pinned" if model.pinned else "", "accent"),
        ("" if repeated else quantization, "plain"),
        (plain(backend), "plain"),
        (f"{size(gpu)} on the GPU" if gpu and whole and gpu < whole else "", "plain"),
        ("" if reading is None else f"reading a prompt, {percent(reading)}", "plain"),
        ("" if model.pid is None else f"pid {model.pid}", "dim"),
        (_source(traffic), "dim"),
    )
    return tuple(((text, tone),) for text, tone in texts if text)


def _remarks(node: NodeState, model: ResidentModel) -> tuple[tuple[str, Tone], ...]:
    """What is said of a model in sentences."""
    said: list[tuple[str, Tone]] = []
    if model.phase == "failed":
        reason = f": {plain(model.failure.reason)}" if model.failure else " for an unknown reason"
        said.append((f"failed{reason}; ! tells why", "hot"))
    if model.phase == "orphaned":
        said.append(("nobody can ask it any more, and it keeps its memory; x ends it", "warm"))
    if model.options and (chosen := options(_true_here(model.options, node))):
        said.append((f"loaded with {chosen}", "dim"))
    if model.remark:
        said.append((plain(model.remark), "warm"))
    return tuple(said)


def _memory(model: ResidentModel) -> str:
    """What it takes."""
    return "" if model.memory_bytes is None else f"{size(model.memory_bytes)} of memory"


def _source(traffic: Traffic | None) -> str:
    """Where the rates of a model at work are read, where it is not the agent that counts."""
    if traffic is None or traffic.source is None or not (traffic.in_flight or traffic.queued):
        return ""
    return f"rates are read from {plain(traffic.source)}"


def _true_here(loaded: LoadOptions, node: NodeState) -> LoadOptions:
    """How a model was loaded, without layers on a GPU that nobody can see: what was asked for is not what there is."""
    is_without = node.machine is not None and not has_gpu(node)
    return loaded.model_copy(update={"gpu_layers": None}) if loaded.gpu_layers and is_without else loaded


def _behind(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines behind a margin."""
    return tuple((("    ", "plain"), *line) for line in lines)


def answered(served: Served) -> Line:
    """One answer: of which model, for whom, and how fast."""
    texts = [count(served.completion_tokens, "token")] if served.completion_tokens is not None else []
    texts += [f"{rate(served.tokens_per_second)} tok/s"] if served.tokens_per_second is not None else []
    if served.time_to_first_token_seconds is not None:
        texts.append(f"first {duration(served.time_to_first_token_seconds)}")
    if served.prompt_tokens is not None:
        cached = f", {served.cached_tokens} cached" if served.cached_tokens else ""
        texts.append(f"prompt {served.prompt_tokens}{cached}")
    parts: list[Line] = [((plain(served.model), "strong"),), *(((text, "plain"),) for text in texts)]
    if served.author:
        parts.append(((f"by {plain(served.author)}" + ("?, inferred" if served.inferred else ""), "dim"),))
    return joined(tuple(parts))
