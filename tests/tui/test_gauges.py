"""What a node's figures are now: what they cover, where they come from, and why some are not there."""

from __future__ import annotations

import pytest

from fleetview.present import measures
from fleetview.present.node.account import account
from fleetview.present.node.detail import detail
from fleetview.present.node.gauges import gauges, not_drawn
from fleetview.present.node.panel import panel
from fleetview.present.node.readings import LABELS, UNTOLD, absent, absent_of_gpus, sources
from fleetview.present.node.source_table import source_table
from fleetview.present.text import Line, joined, text_of, width_of
from fleetview_agent.wire import Gpu, Machine, Sample
from tests.builders import GIB, a_machine, a_node, a_sample


def told(*, width: int = 100, **changes: object) -> str:
    return "\n".join(text_of(line) for line in gauges(a_node(samples=(a_sample(**changes),)), width))


def tone(lines: tuple[Line, ...], part: str) -> str:
    return next(tone for line in lines for text, tone in line if part in text)


def test_every_figure_has_a_name_that_people_use() -> None:
    about = {"at", "interval_seconds", "sources", "reasons", "traffic", "gpus"}
    beside = {"pressure_evidence", "power_covers", "gpu_memory_limit_inferred"}
    assert set(LABELS) == set(Sample.model_fields) - about - beside


def test_memory_of_the_gpu_is_in_use_allocated_and_limited_and_an_inferred_limit_is_about_that() -> None:
    assert "GPU memory 40G in use · 44G allocated · limit 144G" in told()
    assert "40G in use · limit about 144G" in told(gpu_memory_allocated_bytes=None, gpu_memory_limit_inferred=True)


@pytest.mark.parametrize(
    ("covers", "said", "short"),
    [
        ("system", "95 W whole machine · GPU 60 W · GPU at 900 MHz", "95 W  "),
        ("chip", "95 W chip · GPU 60 W · GPU at 900 MHz", "95 W chip  "),
        ("gpu", "95 W GPU only · GPU at 900 MHz", "95 W GPU  "),
        (None, "95 W · GPU 60 W · GPU at 900 MHz", "95 W  "),
    ],
)
def test_power_says_what_it_covers(covers: str | None, said: str, short: str) -> None:
    assert f"  power      {said}\n" in f"{told(power_covers=covers)}\n"
    lines = panel(a_node(samples=(a_sample(power_covers=covers),)), 100.0, 100, 8)
    assert any(short in f"{text_of(line).rstrip()}  " for line in lines)


def test_heat_that_holds_the_machine_back_is_coloured() -> None:
    assert "GPU 52 °C · CPU 48 °C · thermal state nominal · fans 1200, 1210 rpm" in told()
    for state, expected in (("nominal", "dim"), ("moderate", "warm"), ("heavy", "hot"), ("trapping", "hot")):
        lines = gauges(a_node(samples=(a_sample(thermal_state=state),)), 100)
        assert tone(lines, state) == expected
    assert "thermal state heavy, so it is held back" in told(thermal_state="heavy")


def test_a_machine_without_fans_is_told_from_one_whose_fans_stand_still() -> None:
    assert told(fans_rpm=()).endswith("no fans")
    assert told(fans_rpm=(0.0, 0.0)).endswith("fans stand still")
    assert told(fans_rpm=(900.0,)).endswith("fan 900 rpm")


def test_pressure_stands_beside_its_evidence() -> None:
    assert "memory     pressure critical · level 4, 3 % free · swap 2.0G" in told(
        pressure="critical", pressure_evidence="level 4, 3 % free", swap_used_bytes=2 * GIB
    )


def test_several_gpus_have_a_row_each_with_the_reasons_of_their_own() -> None:
    gpus = (
        Gpu(name="NVIDIA L4", ratio=0.5, memory_used_bytes=2 * GIB, memory_limit_bytes=24 * GIB, celsius=60, watts=71),
        Gpu(name="NVIDIA L4", reasons=dict.fromkeys(("ratio", "celsius"), "it has fallen off the bus")),
    )
    text = told(gpus=gpus)
    assert "GPU 0      NVIDIA L4 · 50% · 2.0G of 24G · 60 °C · 71 W" in text
    assert "load, heat of GPU 1  –  it has fallen off the bus" in text
    assert f"memory, memory limit, power of GPU 1  –  {UNTOLD}" in text


def test_what_no_instance_of_a_divided_gpu_tells_is_told_once() -> None:
    instance = Gpu(
        name="H100", memory_used_bytes=1, memory_limit_bytes=2, reasons={"ratio": "divided", "celsius": "whole"}
    )
    whole = instance.model_copy(update={"celsius": 50.0, "watts": 90.0})
    sample = a_sample(gpus=(instance, instance, whole))
    assert absent_of_gpus(sample) == {
        "divided": ("load of each GPU",),
        "whole": ("heat of GPUs 0, 1",),
        UNTOLD: ("power of GPUs 0, 1",),
    }


