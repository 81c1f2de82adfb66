"""What the counts of pages mean, and what the system says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel, Pages
from fleetview_agent.samplers.macos.memory import (
    available_pages,
    memory_probe,
    pressure_probe,
    swap_probe,
    used_pages,
)
from fleetview_agent.samplers.probing import FIRST, SLEPT, Moment, Unreadable
from tests.mac.standin import Standin

RECORDINGS = Path(__file__).resolve().parents[4].parent / "shared" / "recordings"
PAGE = 16384
LEVEL = "sysctl.kern.memorystatus_vm_pressure_level"


def printed(path: Path) -> Mapping[str, int]:
    """What vm_stat printed: label → pages."""
    if not path.exists():
        pytest.skip("the recordings are not here")
    rows = re.findall(r'^"?([^":]+)"?: +(\d+)\.$', path.read_text(), re.MULTILINE)
    return {label: int(count) for label, count in rows}


def counted(rows: Mapping[str, int]) -> Pages:
    """The same as the kernel counts them: its free pages include the speculative ones."""
    return Pages(
        free=rows["Pages free"] + rows["Pages speculative"],
        active=rows["Pages active"],
        inactive=rows["Pages inactive"],
        wired=rows["Pages wired down"],
        purgeable=rows["Pages purgeable"],
        speculative=rows["Pages speculative"],
        compressor=rows["Pages occupied by compressor"],
        file_backed=rows["File-backed pages"],
        anonymous=rows["Anonymous pages"],
    )


@pytest.mark.parametrize(
    ("recording", "used", "available"),
    [
        ("vm_stat/m2max.txt", 1_889_137, 2_249_917),
        ("vm_stat/unnamed-heavy-compression.txt", 1_461_318, 579_039),
        ("synthetic/vm_stat.macos27-mte.txt", 2_382_819, 590_574),
    ],
)
def test_used_and_available_memory_follow_from_what_vm_stat_counts(recording: str, used: int, available: int) -> None:
    pages = counted(printed(RECORDINGS / recording))
    assert (used_pages(pages), available_pages(pages)) == (used, available)


@pytest.mark.parametrize("recording", ["m2max.txt", "unnamed-heavy-compression.txt"])
def test_real_counts_of_used_memory_agree_from_either_side_and_leave_what_is_available(recording: str) -> None:
    pages = counted(printed(RECORDINGS / "vm_stat" / recording))
    resident = pages.active + pages.inactive + pages.speculative
    assert used_pages(pages) == resident + pages.wired + pages.compressor - pages.purgeable - pages.file_backed
    everything = pages.free + pages.active + pages.inactive + pages.wired + pages.compressor
    assert used_pages(pages) + available_pages(pages) == everything


def test_the_fixture_mac_uses_29_gib_and_swaps_so_much_a_second(mac: Standin, kernel: Kernel) -> None:
    probe = memory_probe(kernel)
    first = probe.read(Moment(10))
    assert first.values == {"memory_used_bytes": 1_889_137 * PAGE, "memory_available_bytes": 2_249_917 * PAGE}
    assert first.reasons == {"swap_bytes_per_second": FIRST}
    mac.set("vm.swapins", "1100")
    mac.set("vm.swapouts", "2300")
    assert probe.read(Moment(12.5)).values["swap_bytes_per_second"] == 400 * PAGE / 2.5


def test_pages_are_as_long_as_the_kernel_says_and_not_as_rosetta_says(mac: Standin, kernel: Kernel) -> None:
    mac.set("sysctl.hw.pagesize", "i64:4096")
    assert memory_probe(kernel).read(Moment(0)).values["memory_used_bytes"] == 1_889_137 * PAGE


def test_a_sleep_or_a_counter_that_fell_costs_one_rate_and_nothing_else(mac: Standin, kernel: Kernel) -> None:
    probe = memory_probe(kernel)
    probe.read(Moment(0))
    slept = probe.read(Moment(1, wakes=1))
    assert slept.reasons == {"swap_bytes_per_second": SLEPT}
    mac.set("vm.swapouts", "0")
    fell = probe.read(Moment(2, wakes=1))
    assert fell.reasons == {"swap_bytes_per_second": "the pages swapped did not go on"}
    assert set(slept.values) == set(fell.values) == {"memory_used_bytes", "memory_available_bytes"}
    assert probe.read(Moment(3, wakes=1)).values["swap_bytes_per_second"] == 0


@pytest.mark.parametrize(("level", "word"), [(1, "normal"), (2, "warning"), (4, "critical")])
def test_the_level_is_the_systems_and_the_rest_stands_beside_it(
    mac: Standin, kernel: Kernel, level: int, word: str
) -> None:
    mac.set(LEVEL, f"i32:{level}")
    mac.set("sysctl.kern.memorystatus_level", "i32:23")
    assert pressure_probe(kernel).read(Moment(0)).values == {
        "pressure": word,
        "pressure_evidence": f"level {level}, 23 % free, 2.9G swapped",
    }


@pytest.mark.parametrize("level", [0, 3, -1, 2**31 - 1])
def test_a_level_without_a_meaning_is_no_pressure(mac: Standin, kernel: Kernel, level: int) -> None:
    mac.set(LEVEL, f"i32:{level}")
    with pytest.raises(Unreadable, match=f"is {level}, which has no meaning"):
        pressure_probe(kernel).read(Moment(0))


def test_a_level_stands_by_itself_where_nothing_else_is_known(mac: Standin, kernel: Kernel) -> None:
    mac.set("sysctl.kern.memorystatus_level", "i32:101")
    mac.unset("sysctl.vm.swapusage")
    assert pressure_probe(kernel).read(Moment(0)).values == {"pressure": "normal", "pressure_evidence": "level 1"}
    with pytest.raises(Unreadable, match=r"vm\.swapusage"):
        swap_probe(kernel).read(Moment(0))


def test_what_lies_in_swap_is_told_in_bytes(kernel: Kernel) -> None:
    assert swap_probe(kernel).read(Moment(0)).values == {"swap_used_bytes": int(3017.25 * 2**20)}
