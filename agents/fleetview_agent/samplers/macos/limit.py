"""The most memory that a Mac's GPU can have: what the owner set, else what the system is known to make of its size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable

GIB = 1 << 30
LIMIT = "gpu_memory_limit_bytes"
INFERRED = "gpu_memory_limit_inferred"
SMALL_BYTES = 32 * GIB
"""Up to here the older systems give the GPU two thirds of memory, above it three quarters; 36 and 48 GiB lie above by
what other programs have logged."""
NEWER_MACOS = 26
NEWER_LIMITS: Sequence[tuple[float, float]] = (
    (0, 0),
    (16, 11.84),
    (24, 17.76),
    (48, 37.44),
    (64, 51.84),
    (128, 107.52),
    (256, 208),
    (512, 464),
)
"""GiB of memory → GiB for the GPU, as measured on macOS 26. What lies between two is taken as on a line."""


def wired_limit(kernel: Kernel) -> int | None:
    """The bytes that the owner allows the GPU; None where that is left to the system."""
    for name, unit_bytes in (("iogpu.wired_limit_mb", 1 << 20), ("debug.iogpu.wired_limit", 1)):  # the second: macOS 13
        try:
            limit = kernel.number(name)
        except Unreadable:
            continue
        return limit * unit_bytes if limit > 0 else None
    return None


def wired_probe(kernel: Kernel, memory_bytes: int) -> Probe:
    """The owner's limit, which may be above all the memory that there is."""

    def read(_moment: Moment) -> Reading:
        limit = wired_limit(kernel)
        if limit is None:
            raise Unreadable("nobody has set iogpu.wired_limit_mb")
        return Reading({LIMIT: min(limit, memory_bytes)})

    return Probe("wired limit", {LIMIT: "sysctl iogpu.wired_limit_mb"}, read)


def inferred_probe(memory_bytes: int, macos_major: int | None) -> Probe:
    """About the limit that the system sets when nobody else does."""
    rule = "macOS 26" if _is_newer(macos_major) else "macOS 15 and older"
    reading = Reading({LIMIT: inferred_limit(memory_bytes, macos_major), INFERRED: True})
    source = f"from the size of the memory by the rule of {rule}"
    return Probe("inferred limit", {LIMIT: source}, lambda _moment: reading)


def inferred_limit(memory_bytes: int, macos_major: int | None) -> int:
    """About what the system gives the GPU; by the older rule, which gives less, where the version is not known."""
    if not _is_newer(macos_major):
        return memory_bytes * 2 // 3 if memory_bytes <= SMALL_BYTES else memory_bytes * 3 // 4
    gib = memory_bytes / GIB
    for (below, at_below), (above, at_above) in pairwise(NEWER_LIMITS):
        if gib <= above:
            return int((at_below + (gib - below) / (above - below) * (at_above - at_below)) * GIB)
    largest, limit = NEWER_LIMITS[-1]
    return memory_bytes - int((largest - limit) * GIB)


def _is_newer(macos_major: int | None) -> bool:
    """Whether the system has the newer rule."""
    return macos_major is not None and macos_major >= NEWER_MACOS
