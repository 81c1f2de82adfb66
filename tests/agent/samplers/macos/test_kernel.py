"""The kernel's calls, against the stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel, SwapUsage, TimeValue
from fleetview_agent.samplers.macos.libraries import Libraries
from fleetview_agent.samplers.probing import Unreadable
from tests.mac.standin import Standin


def test_numbers_of_both_sizes_are_read_and_minus_one_stays_so(mac: Standin, kernel: Kernel) -> None:
    assert kernel.number("hw.memsize") == 64 << 30
    assert kernel.number("hw.ncpu") == 12
    mac.set("sysctl.hw.ncpu", "i32:-1")
    assert kernel.number("hw.ncpu") == -1


def test_a_text_ends_at_its_nul(mac: Standin, kernel: Kernel) -> None:
    assert kernel.text("machdep.cpu.brand_string") == "Apple M2 Max"
    mac.set("sysctl.hw.model", "hex:4d616331342c360000ff")
    assert kernel.text("hw.model") == "Mac14,6"
    mac.set("sysctl.hw.model", "hex:")
    assert kernel.text("hw.model") == ""


def test_structures_are_read_whole(kernel: Kernel) -> None:
    swap = kernel.structure("vm.swapusage", SwapUsage)
    assert (swap.total, swap.used, swap.total - swap.used) == (4 << 30, int(3017.25 * 2**20), swap.available)
    assert (swap.page_size, swap.encrypted) == (16384, 1)
    assert kernel.structure("kern.boottime", TimeValue).microseconds == 250_000


def test_what_the_kernel_does_not_know_is_said_with_its_name(mac: Standin, kernel: Kernel) -> None:
    with pytest.raises(Unreadable, match=r"sysctl no\.such\.key: No such file or directory"):
        kernel.number("no.such.key")
    mac.set("sysctl.vm.swapusage", "hex:00")
    with pytest.raises(Unreadable, match=r"sysctl vm\.swapusage is 1 bytes long rather than 32"):
        kernel.structure("vm.swapusage", SwapUsage)
    with pytest.raises(Unreadable, match="no number"):
        kernel.number("vm.swapusage")
    mac.set("sysctl.hw.model", "text:" + "x" * 2000)
    with pytest.raises(Unreadable, match=r"sysctl hw\.model: Cannot allocate memory"):
        kernel.text("hw.model")


def test_every_count_of_pages_lands_in_its_own_field(mac: Standin, kernel: Kernel) -> None:
    pages = kernel.pages()
    told = {
        key: int(mac.value(f"vm.{key}") or 0)
        for key in ("free", "active", "inactive", "wired", "purgeable", "speculative", "compressor", "swapins")
    }
    assert told == {key: getattr(pages, key) for key in told}
    assert (pages.file_backed, pages.anonymous, pages.swapouts) == (924_030, 1_515_273, 2_000)
    assert (pages.faults, pages.compressions, pages.uncompressed_in_compressor) == (2_353_787_963, 2_545_776, 454_672)


def test_the_port_to_the_host_is_taken_once_and_given_back(mac: Standin, kernel: Kernel) -> None:
    for _ in range(100):
        kernel.pages()
        kernel.ticks()
        kernel.page_size()
    assert mac.count("ports") == 1
    kernel.close()
    kernel.close()
    assert mac.count("ports") == 0
    assert kernel.page_size() == 16384
    kernel.close()
    assert mac.count("ports") == 0


@pytest.mark.parametrize("call", ["host_statistics", "host_statistics64", "host_page_size"])
def test_a_call_that_fails_says_which_and_how(mac: Standin, kernel: Kernel, call: str) -> None:
    mac.set(f"fail.{call}", "5")
    with pytest.raises(Unreadable, match=f"^{call} failed with status 5$"):
        {"host_statistics": kernel.ticks, "host_statistics64": kernel.pages, "host_page_size": kernel.page_size}[call]()


def test_a_library_that_cannot_be_loaded_fails_only_when_it_is_asked_for(tmp_path: Path) -> None:
    libraries = Libraries(tmp_path / "absent.so")
    with pytest.raises(OSError, match=r"absent\.so"):
        _ = libraries.metal
