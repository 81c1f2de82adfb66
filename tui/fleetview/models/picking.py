"""What can be loaded on a node, how a few typed letters narrow it, and which contexts can be chosen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fleetview.fleet import NodeState

if TYPE_CHECKING:
    from fleetview_agent.wire import BackendState, Keep, ModelFile, SwapRequest

SHORTEST_CONTEXT = 512
"""Nobody wants less, unless the model was trained for less."""
LONGEST_CONTEXT = 1 << 20
"""Where a model does not tell what it was trained for."""
USUAL_CONTEXT = 8192
"""Where the node does not tell what a model gets by itself."""
POLICIES = ("auto", "none", "all")
"""Who leaves, in the order in which a key goes through them."""
KEEPS: tuple[Keep | None, ...] = (None, 300.0, 1800.0, 7200.0, "forever")
"""How long a model stays after its last answer, in the same way; None is as long as its engine likes."""


@dataclass(frozen=True)
class Choice:
    """A model of one backend, as one row of the picker."""

    backend: str
    file: ModelFile
    refusal: str | None = None
    """Why it cannot be chosen; None for one that can."""
    resident: str | None = None
    """Its phase, where it is in memory or on its way there."""
    same_file: bool = False
    """Whether another engine, listed before, runs the same file."""
    replaces: str | None = None
    """`BACKEND/MODEL` of the same file in the memory of another engine."""
    place: str | None = None
    """The node that has it, where that is another one."""

    @property
    def name(self) -> str:
        """`BACKEND/MODEL`."""
        return f"{self.backend}/{self.file.name}"

    @property
    def context(self) -> int | None:
        """Tokens it gets when nobody says otherwise; None where the node would have to say."""
        file = self.file
        if file.default_context is None and file.context_length is not None:
            return min(file.context_length, USUAL_CONTEXT)
        return file.default_context


def choices(node: NodeState, name: str | None = None) -> tuple[Choice, ...]:
    """Every model of the node or of a name, those that can be loaded first, otherwise in the order of the backends.

    The ways of running one file stand next to each other, first the engine that owns it, which can delete it too.
    """
    states = tuple(node.backends.values())
    memory = _in_memory(states)
    first: dict[str, int] = {}
    found: list[tuple[int, bool, BackendState, ModelFile]] = []
    for state, file in ((owner, file) for owner in states for file in owner.models if name in {None, file.name}):
        place = first.setdefault(file.identity or f"{state.backend}/{file.name}", len(found))
        found.append((place, "delete" not in state.abilities or file.undeletable is not None, state, file))
    found.sort(key=lambda one: one[:2])
    rows: list[tuple[bool, Choice]] = []
    heads: dict[int, str] = {}
    for place, _, state, file in found:
        same = heads.setdefault(place, state.backend) != state.backend
        row = replace(_choice(state, file), same_file=same, replaces=_elsewhere(memory, state.backend, file))
        rows.append((row.refusal is not None, row))
    return tuple(row for _, row in sorted(rows, key=lambda one: one[0]))


def replaced(backends: Iterable[BackendState], backend: str, model: str) -> str | None:
    """`BACKEND/MODEL` of the file of this model in the memory of another engine."""
    states = tuple(backends)
    files = (file for state in states if state.backend == backend for file in state.models if file.name == model)
    file = next(files, None)
    return _elsewhere(_in_memory(states), backend, file) if file else None


_Memory = Mapping[str, tuple[tuple[str, str], ...]]
"""Identity of a file → the backends and models that have it in memory."""


def _in_memory(states: Iterable[BackendState]) -> _Memory:
    """The files that can answer just now, and may leave without being named."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for state in states:
        ready = {row.name for row in state.resident if row.phase == "ready" and not row.pinned}
        for file in state.models:
            if file.identity and file.name in ready:
                found[file.identity] = (*found.get(file.identity, ()), (state.backend, file.name))
    return found


def _elsewhere(memory: _Memory, backend: str, file: ModelFile) -> str | None:
    """The same file in the memory of another engine."""
    places = memory.get(file.identity, ()) if file.identity else ()
    return next((f"{owner}/{name}" for owner, name in places if owner != backend), None)


def _choice(state: BackendState, file: ModelFile) -> Choice:
    """The row of one file."""
    refusal = file.refusal
    if refusal is None and state.phase != "ready":
        refusal = f"{state.backend} is {state.phase}" + (f": {state.hint}" if state.hint else "")
    refusal = refusal or unaskable(state.backend, file.name)
    resident = next((model.phase for model in state.resident if model.name == file.name), None)
    return Choice(state.backend, file, refusal, resident)


def unaskable(backend: str, model: str) -> str | None:
    """Why no request can name the model; None when one can, as for every model of an agent of ours."""
    from fleetview_agent.wire import LONGEST_NAME  # the first paint does not wait for the wire models

    if not backend or not model:
        return "it has no name by which it could be asked for"
    too_long = len(f"{backend}/{model}") > LONGEST_NAME
    return "its name is too long to be asked for" if too_long else None


def matching(rows: Iterable[Choice], typed: str) -> tuple[Choice, ...]:
    """The rows that contain every word of `typed`, in any order and case."""
    words = typed.casefold().split()
    return tuple(row for row in rows if all(word in _searched(row) for word in words))


def _searched(row: Choice) -> str:
    """What the words are looked for in."""
    return f"{row.name} {row.file.quantization or ''}".casefold()


def longer(context: int, trained: int | None) -> int:
    """The next power of two, up to what the model was trained for."""
    return max(context, min(1 << context.bit_length(), trained or LONGEST_CONTEXT))


def shorter(context: int) -> int:
    """The power of two below, as far as it makes sense."""
    return min(context, max(1 << ((context - 1).bit_length() - 1), SHORTEST_CONTEXT))


@dataclass(frozen=True)
class Settings:
    """What the operator has turned; the context is each model's own."""

    evict: str | tuple[str, ...] = POLICIES[0]
    """A policy, or those who leave by name."""
    keep: Keep | None = None
    contexts: Mapping[str, int] = field(default_factory=dict)
    """`BACKEND/MODEL` → tokens."""

    @property
    def evicting_next(self) -> Settings:
        """With the next policy."""
        place = POLICIES.index(self.evict) if isinstance(self.evict, str) else -1
        return replace(self, evict=POLICIES[(place + 1) % len(POLICIES)])

    @property
    def keeping_next(self) -> Settings:
        """With the next time to stay."""
        return replace(self, keep=KEEPS[(KEEPS.index(self.keep) + 1) % len(KEEPS)])

    def with_context(self, row: Choice, tokens: int) -> Settings:
        """With another context for one model."""
        return replace(self, contexts={**self.contexts, row.name: tokens})

    def request(self, row: Choice, author: str) -> SwapRequest:
        """The swap that the settings make of a row."""
        return request(row, author, self.contexts.get(row.name, row.context), self.evict, self.keep)


def request(
    row: Choice, author: str, context: int | None, evict: str | tuple[str, ...], keep: Keep | None = None
) -> SwapRequest:
    """The swap that puts `row` into memory with `context` tokens, or with those of the node's own choice.

    By itself, a file that changes its engine leaves the other one.
    """
    from fleetview_agent.wire import LoadOptions, SwapRequest  # the first paint does not wait for the wire models

    return SwapRequest.model_validate(
        {
            "author": author,
            "backend": row.backend,
            "model": row.file.name,
            "options": LoadOptions(context=context, keep=keep),
            "evict": (row.replaces,) if evict == "auto" and row.replaces else evict,
        }
    )
