"""What a Mac is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.macos.machine import describe, macos_major, profiled_gpu
from fleetview_agent.samplers.probing import Unreadable
from tests.mac.standin import Standin

RECORDING = Path(__file__).resolve().parents[4].parent / "shared/recordings/system_profiler/displays-m3max.trimmed.json"
NOT_NAMED = {"sysctl.hw.perflevel0.name": None, "sysctl.hw.perflevel1.name": None}
THREE = {"sysctl.hw.nperflevels": "i32:3", "sysctl.hw.perflevel2.physicalcpu": "i32:2"}


def test_the_fixture_mac_is_described_in_full(kernel: Kernel) -> None:
    told = describe(kernel, ("Apple M2 Max", 38)).model_dump(exclude={"hostname", "user", "agent_version", "sources"})
    assert told == {
        "platform": "darwin",
        "system": "macOS 15.6 (24G84)",
        "model": "Mac14,6",
        "chip": "Apple M2 Max",
        "cpu_cores": 12,
        "cpu_core_kinds": {"performance": 8, "efficiency": 4},
        "memory_bytes": 64 << 30,
        "virtual": False,
        "gpu": "Apple M2 Max",
        "gpu_count": 1,
        "gpu_cores": 38,
        "unified_memory": True,
        "memory_bytes_per_second": 400e9,
        "simulated": False,
    }
    assert macos_major(kernel) == 15


@pytest.mark.parametrize(
    ("told", "darwin", "system", "major"),
    [("26.1", "25.1.0", "macOS 26.1 (25B78)", 26), ("16.0", "26.0.0", "macOS 27 (25B78)", 27)],
)
def test_a_version_that_is_disguised_for_older_programs_is_seen_through(
    mac: Standin, kernel: Kernel, told: str, darwin: str, system: str, major: int
) -> None:
    mac.set("sysctl.kern.osproductversion", f"text:{told}")
    mac.set("sysctl.kern.osversion", "text:25B78")
    mac.set("sysctl.kern.osrelease", f"text:{darwin}")
    assert describe(kernel, (None, None)).system == system
    assert macos_major(kernel) == major


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        (NOT_NAMED, {"performance": 8, "efficiency": 4}),
        (THREE, {}),
        ({**THREE, "sysctl.hw.perflevel2.name": "text:Super"}, {"performance": 8, "efficiency": 4, "super": 2}),
        ({"sysctl.hw.nperflevels": "i32:1"}, {}),
        ({"sysctl.hw.nperflevels": None}, {}),
        ({"sysctl.hw.nperflevels": "i32:2000000000"}, {}),
    ],
    ids=["without names", "a third without a name", "three", "one", "none", "nonsense"],
)
def test_kinds_of_core_are_told_where_all_are_known(
    mac: Standin, kernel: Kernel, changes: dict[str, str | None], kinds: dict[str, int]
) -> None:
    for key, value in changes.items():
        mac.unset(key) if value is None else mac.set(key, value)
    described = describe(kernel, (None, None)).cpu_core_kinds
    assert list(described.items()) == list(kinds.items())


def test_a_virtual_mac_without_a_gpu_is_a_machine_too(mac: Standin, kernel: Kernel) -> None:
    mac.set("sysctl.kern.hv_vmm_present", "i32:1")
    mac.set("sysctl.machdep.cpu.brand_string", "text:Apple M4 Max (Virtual)")
    machine = describe(kernel, (None, None))
    assert (machine.virtual, machine.gpu, machine.unified_memory) == (True, None, True)
    assert machine.memory_bytes_per_second is None  # it depends on cores that are not known


def test_what_is_not_told_stays_unknown_but_for_memory(mac: Standin, kernel: Kernel) -> None:
    for name in ("machdep.cpu.brand_string", "hw.model", "kern.osproductversion", "kern.osversion", "hw.ncpu"):
        mac.unset(f"sysctl.{name}")
    machine = describe(kernel, (None, None))
    assert (machine.chip, machine.model, machine.system, machine.unified_memory) == (None, None, "macOS", False)
    assert machine.cpu_cores >= 1
    assert macos_major(kernel) is None
    mac.unset("sysctl.hw.memsize")
    with pytest.raises(Unreadable, match=r"hw\.memsize"):
        describe(kernel, (None, None))


def test_the_systems_own_report_tells_name_and_cores_of_a_gpu() -> None:
    if not RECORDING.exists():
        pytest.skip("the recordings are not here")
    assert profiled_gpu(("cat", str(RECORDING))) == ("Apple M3 Max", 40)


@pytest.mark.parametrize(
    "printed", ["", "{", "[]", '{"SPDisplaysDataType": 7}', '{"SPDisplaysDataType": [1, {}]}', '{"other": []}']
)
def test_a_report_of_another_kind_tells_nothing(printed: str) -> None:
    assert profiled_gpu(("printf", "%s", printed)) == (None, None)


def test_a_report_that_is_not_there_tells_nothing() -> None:
    assert profiled_gpu((f"{sys.prefix}/no-such-program",)) == (None, None)
