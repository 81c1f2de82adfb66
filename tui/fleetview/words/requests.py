"""Words of the command line become requests of the wire."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from fleetview.author import author
from fleetview.fleet import SERVER_VERBS
from fleetview.models.picking import replaced, unaskable
from fleetview.wishes.requests import about_engine, about_model
from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_backend, pick_model, pick_name
from fleetview_agent.wire import (
    LONGEST_NAME,
    BackendState,
    CreateRequest,
    Keep,
    KeepRequest,
    LoadOptions,
    LoadRequest,
    PullRequest,
    Request,
    SwapRequest,
    UndoRequest,
)
from fleetview_agent.wire.models import LONGEST_TEMPLATE

Evict = Literal["auto", "none", "all"] | tuple[str, ...]
SWITCHES = {None: None, "on": True, "off": False}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_DAYS = 3650
LONGEST_SOURCE = 4096
"""Characters of the name or path that a model is made from."""


class HasEngines(Protocol):
    """What is known of a node, as far as words need it."""

    @property
    def backends(self) -> Sequence[BackendState]:
        """Its engines with their models."""


def swap_request(
    arguments: Namespace, node: str, snapshot: HasEngines, backend: str, model: str, keep: Keep | None = None
) -> SwapRequest:
    """The swap that is asked for. Raises CommandError for a model to evict that is not there."""
    evict = _evict(arguments.evict, node, snapshot)
    if arguments.evict is None and (twin := replaced(snapshot.backends, backend, model)):
        evict = (twin,)
    return SwapRequest(
        author=author(),
        backend=backend,
        model=model,
        options=load_options(arguments, keep),
        evict=evict,
        force=arguments.force,
    )


def change_request(arguments: Namespace, node: str, snapshot: HasEngines) -> Request | UndoRequest:
    """The change that is asked for. Raises CommandError for names and words that make no sense."""
    verb = arguments.verb
    if verb == "undo":
        return UndoRequest(author=author(), operation=_id(arguments.operation))
    if verb in SERVER_VERBS:
        return about_engine(verb, author(), pick_backend(node, snapshot.backends, arguments.backend))
    if verb in {"pull", "create"}:
        return _new_model(arguments, node, snapshot)
    backend, model = pick_model(node, snapshot.backends, arguments.model)
    if verb == "keep":
        return KeepRequest(author=author(), backend=backend, model=model, keep=keep_of(arguments.duration))
    if verb not in {"swap", "load"}:
        return about_model(verb, author(), backend, model)
    keep = None if arguments.keep is None else keep_of(arguments.keep)
    if verb == "swap":
        return swap_request(arguments, node, snapshot, backend, model, keep)
    options = load_options(arguments, keep)
    return LoadRequest(author=author(), backend=backend, model=model, options=options, force=arguments.force)


def _id(words: str | None) -> str | None:
    """The id of an operation. Raises CommandError where there can be none like it."""
    if words is not None and not 0 < len(words) <= LONGEST_NAME:
        raise CommandError("--operation takes an id, as `fleetview journal` lists them", Exit.USAGE)
    return words


def load_options(arguments: Namespace, keep: Keep | None = None) -> LoadOptions:
    """How a model is to be loaded. Raises CommandError for a template that cannot be read."""
    return LoadOptions(
        context=arguments.ctx,
        keep=keep,
        batch=arguments.batch,
        flash_attention=SWITCHES[arguments.flash_attention],
        cache_type_k=arguments.cache_type_k,
        cache_type_v=arguments.cache_type_v,
        gpu_layers=arguments.gpu_layers,
        mmap=SWITCHES[arguments.mmap],
        mlock=arguments.mlock or None,
        threads=arguments.threads,
        chat_template=None if arguments.template is None else _template(Path(arguments.template)),
    )


def _template(file: Path) -> str:
    """A chat template. Raises CommandError."""
    try:
        with file.expanduser().open(encoding="utf-8") as stream:
            text = stream.read(LONGEST_TEMPLATE + 1)
    except UnicodeDecodeError:
        raise CommandError(f"{file}: a chat template is text in UTF-8, and this is not", Exit.USAGE) from None
    except (OSError, RuntimeError, ValueError) as problem:
        why = problem.strerror.lower() if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise CommandError(f"{file}: the template cannot be read: {why}", Exit.USAGE) from problem
    if not text.strip():
        raise CommandError(f"{file}: there is no template in it", Exit.USAGE)
    if len(text) > LONGEST_TEMPLATE:
        most = f"{LONGEST_TEMPLATE} characters"
        raise CommandError(f"{file}: a template has at most {most}, and this is longer", Exit.USAGE)
    return text


def _new_model(arguments: Namespace, node: str, snapshot: HasEngines) -> PullRequest | CreateRequest:
    """The model that is to come to the node. Raises CommandError."""
    backend, model = pick_name(node, snapshot.backends, arguments.model, arguments.verb)
    if reason := unaskable(backend, model):
        raise CommandError(f"{model[:60]}: {reason}", Exit.USAGE)
    if arguments.verb == "pull":
        return PullRequest(author=author(), backend=backend, model=model)
    source: str = vars(arguments)["from"]
    if not source.startswith("/"):
        source = "/".join(pick_model(node, snapshot.backends, source))
    if len(source) > LONGEST_SOURCE:
        raise CommandError(f"the path {source[:60]}… is too long", Exit.USAGE)
    options = LoadOptions(context=arguments.ctx)
    return CreateRequest(author=author(), backend=backend, model=model, source=source, options=options)


def keep_of(words: str) -> Keep | None:
    """How long a model is to stay; None: as long as its engine likes. Raises CommandError."""
    if words == "forever":
        return "forever"
    if words == "default":
        return None
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])", words)
    seconds = float(found[1]) * SECONDS[found[2]] if found else None
    if seconds is None or seconds > LONGEST_DAYS * SECONDS["d"]:
        raise CommandError(
            f"{words[:20]} is no time to keep a model; say 90s, 30m, 2h, 1d, forever or default", Exit.USAGE
        )
    return seconds


def _evict(words: str | None, node: str, snapshot: HasEngines) -> Evict:
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
