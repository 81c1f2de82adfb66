"""What a load needs: the settings that decide about its memory, and the bytes that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from fleetview_agent.wire import CacheType

BATCH_TOKENS = 512
"""Tokens that are read at once, unless an engine is told otherwise."""
PROCESS_BYTES = 300 << 20
"""What a process with an engine takes besides the model."""
PROJECTOR_MARGIN_BYTES = 1 << 30
"""What a projector for images computes with, besides its file; as Ollama reserves it."""
CACHE_TYPES: tuple[CacheType, ...] = get_args(CacheType)
"""How the numbers of a key-value cache may be kept, by the names of llama.cpp."""


@dataclass(frozen=True)
class LoadSettings:
    """How an engine would load a model, as far as its memory depends on it."""

    context: int
    """Tokens of one sequence."""
    sequences: int = 1
    """Requests that are answered at a time, each with a cache of `context` tokens."""
    batch: int = BATCH_TOKENS
    """Tokens that are computed at once (llama.cpp's n_ubatch)."""
    flash_attention: bool = True
    cache_type_k: CacheType = "f16"
    cache_type_v: CacheType = "f16"
    full_window_cache: bool = False
    """Whether layers with a sliding window keep the whole context all the same (llama.cpp's swa_full)."""
    outputs: int = 1
    """Tokens of a batch of which the probabilities are kept."""
    projector_bytes: int = 0
    """Of a second file for images or sound; zero for a model without one."""
    prompt_cache_bytes: int = 0
    """What old prompts may take on top, at most."""


@dataclass(frozen=True)
class Need:
    """What a model takes in memory, in bytes."""

    weights_bytes: int
    cache_bytes: int
    """Keys and values of the whole context, of all sequences."""
    compute_bytes: int
    """Buffers for one batch of the prompt, and for what comes out."""
    state_bytes: int = 0
    """Of recurrent layers, which does not grow with the context."""
    projector_bytes: int = 0
    prompt_cache_bytes: int = 0
    process_bytes: int = PROCESS_BYTES

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return (
            self.weights_bytes
            + self.cache_bytes
            + self.compute_bytes
            + self.state_bytes
            + self.projector_bytes
            + self.prompt_cache_bytes
            + self.process_bytes
        )
