"""What undoes an operation, as requests. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fleetview_agent.operations.work import Placement
from fleetview_agent.wire import (
    Keep,
    KeepRequest,
    LoadRequest,
    PinRequest,
    Request,
    StartRequest,
    StopRequest,
    SwapRequest,
    UnloadRequest,
    UnpinRequest,
)


def load_again(former: Placement, author: str) -> LoadRequest:
    """What brings a model back as it was."""
    return LoadRequest(
        author=author,
        backend=former.backend.name,
        model=former.model,
        options=former.options,
        pin=former.pinned,
    )


def after_load(evicted: Sequence[Placement], came: Sequence[Placement], author: str) -> Request | None:
    """What lets the models leave that came, and brings back those that left for them; None where nothing does."""
    coming_back = [load_again(one, author) for one in evicted]
    if not coming_back:
        return _unload(came, author)
    first, *others = coming_back
    return SwapRequest(
        author=author,
        backend=first.backend,
        model=first.model,
        options=first.options,
        pin=first.pin,
        evict=tuple(dict.fromkeys(one.target for one in came)),
        beside=tuple(others),
    )


def after_start(request: StartRequest, came: Sequence[Placement], *, was_running: bool) -> Request | None:
    """What ends a backend again that was not there; None where it was, and several models came beside its own."""
    return _unload(came, request.author) if was_running else StopRequest(author=request.author, backend=request.backend)


def after_stop(request: StopRequest, evicted: Sequence[Placement]) -> StartRequest:
    """What starts a backend again, with the models that it had."""
    back = tuple(load_again(one, request.author) for one in evicted)
    return StartRequest(author=request.author, backend=request.backend, beside=back)


def keep_after(request: PinRequest | UnpinRequest | KeepRequest) -> Keep | None:
    """How long the model stays from now on; None: as long as its engine likes."""
    if isinstance(request, PinRequest) and request.keep is None:
        return "forever"
    return request.keep


def after_pin(request: PinRequest | UnpinRequest | KeepRequest, former: Placement) -> Request | None:
    """What lets a model stay as it did, and be pinned as it was; None where nothing changes."""
    is_pinned = former.pinned if isinstance(request, KeepRequest) else isinstance(request, PinRequest)
    if is_pinned == former.pinned:
        return None if keep_after(request) == former.options.keep else keep_as_before(former, request.author)
    return pin_as_before(former, request.author)


def keep_as_before(former: Placement, author: str) -> KeepRequest:
    """What lets a model stay as it did."""
    return KeepRequest(author=author, backend=former.backend.name, model=former.model, keep=former.options.keep)


def pin_as_before(former: Placement, author: str) -> PinRequest | UnpinRequest:
    """What pins a model or ends that, as it was before, and lets it stay as it did."""
    keep, name, model = former.options.keep, former.backend.name, former.model
    if former.pinned:
        return PinRequest(author=author, backend=name, model=model, keep=None if keep == "forever" else keep)
    return UnpinRequest(author=author, backend=name, model=model, keep=keep)


def by(request: Request, author: str) -> Request:
    """The same request, as somebody else's."""
    changes: dict[str, object] = {"author": author}
    if isinstance(request, SwapRequest | StartRequest):
        changes["beside"] = tuple(one.model_copy(update={"author": author}) for one in request.beside)
    return request.model_copy(update=changes)


def _unload(came: Sequence[Placement], author: str) -> Request | None:
    """What lets one model leave; several cannot leave by one request."""
    targets = {one.target: one for one in came}
    if len(targets) != 1:
        return None
    (one,) = targets.values()
    return UnloadRequest(author=author, backend=one.backend.name, model=one.model)
