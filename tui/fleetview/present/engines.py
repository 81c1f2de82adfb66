"""The engines of a node and what they hold in memory, a few lines each."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present import models
from fleetview.present.hints import hint
from fleetview.present.loading import options
from fleetview.present.measures import has_gpu
from fleetview.present.numbers import context, count, duration, rate, size
from fleetview.present.text import Line, Tone, joined, plain
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import BackendState, LoadOptions, ResidentModel, Served, Traffic

_PHASES: dict[str, Tone] = {"ready": "good", "failed": "hot", "stopped": "warm", "missing": "dim"}
_MODEL_PHASES: dict[str, Tone] = {
    "ready": "good",
    "failed": "hot",
    "orphaned": "warm",
    "loading": "accent",
    "unloading": "accent",
}


def residents(node: NodeState, now: float, width: int) -> tuple[Line, ...]:
    """Every model in memory, and what was answered last."""
    lines: list[Line] = [(("models in memory", "heading"),)]
    for backend, model in node.resident:
        lines += _card(node, backend, model, now, width)
    if not node.resident:
        lines.append((("  none", "dim"),))
    if node.served:
        lines += _within((("last answer  ", "dim"), *answered(node.served)), width, 2)
    return tuple(lines)


def _card(node: NodeState, backend: str, model: ResidentModel, now: float, width: int) -> tuple[Line, ...]:
    """One model: what it is, what it does, and why it failed."""
    since = now - node.backends_heard_at.get(backend, now)
    name: Line = (("  ", "plain"), (plain(model.name), "strong"), ("  ", "plain"))
    first: Line = (*name, (model.phase, _MODEL_PHASES[model.phase]))
    texts = [plain(model.quantization) if model.quantization else "", _memory(model)]
    texts += [] if model.phase == "orphaned" else [f"{context(model.context)} context"]
    texts += [plain(backend), "" if model.pid is None else f"pid {model.pid}"]
    about = joined(tuple(((text, "plain"),) for text in texts if text))
    lines: list[Line] = [first, *_within(about, width)]
    traffic = node.traffic(backend, model.name)
    doing = models.life(model, traffic, since)
    if model.time_to_first_token_seconds is not None and model.phase == "ready":
        doing = (*doing, ((f"first token {duration(model.time_to_first_token_seconds)}", "plain"),))
    if doing := (*doing, *_source(traffic)):
        lines += _within(joined(doing), width)
    if model.options and (chosen := options(_true_here(model.options, node))):
        lines += _within(((f"loaded with {chosen}", "dim"),), width)
    if model.remark:
        lines += _within(((plain(model.remark), "warm"),), width)
    if model.failure:
        lines += [((f"    │ {plain(line)}", "dim"),) for line in model.failure.log]
    return tuple(lines)


def _memory(model: ResidentModel) -> str:
    """What it takes, and how much of that is the GPU's where it is not all of it."""
    whole, gpu = model.memory_bytes, model.gpu_memory_bytes
    return size(whole) if not whole or not gpu or gpu >= whole else f"{size(whole)}, {size(gpu)} on the GPU"


def _source(traffic: Traffic | None) -> tuple[Line, ...]:
    """Where the rates of a model at work are read, where it is not the agent that counts."""
    if traffic is None or traffic.source is None or not (traffic.in_flight or traffic.queued):
        return ()
    return (((f"read from {plain(traffic.source)}", "dim"),),)


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


def _true_here(loaded: LoadOptions, node: NodeState) -> LoadOptions:
    """How a model was loaded, without layers on a GPU that nobody can see: what was asked for is not what there is."""
    is_without = node.machine is not None and not has_gpu(node)
    return loaded.model_copy(update={"gpu_layers": None}) if loaded.gpu_layers and is_without else loaded


def backends(node: NodeState, width: int) -> tuple[Line, ...]:
    """The engines: state, version, who runs them, and what to do about them."""
    lines: list[Line] = [(("backends", "heading"),)]
    for backend in node.backends.values():
        lines += _backend(backend, node.name, width)
    return tuple(lines) if node.backends else ()


def _backend(backend: BackendState, node: str, width: int) -> tuple[Line, ...]:
    """One engine."""
    title: Line = ((plain(backend.backend), "strong"), ("  ", "plain"), (backend.phase, _PHASES[backend.phase]))
    texts = [
        plain(backend.version or ""),
        f"run by {plain(backend.supervisor)}" if backend.supervisor else "",
        plain(backend.address or ""),
        "" if backend.phase == "missing" else f"{count(len(backend.models), 'model')} on disk",
    ]
    lines = [*_within(joined((title, *(((text, "plain"),) for text in texts if text))), width, 2)]
    if backend.failure:
        lines += _within(((plain(backend.failure.reason), "hot"),), width)
        lines += [((f"    │ {plain(line)}", "dim"),) for line in backend.failure.log]
    if todo := hint(backend, node):
        lines += _within(((plain(todo), "dim"),), width)
    return tuple(lines)


def _within(line: Line, width: int, margin: int = 4) -> tuple[Line, ...]:
    """A line behind a margin, in as many as it takes."""
    return tuple(((" " * margin, "plain"), *one) for one in wrapped(line, width - margin))
