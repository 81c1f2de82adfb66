"""How much memory the GPU can have."""

from __future__ import annotations

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.macos.limit import GIB, inferred_limit, inferred_probe, wired_limit, wired_probe
from fleetview_agent.samplers.probing import Moment, Unreadable
from tests.mac.standin import Standin

NOW = Moment(0)
SET = "sysctl.iogpu.wired_limit_mb"


@pytest.mark.parametrize(
    ("macos", "gib", "limit"),
    [
        (15, 8, 5.33),
        (15, 16, 10.67),
        (15, 24, 16),
        (15, 32, 21.33),
        (15, 64, 48),
        (15, 96, 72),
        (15, 128, 96),
        (26, 16, 11.84),
        (26, 24, 17.76),
        (26, 48, 37.44),
        (26, 64, 51.84),
        (26, 128, 107.52),
        (26, 256, 208),
        (26, 512, 464),
    ],
)
def test_what_was_measured_on_such_machines_is_concluded(macos: int, gib: int, limit: float) -> None:
    assert inferred_limit(gib * GIB, macos) / GIB == pytest.approx(limit, rel=0.01)


@pytest.mark.parametrize(
    ("macos", "gib", "limit"), [(26, 8, 5.92), (26, 32, 24.32), (26, 96, 79.68), (27, 1024, 976), (14, 36, 27)]
)
def test_between_and_beyond_what_was_measured_the_limit_follows_the_rule(macos: int, gib: int, limit: float) -> None:
    assert inferred_limit(gib * GIB, macos) / GIB == pytest.approx(limit)


@pytest.mark.parametrize("macos", [None, 13, 26, 99])
def test_more_memory_never_means_less_for_the_gpu_and_never_all_of_it(macos: int | None) -> None:
    limits = [inferred_limit(gib * GIB, macos) for gib in range(1, 1025)]
    assert limits == sorted(limits)
    assert all(0 < limit < gib * GIB for gib, limit in enumerate(limits, 1))


def test_a_concluded_limit_says_that_it_is_one_and_by_which_rule() -> None:
    probe = inferred_probe(64 * GIB, None)
    assert probe.read(NOW).values == {"gpu_memory_limit_bytes": 48 * GIB, "gpu_memory_limit_inferred": True}
    assert "macOS 15 and older" in probe.sources["gpu_memory_limit_bytes"]


def test_the_owners_limit_counts_up_to_all_the_memory_there_is(mac: Standin, kernel: Kernel) -> None:
    probe = wired_probe(kernel, 64 * GIB)
    mac.set(SET, "i32:57344")
    assert probe.read(NOW).values == {"gpu_memory_limit_bytes": 56 * GIB}
    mac.set(SET, "i32:90000")
    assert probe.read(NOW).values == {"gpu_memory_limit_bytes": 64 * GIB}


@pytest.mark.parametrize("value", [None, "i32:0", "i32:-5"])
def test_where_the_owner_set_nothing_the_next_source_is_asked(mac: Standin, kernel: Kernel, value: str | None) -> None:
    mac.unset(SET) if value is None else mac.set(SET, value)
    with pytest.raises(Unreadable, match="nobody has set"):
        wired_probe(kernel, 64 * GIB).read(NOW)


def test_macos_13_keeps_the_owners_limit_elsewhere_in_bytes(mac: Standin, kernel: Kernel) -> None:
    mac.unset(SET)
    mac.set("sysctl.debug.iogpu.wired_limit", f"i64:{50 * GIB}")
    assert wired_limit(kernel) == 50 * GIB
