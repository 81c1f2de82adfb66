"""Choosing a sampler, and those that need no Linux."""

from __future__ import annotations

import sys

import pytest

from fleetview_agent.errors import ConfigError
from fleetview_agent.samplers import detect
from fleetview_agent.samplers.portable import PROBES_MISSING, PortableSampler
from fleetview_agent.samplers.simulated import SimulatedSampler
from fleetview_agent.wire import Sample


@pytest.mark.parametrize(
    ("platform", "sampler"), [("linux", "LinuxSampler"), ("darwin", "PortableSampler"), ("aix", None)]
)
def test_the_platform_decides(monkeypatch: pytest.MonkeyPatch, platform: str, sampler: str | None) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    if sampler is None:
        with pytest.raises(ConfigError, match="cannot read a machine that runs aix"):
            detect("detect")
    else:
        assert type(detect("detect")).__name__ == sampler


def test_a_simulated_machine_can_be_asked_for_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "aix")
    assert detect("simulated").machine.simulated


def test_a_mac_shows_what_can_be_read_and_says_what_cannot() -> None:
    sampler = PortableSampler()
    assert sampler.read().cpu_ratio is None
    sample = sampler.read()
    assert sample.cpu_ratio is not None
    assert sample.memory_available_bytes is not None
    assert sample.gpu_ratio is None
    assert sample.reasons["gpu_ratio"] == sample.reasons["pressure"] == PROBES_MISSING
    sampler.close()


def test_simulated_waves_are_the_same_each_time_and_differ_by_name() -> None:
    def read(name: str) -> list[Sample]:
        sampler = SimulatedSampler(name, clock=lambda: 1_700_000_000.0)
        return [sampler.read() for _ in range(50)]

    assert read("studio") == read("studio")
    assert read("studio") != read("laptop")
    assert len({sample.gpu_ratio for sample in read("studio")}) > 10


def test_simulated_figures_stay_within_the_machine() -> None:
    sampler = SimulatedSampler()
    for sample in (sampler.read() for _ in range(200)):
        assert sample.gpu_ratio is not None
        assert 0 <= sample.gpu_ratio <= 1
        assert sample.gpu_memory_used_bytes is not None
        assert sample.gpu_memory_limit_bytes is not None
        assert sample.gpu_memory_used_bytes < sample.gpu_memory_limit_bytes < sampler.machine.memory_bytes
        assert not sample.reasons


@pytest.mark.parametrize(
    "sampler", [SimulatedSampler(), PortableSampler(), detect("detect")], ids=lambda one: type(one).__name__
)
def test_every_figure_has_a_value_or_a_reason_and_a_source(sampler: SimulatedSampler | PortableSampler) -> None:
    sampler.read()
    sample = sampler.read()
    for field, value in sample:
        if field not in {"at", "interval_seconds", "reasons", "traffic", "pressure_evidence"}:
            assert value is not None or sample.reasons.get(field)
            assert value is None or field in sampler.machine.sources
