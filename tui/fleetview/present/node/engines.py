"""The engines of a node: state, version, who keeps them running, what they can do, and why one failed."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview.fleet import NodeState
from fleetview.present.hints import hint
from fleetview.present.numbers import count
from fleetview.present.text import Line, Tone, joined, plain
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import BackendState

_PHASES: dict[str, Tone] = {"ready": "good", "failed": "hot", "stopped": "warm", "missing": "dim"}
_OPTIONS: Mapping[str, str] = {
    "batch": "batch",
    "flash_attention": "flash attention",
    "cache_type_k": "type of cached keys",
    "cache_type_v": "type of cached values",
    "gpu_layers": "GPU layers",
    "mmap": "mmap",
    "mlock": "mlock",
    "threads": "threads",
    "chat_template": "chat template",
}
"""Field of `LoadOptions` → what people call it."""


def backends(node: NodeState, width: int) -> tuple[Line, ...]:
    """The engines: state, version, who runs them, and what to do about them."""
    lines: list[Line] = [(("engines", "heading"),)]
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
        lines += _within(((f"{plain(backend.failure.reason)}; ! tells why", "hot"),), width)
        lines += [((f"    │ {plain(line)}", "dim"),) for line in backend.failure.log]
    for label, names in (("does", _verbs(backend)), ("loads with", _settings(backend))):
        if names:
            lines += _within(((f"{label} ", "dim"), (", ".join(names), "plain")), width)
    if todo := hint(backend, node):
        lines += _within(((plain(todo), "dim"),), width)
    return tuple(lines)


def _verbs(backend: BackendState) -> tuple[str, ...]:
    """What it can be asked for."""
    able = tuple(plain(verb) for verb in backend.abilities)
    return ("load", "unload", *able) if backend.phase == "ready" else able


def _settings(backend: BackendState) -> tuple[str, ...]:
    """What can be chosen for a load."""
    if backend.phase == "missing":
        return ()
    stay = ("time to stay",) if "keep" in backend.abilities else ()
    return ("context", *stay, *(_OPTIONS.get(name, plain(name)) for name in backend.load_options))


def _within(line: Line, width: int, margin: int = 4) -> tuple[Line, ...]:
    """A line behind a margin, in as many as it takes."""
    return tuple(((" " * margin, "plain"), *one) for one in wrapped(line, width - margin))
