"""Requests at random for a node with the simulated engine, and moments at which to cut them short."""

from __future__ import annotations

from hypothesis import strategies as st

from fleetview_agent.wire import (
    DeleteRequest,
    KeepRequest,
    LoadOptions,
    LoadRequest,
    PinRequest,
    PullRequest,
    Request,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UnloadRequest,
    UnpinRequest,
)
from tests.builders import AUTHOR
from tests.driven import MEDIUM, NAME, Moment, Picture

USABLE = ("sim-small", "sim-large", MEDIUM)
LOADABLE = st.sampled_from((*USABLE, *USABLE, *USABLE, *USABLE, "sim-broken", "sim-unusable"))
ON_DISK = st.sampled_from(("sim-new", "sim-small", MEDIUM))
KEEPS = st.sampled_from((600, None, 60, "forever"))
OPTIONS = st.builds(
    LoadOptions, context=st.sampled_from((1024, 1024, 2048)), keep=KEEPS, batch=st.sampled_from((None, 64))
)
EVICTS = st.one_of(
    st.sampled_from(("auto", "none", "all", "all")),
    st.lists(st.sampled_from([f"{NAME}/{model}" for model in USABLE]), min_size=1, max_size=2, unique=True).map(tuple),
)
NAMES = {"author": st.just(AUTHOR), "backend": st.just(NAME)}
ON_MODEL = {**NAMES, "model": st.sampled_from(USABLE)}
PINS = st.sampled_from((None, None, True, False))
LOADS = st.one_of(
    st.builds(LoadRequest, **NAMES, model=LOADABLE, options=OPTIONS, pin=PINS),
    st.builds(SwapRequest, **NAMES, model=LOADABLE, options=OPTIONS, pin=PINS, evict=EVICTS),
)
ON_SERVER = st.one_of(*(st.builds(kind, **NAMES) for kind in (StopRequest, RestartRequest, StartRequest)))
CHANGES = st.one_of(
    st.builds(UnloadRequest, **ON_MODEL),
    st.builds(PinRequest, **ON_MODEL),
    st.builds(KeepRequest, **ON_MODEL, keep=KEEPS),
    st.builds(UnpinRequest, **ON_MODEL),
    ON_SERVER,
    st.one_of(*(st.builds(kind, **NAMES, model=ON_DISK) for kind in (PullRequest, DeleteRequest))),
)
ON_STOPPED = (StopRequest, RestartRequest, PullRequest, DeleteRequest)
REQUESTS = LOADS | CHANGES
PHASES = {
    "load": ("load", "plan", "warm", "evict"),
    "swap": ("evict", "load", "plan", "drain", "warm"),
    "unload": ("evict", "drain"),
    "stop": ("stop", "drain"),
    "start": ("start", "plan"),
    "restart": ("start", "stop", "load", "warm"),
    "pull": ("pull",),
    "delete": ("wait", "delete"),
}
"""Where an operation may be cut short; every other one in `keep`."""
MOMENTS = st.tuples(st.integers(0, 4), st.integers(0, 3) | st.integers(0, 40))
DISTURBANCES = st.sampled_from(("kill in the midst", "/crash", "stop in the midst", "/die", "stop", "kill"))


def moment_of(request: Request, drawn: tuple[int, int]) -> Moment:
    """A moment of this operation: a phase that it goes through, and turns of the event loop after its begin."""
    phases = PHASES.get(request.verb, ("keep",))
    return phases[drawn[0] % len(phases)], drawn[1]


def aimed(request: Request, picture: Picture) -> Request:
    """The request as it makes sense just now: about a model that is in memory, or to a server that runs."""
    there = sorted(map(str, picture.contexts))
    if picture.phase == "stopped" and not isinstance(request, ON_STOPPED):
        return StartRequest(author=AUTHOR, backend=NAME)
    match request:
        case UnloadRequest() | PinRequest() | UnpinRequest() | KeepRequest() if there:
            return request.model_copy(update={"model": there[USABLE.index(request.model) % len(there)]})
        case UnloadRequest() | PinRequest() | UnpinRequest() | KeepRequest():
            return LoadRequest(author=AUTHOR, backend=NAME, model=request.model, options=LoadOptions(context=1024))
        case SwapRequest(evict=tuple(named)):
            evict = tuple(one for one in named if one.partition("/")[2] in there)
            return request.model_copy(update={"evict": evict or "auto"})
    return request
