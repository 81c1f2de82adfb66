"""How busy the cores are, and since when the Mac runs."""

from __future__ import annotations

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel, Ticks
from fleetview_agent.samplers.macos.processor import busy_ratio, cpu_probe, uptime_probe
from fleetview_agent.samplers.probing import FIRST, SLEPT, Moment, Unreadable
from tests.mac.standin import Standin

LAST = 2**32 - 1


@pytest.mark.parametrize(
    ("before", "now", "ratio"),
    [
        (Ticks(100, 50, 1000, 5), Ticks(120, 60, 1060, 15), 0.4),  # user, system, idle, nice
        (Ticks(0, 0, 0, 0), Ticks(0, 0, 100, 0), 0),
        (Ticks(LAST - 9, 0, LAST - 19, 0), Ticks(10, 0, 60, 0), 0.2),  # two counts wrapped around
    ],
)
def test_the_share_of_the_ticks_that_were_not_idle_is_what_the_cores_worked(
    before: Ticks, now: Ticks, ratio: float
) -> None:
    assert busy_ratio(before, now) == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("now", "reason"), [(Ticks(100, 50, 1000, 5), "stood still"), (Ticks(100, 50, 999, 6), "went back")]
)
def test_ticks_that_do_not_go_on_tell_nothing(now: Ticks, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        busy_ratio(Ticks(100, 50, 1000, 5), now)


def test_the_first_reading_and_the_one_after_a_sleep_are_compared_with_nothing(mac: Standin, kernel: Kernel) -> None:
    for state in ("user", "system", "idle"):
        mac.unset(f"cpu.step.{state}")
    probe = cpu_probe(kernel)
    with pytest.raises(Unreadable, match=FIRST):
        probe.read(Moment(0))
    mac.set("cpu.idle", "8600100")
    with pytest.raises(Unreadable, match=SLEPT):
        probe.read(Moment(1, wakes=1))
    mac.set("cpu.idle", "8600200")
    mac.set("cpu.user", "1000300")
    assert probe.read(Moment(2, wakes=1)).values == {"cpu_ratio": 0.75}
    probe.close()
    assert mac.count("ports") == 0


def test_uptime_counts_from_the_start_of_the_system_sleep_included(kernel: Kernel) -> None:
    probe = uptime_probe(kernel, wall=lambda: 1_735_689_600.25 + 3600)  # an hour after the start of 2025
    assert probe.read(Moment(17)).values == {"uptime_seconds": 3600.0}
