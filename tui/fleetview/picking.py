"""What can be loaded on a node, how a few typed letters narrow it, and which contexts can be chosen. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleetview.fleet import NodeState
from fleetview_agent.wire import LONGEST_NAME, BackendState, LoadOptions, ModelFile, SwapRequest

SHORTEST_CONTEXT = 512
"""Nobody wants less, unless the model was trained for less."""
LONGEST_CONTEXT = 1 << 20
"""Where a model does not tell what it was trained for."""
USUAL_CONTEXT = 8192
"""Where the node does not tell what a model gets by itself."""


@dataclass(frozen=True)
class Choice:
    """A model of one backend, as one row of the picker."""

    backend: str
    file: ModelFile
    refusal: str | None = None
    """Why it cannot be chosen; None for one that can."""
    resident: str | None = None
    """Its phase, where it is in memory or on its way there."""

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


def choices(node: NodeState) -> tuple[Choice, ...]:
    """Every model of the node, those that can be loaded first, otherwise in the order of the backends."""
    rows = [_choice(state, file) for state in node.backends.values() for file in state.models]
    return tuple(sorted(rows, key=lambda row: row.refusal is not None))


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


def request(row: Choice, author: str, context: int | None, evict: str) -> SwapRequest:
    """The swap that puts `row` into memory with `context` tokens, or with those of the node's own choice."""
    return SwapRequest.model_validate(
        {
            "author": author,
            "backend": row.backend,
            "model": row.file.name,
            "options": LoadOptions(context=context),
            "evict": evict,
        }
    )
