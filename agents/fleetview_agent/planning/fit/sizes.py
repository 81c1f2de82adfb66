"""What a model would take with given settings, by the formulas of llama.cpp. Pure."""

from __future__ import annotations

from fleetview_agent.gguf import Header
from fleetview_agent.needs import PROJECTOR_MARGIN_BYTES, LoadSettings, Need
from fleetview_agent.planning.fit.compute import compute_bytes
from fleetview_agent.planning.fit.layout import Layer, Layout, layout_of
from fleetview_agent.wire import CacheType

CONTEXT_STEP = 256
"""A context is rounded up to a multiple of this."""
STATE_NUMBER_BYTES = 4

_BLOCK_BYTES: dict[CacheType, tuple[int, int]] = {
    "f32": (1, 4),
    "f16": (1, 2),
    "bf16": (1, 2),
    "q8_0": (32, 34),
    "q5_1": (32, 24),
    "q5_0": (32, 22),
    "q4_1": (32, 20),
    "q4_0": (32, 18),
    "iq4_nl": (32, 18),
}
"""Numbers that are packed together, and the bytes of such a block."""


def need(header: Header, settings: LoadSettings) -> Need | None:
    """What the model takes; None where its family remembers by rules that are not known here."""
    layout = layout_of(header)
    if layout is None or not header.is_complete:
        return None
    cells = cells_of(layout, settings)
    compute = compute_bytes(header, layout, settings, cells)
    if compute is None:
        return None
    return Need(
        weights_bytes=header.tensor_bytes,
        cache_bytes=_cache_bytes(layout, settings, cells),
        compute_bytes=compute,
        state_bytes=STATE_NUMBER_BYTES * layout.state_numbers * settings.sequences,
        projector_bytes=settings.projector_bytes and settings.projector_bytes + PROJECTOR_MARGIN_BYTES,
        prompt_cache_bytes=settings.prompt_cache_bytes,
    )


def cells_of(layout: Layout, settings: LoadSettings) -> tuple[int, int]:
    """Tokens of one sequence for which there is room: in a layer that sees everything, and in one with a window."""
    full = _padded(settings.context)
    if settings.full_window_cache or not layout.window:
        return full, full
    batch = min(settings.batch, full * settings.sequences)
    return full, _padded(min(full, layout.window + batch))


def _cache_bytes(layout: Layout, settings: LoadSettings, cells: tuple[int, int]) -> int:
    """Keys and values of the whole context, of all sequences."""
    full, windowed = cells
    rows = (_row_bytes(layer, layout, settings) * (windowed if layer.is_windowed else full) for layer in layout.layers)
    return settings.sequences * sum(rows)


def _row_bytes(layer: Layer, layout: Layout, settings: LoadSettings) -> int:
    """What a layer keeps of one token. Without flash attention all layers keep values of one width."""
    values = layer.values if settings.flash_attention or layout.is_latent else layout.widest_values
    return _packed(layer.keys, settings.cache_type_k) + _packed(values, settings.cache_type_v)


def _packed(numbers: int, kind: CacheType) -> int:
    """Bytes of so many numbers."""
    elements, size = _BLOCK_BYTES[kind]
    return numbers * size // elements


def _padded(tokens: int) -> int:
    """A context as it is laid out."""
    return -(-tokens // CONTEXT_STEP) * CONTEXT_STEP
