"""How a model is loaded, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetview.present.numbers import count
from fleetview.present.text import plain

if TYPE_CHECKING:
    from fleetview_agent.wire import LoadOptions

_SWITCHES = {True: "on", False: "off"}


def options(chosen: LoadOptions) -> str:
    """What was chosen besides context and time to stay; nothing where all is left to the engine."""
    words: list[str] = []
    if chosen.batch is not None:
        words.append(f"batch {chosen.batch}")
    if chosen.flash_attention is not None:
        words.append(f"flash attention {_SWITCHES[chosen.flash_attention]}")
    if chosen.cache_type_k is not None:
        words.append(f"keys as {chosen.cache_type_k}")
    if chosen.cache_type_v is not None:
        words.append(f"values as {chosen.cache_type_v}")
    if chosen.gpu_layers is not None:
        words.append(_layers(chosen.gpu_layers))
    if chosen.mmap is not None:
        words.append(f"mmap {_SWITCHES[chosen.mmap]}")
    if chosen.mlock is not None:
        words.append(f"mlock {_SWITCHES[chosen.mlock]}")
    if chosen.threads is not None:
        words.append(count(chosen.threads, "thread"))
    if chosen.chat_template is not None:
        words.append("its own chat template")
    return plain(", ".join(words))


def _layers(amount: int) -> str:
    """How much of it the GPU has."""
    if amount < 0:
        return "all layers on the GPU"
    return f"{count(amount, 'layer')} on the GPU" if amount else "no layer on the GPU"
