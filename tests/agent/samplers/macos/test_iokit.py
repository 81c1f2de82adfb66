from __future__ import annotations

import plistlib
import re
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetview_agent.samplers.limits import LIMITS
from fleetview_agent.samplers.macos.core_foundation import CoreFoundation
from fleetview_agent.samplers.macos.gpu_statistics import FIGURES, from_statistics
from fleetview_agent.samplers.macos.iokit import gpu_identity, iokit_probe
from fleetview_agent.samplers.macos.libraries import Libraries
from fleetview_agent.samplers.probing import Moment, Probe, Unreadable
from tests.mac.standin import Standin

RECORDINGS = Path(__file__).resolve().parents[4].parent / "shared" / "recordings" / "ioreg"
STATISTICS = "iokit.PerformanceStatistics"
BUSY = f"{STATISTICS}.Device Utilization %"
IN_USE = f"{STATISTICS}.In use system memory"
ALLOCATED = f"{STATISTICS}.Alloc system memory"
NOW = Moment(0.0)


@pytest.fixture
def probe(mac: Standin) -> Probe:
    return iokit_probe(Libraries(mac.library))


def assert_all_is_released(mac: Standin, ports: int = 0) -> None:
    assert mac.count("created") == mac.count("released") > 0
    assert mac.count("ports opened") - mac.count("ports closed") == ports
    assert mac.count("misused") == 0


def serve(mac: Standin, statistics: Mapping[str, object]) -> None:
    for key, value in statistics.items():
        mac.set(f"{STATISTICS}.{key}", f"int:{value}")


def test_the_driver_tells_how_busy_the_gpu_is_and_its_memory(mac: Standin, probe: Probe) -> None:
    reading = probe.read(NOW)
    assert reading.values == {
        "gpu_ratio": 0.43,
        "gpu_memory_used_bytes": 18_540_298_240,
        "gpu_memory_allocated_bytes": 21_307_064_320,
    }
    assert reading.reasons == {}
    assert mac.count("properties fetched") == 1
    assert set(probe.sources) == set(reading.values)
    assert probe.sources["gpu_ratio"] == "IOKit, PerformanceStatistics 'Device Utilization %'"


def test_ten_thousand_readings_leave_nothing_behind(mac: Standin, probe: Probe) -> None:
    process = psutil.Process()
    for _ in range(1_000):
        probe.read(NOW)
    before = process.memory_info().rss
    for _ in range(9_000):
        probe.read(NOW)
    assert process.memory_info().rss - before < 1_000_000
    assert_all_is_released(mac, ports=1)
    assert mac.count("ports opened") == 2  # one to look through the drivers, and the driver
    probe.close()
    assert_all_is_released(mac)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("iokit.fail.services", "", "IOKit could not look for a GPU driver: it answered 0xe00002bd"),
        ("iokit.fail.property", "", "no GPU driver publishes statistics here (a virtual machine?)"),
        ("iokit.accelerators", "0", "no GPU driver publishes statistics here (a virtual machine?)"),
        (STATISTICS, "text:none", "no GPU driver publishes statistics here (a virtual machine?)"),
    ],
)
def test_a_reading_that_fails_releases_all_and_the_next_one_is_free_to_succeed(
    mac: Standin, probe: Probe, key: str, value: str, reason: str
) -> None:
    mac.set(key, value)
    with pytest.raises(Unreadable) as failure:
        probe.read(NOW)
    assert str(failure.value) == reason
    assert_all_is_released(mac)
    if key == STATISTICS:
        mac.set(key, "dict:")
    else:
        mac.unset(key)
    assert probe.read(NOW).values["gpu_ratio"] == 0.43


def test_without_memory_for_a_question_nothing_is_opened(mac: Standin, probe: Probe) -> None:
    mac.set("iokit.fail.matching", "")
    with pytest.raises(Unreadable, match="could not look for a GPU driver"):
        probe.read(NOW)
    assert mac.count("created") == mac.count("ports opened") == 0


