"""Whether there is room. Pure."""

from __future__ import annotations

from fleetview_agent.wire import Verdict

GPU_MARGIN_BYTES = 1 << 30
"""Left free on a GPU, as llama.cpp does itself."""
TIGHT_RATIO = 0.1
"""Of the room; a model that leaves less of it is a tight fit."""


def verdict(need_bytes: int | None, room_bytes: int | None, *, gpu: bool) -> Verdict:
    """Whether there is room, with a margin where the room is a GPU's."""
    if need_bytes is None or room_bytes is None:
        return "unknown"
    usable = room_bytes - (GPU_MARGIN_BYTES if gpu else 0)
    if need_bytes > usable:
        return "does_not_fit"
    return "tight" if usable - need_bytes < room_bytes * TIGHT_RATIO else "fits"
