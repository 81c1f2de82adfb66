"""Words of the command line become requests of the wire."""

from __future__ import annotations

from argparse import Namespace
from typing import Literal

from fleetview.author import author
from fleetview.cli.exits import CommandError, Exit
from fleetview.cli.names import pick_model
from fleetview_agent.wire import LoadOptions, LoadRequest, Request, Snapshot, SwapRequest, UnloadRequest

Evict = Literal["auto", "none", "all"] | tuple[str, ...]


def swap_request(arguments: Namespace, node: str, snapshot: Snapshot, backend: str, model: str) -> SwapRequest:
    """The swap that is asked for. Raises CommandError for a model to evict that is not there."""
    return SwapRequest(
        author=author(),
        backend=backend,
        model=model,
        options=LoadOptions(context=arguments.ctx),
        evict=_evict(arguments.evict, node, snapshot),
        force=arguments.force,
    )


def change_request(arguments: Namespace, node: str, snapshot: Snapshot) -> Request:
    """The change that is asked for. Raises CommandError for names that are not there."""
    backend, model = pick_model(node, snapshot.backends, arguments.model)
    match arguments.verb:
        case "swap":
            return swap_request(arguments, node, snapshot, backend, model)
        case "load":
            options = LoadOptions(context=arguments.ctx)
            return LoadRequest(author=author(), backend=backend, model=model, options=options, force=arguments.force)
        case _:
            return UnloadRequest(author=author(), backend=backend, model=model)


def _evict(words: str | None, node: str, snapshot: Snapshot) -> Evict:
    """Who leaves: a policy, or models by their full names."""
    match words:
        case None | "auto":
            return "auto"
        case "none" | "all":
            return words
    named = [word for word in words.split(",") if word]
    if not named:
        raise CommandError("--evict names nobody; say auto, none, all, or models", Exit.USAGE)
    return tuple("/".join(pick_model(node, snapshot.backends, word)) for word in named)
