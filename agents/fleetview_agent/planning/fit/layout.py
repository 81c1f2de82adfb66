"""What a model remembers of a conversation, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.gguf import Header
from fleetview_agent.planning.fit import families


@dataclass(frozen=True)
class Layer:
    """A layer that keeps keys and values; the numbers of one token."""

    keys: int
    values: int
    is_windowed: bool


@dataclass(frozen=True)
class Layout:
    """What all layers keep."""

    layers: tuple[Layer, ...]
    window: int
    """Tokens that a windowed layer looks back."""
    widest_values: int
    """Of all layers: what each keeps where values of different widths are stored without flash attention."""
    state_numbers: int
    """What the recurrent layers keep of one sequence, however long it is."""
    is_latent: bool
    """Whether keys and values are kept in the form from which both are made, as keys alone."""


@dataclass(frozen=True)
class _Blocks:
    """The layers of a file as they are counted in it."""

    header: Header
    architecture: str
    trunk: int
    """How many there are without those that only predict further tokens."""
    heads: tuple[int, ...]
    heads_kv: tuple[int, ...]
    feed_forward: tuple[int, ...]


def layout_of(header: Header) -> Layout | None:
    """The layout; None for a family whose rules are not known, or a file that contradicts itself."""
    blocks = _blocks(header)
    if blocks is None:
        return None
    windowed = _windowed(blocks)
    recurrent = _recurrent(blocks)
    if windowed is None or recurrent is None:
        return None
    window, windows = windowed
    is_latent = blocks.architecture in families.LATENT and header.number("attention.key_length_mla") is not None
    rows = tuple(_layer(blocks, index, windows[index], is_latent) for index in range(len(blocks.heads)))
    return Layout(
        layers=tuple(row for index, row in enumerate(rows) if _attends(blocks, index, recurrent[index])),
        window=window,
        widest_values=max(row.values for row in rows),
        state_numbers=_state_numbers(blocks) * sum(recurrent),
        is_latent=is_latent,
    )


def _blocks(header: Header) -> _Blocks | None:
    """The layers as they are counted."""
    architecture, count = header.architecture, header.block_count
    predicting = header.number("nextn_predict_layers") or 0
    if architecture not in families.KNOWN or architecture is None or not count or predicting >= count:
        return None
    heads = _for_each(header.head_count, count)
    heads_kv = _for_each(header.head_count_kv, count)
    feed_forward = _for_each(header.feed_forward_length, count)
    if architecture in families.RECURRENT:
        heads = heads_kv = (0,) * count
    if heads is None or heads_kv is None:
        return None
    if feed_forward is None:
        if architecture in families.IDLE_FEED_FORWARD:
            return None
        feed_forward = (0,) * count
    return _Blocks(header, architecture, count - predicting, heads, heads_kv, feed_forward)


def _for_each(given: int | tuple[int, ...] | None, count: int) -> tuple[int, ...] | None:
    """One number for each layer; None where it is not known for all of them."""
    if isinstance(given, tuple):
        return given if len(given) == count else None
    return None if given is None else (given,) * count


def _layer(blocks: _Blocks, index: int, is_windowed: bool, is_latent: bool) -> Layer:
    """What a layer would keep of a token, if it keeps any."""
    keys = _width(blocks, "key", is_windowed)
    values = 0 if is_latent else _width(blocks, "value", is_windowed)
    return Layer(blocks.heads_kv[index] * keys, blocks.heads_kv[index] * values, is_windowed)


def _width(blocks: _Blocks, what: str, is_windowed: bool) -> int:
    """Of one key or value; where it is not given, what the first layer's heads leave to each."""
    own = blocks.header.number(f"attention.{what}_length_swa") if is_windowed else None
    if own is not None:
        return own
    first = blocks.heads[0]
    if first == 0 and blocks.architecture != "plamo2":
        return 0
    given = blocks.header.number(f"attention.{what}_length")
    return (blocks.header.embedding_length or 0) // max(first, 1) if given is None else given


