"""The buffers in which llama.cpp computes one batch: the masks of the attention, and the widest step of a layer.

Fitted to what the engine itself lays out, where it is a few percent off at most; flash attention keeps it small.
"""

from __future__ import annotations

from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings
from fleetview_agent.planning.fit.families import HYBRID_BY_INTERVAL
from fleetview_agent.planning.fit.layout import Layout

_FLOAT_BYTES = 4


def compute_bytes(header: Header, layout: Layout, settings: LoadSettings, cells: tuple[int, int]) -> int | None:
    """Buffers for one batch of the prompt, and for what comes out; None where the file lacks a dimension."""
    width, vocabulary = header.embedding_length, header.vocabulary_size
    if not width or not vocabulary:
        return None
    full, windowed = cells
    batch = min(settings.batch, full * settings.sequences)
    outputs = max(settings.outputs, settings.sequences)
    steps = (
        2 * width * batch + outputs * vocabulary,
        batch * _feed_forward(header, width),
        batch * _attention(header, layout, settings, full),
        batch * _recurrence(header, width) + settings.sequences * _state(header),
    )
    caches = {layer.is_windowed for layer in layout.layers}
    masked = sum(windowed if is_windowed else full for is_windowed in caches)
    mask = batch * masked * (2 if settings.flash_attention else _FLOAT_BYTES)
    return mask + _FLOAT_BYTES * (max(steps) + settings.sequences * vocabulary)


def _feed_forward(header: Header, width: int) -> int:
    """Numbers for each token of a batch while the feed-forward part of a layer is computed."""
    dense = 4 * width + 3 * _largest(header.feed_forward_length)
    if own := header.number("embedding_length_per_layer_input"):
        streams = header.number("altup.num_inputs") or 1
        dense += (streams + 1) * width + (header.block_count or 0) * own
    if not (used := _largest(header.numbers("expert_used_count"))):
        return dense
    expert = _largest(header.numbers("expert_feed_forward_length")) or _largest(header.feed_forward_length)
    experts = max(5 * width + 3 * used * expert, 6 * width + 2 * used * width)
    is_mixed = header.number("leading_dense_block_count") or (header.number("interleave_moe_layer_step") or 1) > 1
    return max(dense, experts) if is_mixed else experts


def _recurrence(header: Header, width: int) -> int:
    """The same while a recurrent layer is computed."""
    if header.number("wkv.head_size"):
        return 20 * width
    inner = header.number("ssm.inner_size")
    if not inner or header.architecture in HYBRID_BY_INTERVAL:  # a gated delta net needs less than other steps
        return 0
    groups = header.number("ssm.group_count") or 0
    return width + 6 * (inner + 2 * groups * (header.number("ssm.state_size") or 0))


def _state(header: Header) -> int:
    """Numbers of the state that such a layer hands on for each sequence."""
    return (header.number("ssm.inner_size") or 0) * (header.number("ssm.state_size") or 0)


def _attention(header: Header, layout: Layout, settings: LoadSettings, full: int) -> int:
    """The same while its attention is computed; with flash attention it needs less than other steps, mostly."""
    width, heads = header.embedding_length or 0, _largest(header.head_count)
    keys = header.key_length or 0
    if layout.is_latent:
        values, unpacked = header.value_length or 0, header.number("attention.value_length_mla") or 0
        scores = 0 if settings.flash_attention else heads * full
        return 5 * width + heads * (keys + values + 2 * unpacked) + scores
    if settings.flash_attention or not layout.layers:
        return 0
    heads_kv = _largest(header.head_count_kv)
    return heads * full + 3 * heads * keys + 2 * heads_kv * keys + 3 * width


def _largest(given: int | tuple[int, ...] | None) -> int:
    """Of the layers, where they differ."""
    return max(given, default=0) if isinstance(given, tuple) else given or 0