def test_an_accident_in_the_midst_of_a_reading_releases_all(
    mac: Standin, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accident(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(CoreFoundation, "value", accident)
    with pytest.raises(RuntimeError):
        probe.read(NOW)
    with pytest.raises(RuntimeError):
        gpu_identity(Libraries(mac.library))
    assert_all_is_released(mac)


def test_a_string_that_cannot_be_made_releases_all(mac: Standin, probe: Probe) -> None:
    mac.set("cf.fail.string", "")
    with pytest.raises(Unreadable, match="Core Foundation made no string"):
        probe.read(NOW)
    assert gpu_identity(Libraries(mac.library)) == (None, None)
    assert_all_is_released(mac)


def test_a_driver_that_was_restarted_is_found_again_in_the_same_reading(mac: Standin, probe: Probe) -> None:
    probe.read(NOW)
    mac.set("iokit.generation", "1")
    mac.set(BUSY, "int:5")
    assert probe.read(NOW).values["gpu_ratio"] == 0.05
    assert_all_is_released(mac, ports=1)


def test_a_driver_that_is_gone_shows_no_last_figures(mac: Standin, probe: Probe) -> None:
    probe.read(NOW)
    mac.set("iokit.generation", "1")
    mac.set("iokit.accelerators", "0")
    with pytest.raises(Unreadable, match="no GPU driver publishes statistics"):
        probe.read(NOW)
    assert_all_is_released(mac)
    mac.unset("iokit.accelerators")
    assert probe.read(NOW).values["gpu_ratio"] == 0.43


def test_of_several_accelerators_the_first_with_statistics_counts(mac: Standin, probe: Probe) -> None:
    mac.set("iokit.accelerators", "3")
    mac.unset(STATISTICS)
    mac.set("iokit.2.PerformanceStatistics", "dict:")
    mac.set("iokit.2.PerformanceStatistics.Device Utilization %", "int:9")
    assert probe.read(NOW).values == {"gpu_ratio": 0.09}
    assert_all_is_released(mac, ports=1)


def test_a_key_that_only_begins_another_is_not_taken_for_it(mac: Standin, probe: Probe) -> None:
    mac.unset(IN_USE)
    mac.set(f"{IN_USE} (driver)", "int:4096")
    reading = probe.read(NOW)
    assert set(reading.values) == {"gpu_ratio", "gpu_memory_allocated_bytes"}
    assert reading.reasons == {
        "gpu_memory_used_bytes": "the GPU driver does not tell 'In use system memory'",
    }


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        (BUSY, "int:101", "gpu_ratio"),
        (BUSY, "int:-1", "gpu_ratio"),
        (BUSY, "float:0.5", "gpu_ratio"),
        (BUSY, "bool:1", "gpu_ratio"),
        (BUSY, "text:43", "gpu_ratio"),
        (BUSY, "data:2b", "gpu_ratio"),
        (IN_USE, "int:18446744072001552384", "gpu_memory_used_bytes"),
        (ALLOCATED, "int:9223372036854775807", "gpu_memory_allocated_bytes"),
    ],
)
def test_a_value_that_cannot_be_costs_no_other_figure(
    mac: Standin, probe: Probe, key: str, value: str, field: str
) -> None:
    mac.set(key, value)
    reading = probe.read(NOW)
    assert set(reading.values) == set(FIGURES) - {field}
    assert set(reading.reasons) == {field}
    assert_all_is_released(mac, ports=1)


def test_without_the_library_there_is_a_reason(tmp_path: Path) -> None:
    libraries = Libraries(tmp_path / "none.so")
    with pytest.raises(Unreadable, match=r"IOKit cannot be used: .*none\.so"):
        iokit_probe(libraries).read(NOW)
    assert gpu_identity(libraries) == (None, None)


@pytest.mark.parametrize(
    ("model", "cores", "identity"),
    [
        ("text:Apple M2 Max", "int:38", ("Apple M2 Max", 38)),
        ("data:4170706c65204d3220000000", "data:10000000", ("Apple M2", 16)),
        ("text:Grafik für M2 ™", "int:0", ("Grafik für M2 ™", None)),
        (None, "int:38", (None, 38)),
        ("data:", "data:", (None, None)),
        (None, "int:-8", (None, None)),
        ("int:5", "text:38", (None, None)),
    ],
)
def test_the_gpu_is_named_and_its_working_cores_counted(
    mac: Standin, model: str | None, cores: str, identity: tuple[str | None, int | None]
) -> None:
    mac.unset("iokit.model")
    if model is not None:
        mac.set("iokit.model", model)
    mac.set("iokit.gpu-core-count", cores)
    assert gpu_identity(Libraries(mac.library)) == identity
    assert_all_is_released(mac)


@pytest.mark.parametrize("key", ["cf.fail.text", "iokit.fail.services", "iokit.fail.property"])
def test_a_gpu_that_cannot_be_asked_has_no_name(mac: Standin, key: str) -> None:
    mac.set(key, "")
    assert gpu_identity(Libraries(mac.library))[0] is None
    assert_all_is_released(mac)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not here")
def test_what_real_macs_said_comes_out_the_same(mac: Standin, probe: Probe) -> None:
    (m4_pro,) = plistlib.loads((RECORDINGS / "m4pro-16core.trimmed.plist").read_bytes())
    serve(mac, m4_pro["PerformanceStatistics"])
    assert probe.read(NOW).values == {
        "gpu_ratio": 0.12,
        "gpu_memory_used_bytes": 1_270_726_656,
        "gpu_memory_allocated_bytes": 8_970_174_464,
    }
    for name, ratio, used, allocated in (
        ("m1pro-16core.trimmed.txt", 0.34, 7_688_503_296, 14_511_046_656),
        ("m4pro-16core.agx.txt", 1.0, 10_977_263_616, 66_160_230_400),
    ):
        found = re.search(r'"PerformanceStatistics" = {(.*)}', (RECORDINGS / name).read_text())
        assert found is not None
        serve(mac, dict(re.findall(r'"([^"]+)"=(\d+)', found[1])))
        assert tuple(probe.read(NOW).values.values()) == (ratio, used, allocated)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(
    st.dictionaries(
        st.sampled_from([figure.key for figure in FIGURES.values()]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    )
)
def test_whatever_the_statistics_hold_each_figure_is_possible_or_has_a_reason(statistics: dict[str, object]) -> None:
    reading = from_statistics(statistics)
    assert reading.values.keys() | reading.reasons.keys() == FIGURES.keys()
    assert not reading.values.keys() & reading.reasons.keys()
    for name, value in reading.values.items():
        low, high = LIMITS[name]
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        assert low <= value <= high
