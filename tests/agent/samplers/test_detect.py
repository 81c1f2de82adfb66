"""Choosing a sampler, and what holds for all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fleetview_agent.errors import ConfigError
from fleetview_agent.samplers import MAC_LIBRARY, Sampler, detect
from fleetview_agent.samplers.limits import LIMITS
from fleetview_agent.samplers.probing import COMPANIONS
from fleetview_agent.samplers.simulated import SimulatedSampler
from fleetview_agent.wire import Sample
from tests.mac.standin import FIXTURE, M2MAX, compiled

NOT_READ = {"at", "interval_seconds", "sources", "reasons", "traffic", *COMPANIONS}


@pytest.fixture
def mac_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for macOS from now on."""
    library = compiled(tmp_path)
    monkeypatch.setenv(MAC_LIBRARY, str(library))
    monkeypatch.setenv(FIXTURE, str(M2MAX))
    return library


def test_linux_is_read_as_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    sampler = detect("detect")
    assert sampler.machine.platform == "linux"
    sampler.close()


def test_a_library_that_stands_in_for_macos_makes_any_machine_a_mac(mac_library: Path) -> None:
    sampler = detect("detect")
    assert (sampler.machine.platform, sampler.machine.chip) == ("darwin", "Apple M2 Max")
    sampler.close()


def test_a_mac_without_its_libraries_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MAC_LIBRARY, str(tmp_path / "absent.so"))
    with pytest.raises(ConfigError, match=r"cannot be read as a Mac: .*absent\.so"):
        detect("detect")


def test_another_platform_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "aix")
    with pytest.raises(ConfigError, match="cannot read a machine that runs aix"):
        detect("detect")


def test_a_simulated_machine_can_be_asked_for_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "aix")
    assert detect("simulated").machine.simulated


def test_simulated_waves_are_the_same_each_time_and_differ_by_name() -> None:
    def read(name: str) -> list[Sample]:
        sampler = SimulatedSampler(name, clock=lambda: 1_700_000_000.0)
        return [sampler.read() for _ in range(50)]

    assert read("studio") == read("studio")
    assert read("studio") != read("laptop")
    assert len({sample.gpu_ratio for sample in read("studio")}) > 10


def test_a_simulated_machine_has_every_figure_and_they_agree() -> None:
    sampler = SimulatedSampler()
    sampler.read()
    for sample in (sampler.read() for _ in range(200)):
        told = sample.model_dump()
        assert all(value is not None for value in told.values())
        assert all(low <= told[name] <= high for name, (low, high) in LIMITS.items())
        assert told["gpu_memory_used_bytes"] < told["gpu_memory_limit_bytes"] < sampler.machine.memory_bytes
        assert told["gpu_watts"] < told["power_watts"]
        assert not sample.reasons
    assert sum(sampler.machine.cpu_core_kinds.values()) == sampler.machine.cpu_cores


@pytest.mark.parametrize("platform", ["simulated", "this machine's", "macOS"])
def test_every_figure_has_a_value_or_a_reason_and_a_source(platform: str, request: pytest.FixtureRequest) -> None:
    if platform == "macOS":
        request.getfixturevalue("mac_library")
    sampler: Sampler = detect("simulated" if platform == "simulated" else "detect")
    sampler.read()
    sample = sampler.read()
    for field, value in sample:
        if field not in NOT_READ:
            assert (field in sampler.machine.sources) if value is not None else sample.reasons[field]
    sampler.close()
