"""A Mac's memory: what is used, what can still be had, pressure and swap."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview_agent.samplers.macos.kernel import Kernel, Pages, SwapUsage
from fleetview_agent.samplers.macos.processor import FRESH_SECONDS
from fleetview_agent.samplers.probing import Counter, Moment, Probe, Reading, Unreadable
from fleetview_agent.wire import Pressure

GIB = 1 << 30
LEVELS: Mapping[int, Pressure] = {1: "normal", 2: "warning", 4: "critical"}
"""As the kernel tells programs, which are to let go of memory then."""
PAGE_SOURCES: Mapping[str, str] = {
    "memory_used_bytes": "host_statistics64: anonymous less purgeable, wired, and what the compressor takes",
    "memory_available_bytes": "host_statistics64: free, cached files, and purgeable",
    "swap_bytes_per_second": "host_statistics64: pages into and out of swap",
}
PRESSURE_SOURCE = "sysctl kern.memorystatus_vm_pressure_level; beside it kern.memorystatus_level and vm.swapusage"
LARGEST_PERCENT = 100


def used_pages(pages: Pages) -> int:
    """What Activity Monitor calls used."""
    return int(pages.anonymous - pages.purgeable + pages.wired + pages.compressor)


def available_pages(pages: Pages) -> int:
    """What can be had without compressing or swapping out what programs hold.

    The files that are cached count whole, among them models that are mapped but not wired. The kernel's own
    `memorystatus_level` counts the active pages of all programs besides, which is far more than a model should take.
    """
    return int(pages.free - pages.speculative + pages.file_backed + pages.purgeable)


def memory_probe(kernel: Kernel) -> Probe:
    """Used and available memory, and how fast it is swapped."""
    counted = _Counted(kernel)
    return Probe("memory", PAGE_SOURCES, counted.read, kernel.close, every_seconds=FRESH_SECONDS)


def pressure_probe(kernel: Kernel) -> Probe:
    """The system's own word for how scarce memory is."""

    def read(_moment: Moment) -> Reading:
        level = kernel.number("kern.memorystatus_vm_pressure_level")
        if level not in LEVELS:
            raise Unreadable(f"kern.memorystatus_vm_pressure_level is {level}, which has no meaning")
        return Reading({"pressure": LEVELS[level], "pressure_evidence": _evidence(kernel, level)})

    return Probe("pressure", {"pressure": PRESSURE_SOURCE}, read)


def swap_probe(kernel: Kernel) -> Probe:
    """What lies in swap; it stays there long after it was needed."""

    def read(_moment: Moment) -> Reading:
        return Reading({"swap_used_bytes": _swapped(kernel)})

    return Probe("swap", {"swap_used_bytes": "sysctl vm.swapusage"}, read)


class _Counted:
    """Reads the counts of pages."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._swapped = Counter("the pages swapped")

    def read(self, moment: Moment) -> Reading:
        """What the counts mean in bytes. Raises Unreadable."""
        pages, size = self._kernel.pages(), self._kernel.page_size()
        values: dict[str, object] = {
            "memory_used_bytes": used_pages(pages) * size,
            "memory_available_bytes": available_pages(pages) * size,
        }
        try:
            values["swap_bytes_per_second"] = self._swapped.rate((pages.swapins + pages.swapouts) * size, moment)
        except Unreadable as why:
            return Reading(values, {"swap_bytes_per_second": str(why)})
        return Reading(values)


def _swapped(kernel: Kernel) -> int:
    """Bytes in swap."""
    return int(kernel.structure("vm.swapusage", SwapUsage).used)


def _evidence(kernel: Kernel, level: int) -> str:
    """What stands beside the level: memory that is nearly all wired can still be called normal."""
    told = [f"level {level}"]
    for known in (_free, _in_swap):
        try:
            told.append(known(kernel))
        except Unreadable:
            continue  # the level stands by itself
    return ", ".join(told)


def _free(kernel: Kernel) -> str:
    """What the system calls free: all that is neither wired nor compressed."""
    percent = kernel.number("kern.memorystatus_level")
    if not 0 <= percent <= LARGEST_PERCENT:
        raise Unreadable(f"kern.memorystatus_level is {percent}")
    return f"{percent} % free"


def _in_swap(kernel: Kernel) -> str:
    """What lies in swap."""
    return f"{_swapped(kernel) / GIB:.1f}G swapped"