def _attends(blocks: _Blocks, index: int, is_recurrent: bool) -> bool:
    """Whether a layer owns keys and values."""
    architecture, header = blocks.architecture, blocks.header
    if architecture in families.RECURRENT:
        return False
    if architecture in families.HYBRID_IN_EACH:
        return True
    if architecture in families.HYBRID_BY_HEADS:
        busy = architecture in families.IDLE_FEED_FORWARD and blocks.feed_forward[index] > 0
        return not is_recurrent and not busy
    owned = families.LAYERS_WITH_CACHE.get(architecture, blocks.trunk)
    shared = header.number("attention.shared_kv_layers") if architecture == "gemma4" else None
    return not is_recurrent and index < min(owned, len(blocks.heads) - (shared or 0))


def _windowed(blocks: _Blocks) -> tuple[int, tuple[bool, ...]] | None:
    """Tokens of the window, and which layers have it; None where the file should say and does not."""
    count = len(blocks.heads)
    nowhere = (0, (False,) * count)
    rule = families.SLIDING.get(blocks.architecture)
    if rule is None or families.WINDOWED_BLOCKS.get(blocks.architecture, blocks.trunk) != blocks.trunk:
        return nowhere
    given = blocks.header.number("attention.sliding_window")
    window = rule.absent if given is None else given
    if window == 0:
        return nowhere
    window = rule.always or window
    pattern = blocks.header.numbers("attention.sliding_window_pattern")
    if blocks.architecture == "lfm2":
        pattern = tuple(int(heads > 0) for heads in blocks.heads_kv)
    if isinstance(pattern, tuple):
        # the file may list more layers than it has, never fewer
        return (window, tuple(map(bool, pattern[:count]))) if len(pattern) >= count else None
    every = pattern or rule.every
    if not every:
        return None
    full = 0 if rule.full_first else every - 1
    return window, tuple(index < blocks.trunk and index % every != full for index in range(count))


def _recurrent(blocks: _Blocks) -> tuple[bool, ...] | None:
    """Which layers keep a state."""
    count = len(blocks.heads)
    if blocks.architecture in families.RECURRENT | families.HYBRID_IN_EACH:
        return tuple(index < blocks.trunk for index in range(count))
    if blocks.architecture in families.HYBRID_BY_HEADS:
        idle = blocks.architecture not in families.IDLE_FEED_FORWARD
        return tuple(
            index < blocks.trunk and heads == 0 and (idle or inner == 0)
            for index, (heads, inner) in enumerate(zip(blocks.heads_kv, blocks.feed_forward, strict=True))
        )
    if (usual := families.HYBRID_BY_INTERVAL.get(blocks.architecture)) is None:
        return (False,) * count
    listed = blocks.header.numbers("attention.recurrent_layers")
    if isinstance(listed, tuple):
        return tuple(map(bool, listed)) if len(listed) == count else None
    interval = blocks.header.number("full_attention_interval") or usual
    return tuple(index < blocks.trunk and (index + 1) % interval != 0 for index in range(count))


def _state_numbers(blocks: _Blocks) -> int:
    """What one recurrent layer keeps of a sequence."""
    header, heads, width = blocks.header, blocks.heads[0], blocks.header.embedding_length or 0

    def own(key: str, default: int = 0) -> int:
        given = header.number(key)
        return default if given is None else given

    inner, state = own("ssm.inner_size"), own("ssm.state_size")
    history = max(0, own("ssm.conv_kernel") - 1)
    if head := own("wkv.head_size"):
        return width * (own("token_shift_count", 2) + head)
    if cells := own("shortconv.l_cache"):
        return width * (cells - 1) + state * inner
    if head := own("kda.head_dim"):
        return 3 * (history or 3) * heads * head + head * head * heads
    convolved = history * (inner + 2 * own("ssm.group_count") * state)
    if blocks.architecture == "minimax-01":
        head = _width(blocks, "key", is_windowed=False)
        return convolved + head * head * heads
    return convolved + state * inner
