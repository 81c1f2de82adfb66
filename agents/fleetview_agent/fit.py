"""How much memory a model would take, and whether there is room for it. Pure.

The formulas are those of llama.cpp with flash attention, a cache of 16-bit numbers, one sequence and one output.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.gguf import Header
from fleetview_agent.wire import Verdict

BATCH_TOKENS = 512
"""Tokens that are read at once."""
CONTEXT_STEP = 256
"""A context is rounded up to a multiple of this."""
CACHE_NUMBER_BYTES = 2
PROCESS_BYTES = 300 << 20
"""What a process with the engine takes besides the model."""
GPU_MARGIN_BYTES = 1 << 30
"""Left free on a GPU, as llama.cpp does itself."""
TIGHT_RATIO = 0.1
"""Of the room; a model that leaves less of it is a tight fit."""

# fmt: off
PLAIN = frozenset({
    "arcee", "baichuan", "bloom", "command-r", "dbrx", "deepseek", "ernie4_5", "exaone", "falcon", "gemma", "gpt2",
    "gptneox", "granite", "granitemoe", "hunyuan-dense", "internlm2", "llama", "mistral3", "mpt", "nemotron", "olmo",
    "olmoe", "orion", "phi2", "phi3", "phimoe", "qwen", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "refact", "seed_oss",
    "smollm3", "stablelm", "starcoder", "starcoder2", "xverse",
})
"""Architectures of which every layer keeps keys and values of the whole context."""
# fmt: on
_OTHERWISE = ("attention.kv_lora_rank", "attention.shared_kv_layers", "nextn_predict_layers", "ssm.state_size")
"""Keys of a model whose cache is not plain, whatever its architecture is called."""


@dataclass(frozen=True)
class Need:
    """What a model takes in memory."""

    weights_bytes: int
    cache_bytes: int
    """Keys and values of the whole context."""
    compute_bytes: int
    """Buffers for reading one batch of the prompt."""
    total_bytes: int
    """With the process around it."""


def need(header: Header, context: int) -> Need | None:
    """What the model takes with a context of so many tokens; None where its cache is not a plain one."""
    tokens = -(-context // CONTEXT_STEP) * CONTEXT_STEP
    cache_row = _cache_bytes_per_token(header)
    compute = _compute_bytes(header, tokens)
    if cache_row is None or compute is None or header.number_of_files > 1:
        return None
    weights, cache = header.tensor_bytes, cache_row * tokens
    return Need(weights, cache, compute, weights + cache + compute + PROCESS_BYTES)


def verdict(need_bytes: int | None, room_bytes: int | None, *, gpu: bool) -> Verdict:
    """Whether there is room, with a margin where the room is a GPU's."""
    if need_bytes is None or room_bytes is None:
        return "unknown"
    usable = room_bytes - (GPU_MARGIN_BYTES if gpu else 0)
    if need_bytes > usable:
        return "does_not_fit"
    return "tight" if usable - need_bytes < room_bytes * TIGHT_RATIO else "fits"


def _cache_bytes_per_token(header: Header) -> int | None:
    """Keys and values of one token in all layers."""
    blocks, heads, keys, values = header.block_count, header.head_count_kv, header.key_length, header.value_length
    if header.architecture not in PLAIN or any(header.number(key) for key in _OTHERWISE):
        return None
    if not blocks or heads is None or keys is None or values is None:
        return None
    if isinstance(heads, tuple):
        if len(heads) != blocks:
            return None
        return sum(heads) * (keys + values) * CACHE_NUMBER_BYTES
    return blocks * heads * (keys + values) * CACHE_NUMBER_BYTES


def _compute_bytes(header: Header, tokens: int) -> int | None:
    """Buffers for one batch: the mask of the attention, and the widest step of a layer or of the output."""
    width, vocabulary = header.embedding_length, header.vocabulary_size
    inner = header.feed_forward_length
    if isinstance(inner, tuple):
        inner = max(inner, default=None)
    if not width or not vocabulary or not inner:
        return None
    batch = min(BATCH_TOKENS, tokens)
    activations = 5 * width + 3 * inner
    if used := header.number("expert_used_count"):
        expert = header.number("expert_feed_forward_length") or inner
        activations = max(5 * width + 3 * used * expert, 6 * width + 2 * used * width)
    output = 4 * vocabulary
    mask = 2 * batch * tokens
    return mask + max(4 * batch * activations, 4 * batch * 5 * width + output) + output