def test_every_reason_is_told_once_with_all_that_it_is_the_reason_for() -> None:
    hint = "macmon is not installed: `brew install macmon`"
    reasons = dict.fromkeys(("power_watts", "gpu_watts", "cpu_celsius"), hint)
    sample = a_sample(power_watts=None, gpu_watts=None, cpu_celsius=None, fans_rpm=None, reasons=reasons)
    assert absent(sample) == {hint: ("CPU heat", "power", "GPU power"), UNTOLD: ("fans",)}
    lines = [text_of(line) for line in detail(a_node(samples=(sample,)), 100.0, 100)]
    models = next(number for number, line in enumerate(lines) if line.startswith(" models in memory"))
    assert lines.index(f"   CPU heat, power, GPU power  –  {hint}") < models
    assert lines.index(f"   fans  –  {UNTOLD}") > lines.index(" sources")


def test_a_source_of_the_sample_stands_before_that_of_the_machine_and_only_for_what_is_there() -> None:
    machine = a_machine(sources={"cpu_ratio": "kernel", "gpu_ratio": "IOKit", "power_watts": "macmon"})
    sample = a_sample(power_watts=None, sources={"gpu_ratio": "ioreg"})
    assert sources(machine, sample) == {"ioreg": ("GPU load",), "kernel": ("CPU load",)}
    text = "\n".join(text_of(line) for line in detail(a_node(machine=machine, samples=(sample,)), 100.0, 80))
    assert "GPU load  ioreg" in text
    assert "macmon" not in text


def test_every_figure_has_a_row_with_its_source_or_with_the_reason_for_its_dash() -> None:
    machine = a_machine(sources={"cpu_ratio": "kernel"})
    sample = a_sample(power_watts=None, fans_rpm=None, reasons={"power_watts": "no meter"}, sources={"pressure": "psi"})
    rows = [text_of(line) for line in source_table(a_node(machine=machine, samples=(sample,)), 100)][1:]
    assert [row[:22].strip() for row in rows] == list(LABELS.values())
    told = {row[:22].strip(): row[22:].split(maxsplit=1) for row in rows}
    assert told["CPU load"] == ["25%", "kernel"]
    assert told["memory pressure"] == ["normal", "psi"]
    assert told["power"] == ["–", "no meter"]
    assert told["fans"] == ["–", UNTOLD]
    assert told["GPU load"] == ["50%", "its agent does not say where"]


def test_the_machine_is_told_with_its_kinds_of_cores_its_gpus_and_its_bandwidth() -> None:
    mac = a_machine(cpu_core_kinds={"performance": 8, "efficiency": 4}, cpu_cores=12, memory_bytes_per_second=8e11)
    text = text_of(joined(account(mac)))
    assert "12 CPU cores (8 performance + 4 efficiency) · 800 GB/s memory" in text
    box = a_machine(chip="AMD EPYC", gpu="NVIDIA L4", gpu_count=2, gpu_cores=None, virtual=True, cpu_core_kinds={})
    assert "virtual machine · 24 CPU cores · 2 × NVIDIA L4 · agent" in text_of(joined(account(box)))
    assert "no GPU that can be seen" in text_of(joined(account(a_machine(gpu=None))))


def test_an_agent_that_knows_none_of_the_newer_figures_is_shown_all_the_same() -> None:
    machine = Machine(
        hostname="old",
        user="op",
        platform="linux",
        system="Debian",
        cpu_cores=4,
        memory_bytes=GIB,
        agent_version="0.0.1",
    )
    lines = detail(a_node(machine=machine, samples=(Sample(at=1.0, cpu_ratio=0.5),)), 100.0, 80)
    text = " ".join(" ".join(text_of(line).split()) for line in lines)
    assert "op@old · 4 CPU cores · no GPU that can be seen · agent 0.0.1" in text
    assert text.count(UNTOLD) == 1


def test_memory_that_the_gpu_shares_with_the_machine_is_free_only_where_both_have_room() -> None:
    sample = a_sample(memory_available_bytes=10 * GIB)
    shared = a_machine(platform="linux", unified_memory=True)
    assert measures.memory_free(a_node(machine=shared, samples=(sample,))) == 10 * GIB
    assert measures.memory_free(a_node(machine=a_machine(platform="linux"), samples=(sample,))) == 104 * GIB


@pytest.mark.parametrize("width", [30, 60, 76, 116])
def test_whatever_is_known_and_not_known_keeps_to_its_width(width: int) -> None:
    gpus = (Gpu(name="NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", reasons={"ratio": "x" * 200}),) * 2
    reasons = dict.fromkeys(LABELS, "no sensor; " * 20)
    for sample in (a_sample(gpus=gpus), Sample(at=1.0, reasons=reasons), a_sample(fans_rpm=(1200.0,) * 12)):
        node = a_node(samples=(sample,))
        lines = (*gauges(node, width), *not_drawn(node, width), *source_table(node, width))
        assert len(lines) > len(LABELS)
        assert all(width_of(line) <= width for line in lines)
