"""The command line that asks for the same as a request. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from fleetview_agent.wire import (
    CopyRequest,
    CreateRequest,
    Keep,
    KeepRequest,
    LoadOptions,
    LoadRequest,
    Order,
    PinRequest,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UndoRequest,
    UnpinRequest,
    target,
)

TEMPLATE_FILE = "TEMPLATE.jinja"
"""Stands for a chat template, whose text is too long for a command line."""
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SWITCHES = {True: "on", False: "off"}
Words = tuple[str, ...]


def command_line(node: str, order: Order) -> str:
    """What to type in a shell; several commands where the verbs of the command line do one thing each."""
    return " && ".join(shlex.join(("fleetview", *words)) for words in _commands(node, order))


def _commands(node: str, order: Order) -> Iterator[Words]:
    """The words of each command."""
    match order:
        case UndoRequest():
            yield ("undo", node, *(("--operation", order.operation) if order.operation else ()))
        case LoadRequest() | SwapRequest():
            yield from _loading(node, order)
        case StartRequest() | StopRequest() | RestartRequest():
            yield (order.verb, node, order.backend)
            yield from _beside(node, order.beside if isinstance(order, StartRequest) else ())
        case PinRequest() | UnpinRequest():
            yield (order.verb, node, target(order))
            if order.keep is not None:
                yield ("keep", node, target(order), lasting(order.keep))
        case KeepRequest():
            yield ("keep", node, target(order), lasting(order.keep))
        case CreateRequest():
            context = ("--ctx", str(order.options.context)) if order.options.context else ()
            yield ("create", node, target(order), "--from", order.source, *context)
        case CopyRequest():
            yield ("copy", order.source, target(order), node)
        case _:
            yield (order.verb, node, target(order))


def _loading(node: str, order: LoadRequest | SwapRequest) -> Iterator[Words]:
    """Putting a model into memory, then what comes with it."""
    evict: Words = ()
    if isinstance(order, SwapRequest) and order.evict != "auto":
        evict = ("--evict", order.evict if isinstance(order.evict, str) else ",".join(order.evict) or "none")
    force = ("--force",) if order.force else ()
    yield (order.verb, node, target(order), *_options(order.options), *evict, *force)
    if order.pin is not None:
        yield ("pin" if order.pin else "unpin", node, target(order))
    if isinstance(order, SwapRequest):
        yield from _beside(node, order.beside)


def _beside(node: str, loads: tuple[LoadRequest, ...]) -> Iterator[Words]:
    """Models that come after the first."""
    for load in loads:
        yield from _loading(node, load)


def _options(chosen: LoadOptions) -> Words:
    """How a model is loaded, as options."""
    layers = {None: None, -1: "all"}.get(chosen.gpu_layers, str(chosen.gpu_layers))
    valued = {
        "--ctx": chosen.context,
        "--keep": None if chosen.keep is None else lasting(chosen.keep),
        "--batch": chosen.batch,
        "--flash-attention": None if chosen.flash_attention is None else _SWITCHES[chosen.flash_attention],
        "--cache-type-k": chosen.cache_type_k,
        "--cache-type-v": chosen.cache_type_v,
        "--gpu-layers": layers,
        "--mmap": None if chosen.mmap is None else _SWITCHES[chosen.mmap],
        "--threads": chosen.threads,
        "--template": None if chosen.chat_template is None else TEMPLATE_FILE,
    }
    words = tuple(word for name, value in valued.items() if value is not None for word in (name, str(value)))
    return (*words, "--mlock") if chosen.mlock else words


def lasting(keep: Keep | None) -> str:
    """How long a model is to stay, as the command line takes it: `30m`, `forever`, `default`."""
    if keep is None:
        return "default"
    if keep == "forever":
        return "forever"
    seconds, unit = next((pair for pair in _UNITS if keep and keep % pair[0] == 0), (1, "s"))
    return f"{keep / seconds:.3f}".rstrip("0").rstrip(".") + unit
