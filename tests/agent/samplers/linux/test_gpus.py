from __future__ import annotations

import math

from fleetview_agent.samplers.linux.gpus import FIELDS, GpuFigures, combined

GIB = 1 << 30


def a_gpu(name: str = "A", **values: float) -> GpuFigures:
    """One that tells everything."""
    told = {"ratio": 0.5, "memory_used_bytes": 8 * GIB, "memory_limit_bytes": 24 * GIB, "celsius": 60, "hertz": 1.5e9}
    return GpuFigures(name, {**told, "watts": 200.0, **values})


def without(gpu: GpuFigures, figure: str, why: str) -> GpuFigures:
    return GpuFigures(gpu.name, {key: value for key, value in gpu.values.items() if key != figure}, {figure: why})


def test_one_gpu_is_the_sample_and_is_not_listed_besides() -> None:
    reading = combined([a_gpu()])
    assert reading.values == {
        "gpu_ratio": 0.5,
        "gpu_memory_used_bytes": 8 * GIB,
        "gpu_memory_limit_bytes": 24 * GIB,
        "gpu_memory_limit_inferred": False,
        "gpu_celsius": 60,
        "gpu_hertz": 1.5e9,
        "gpu_watts": 200.0,
        "power_watts": 200.0,
        "power_covers": "gpu",
    }
    assert reading.reasons == {"fans_rpm": "it is not told"}


def test_several_are_a_mean_a_highest_and_sums_with_a_row_for_each() -> None:
    reading = combined([a_gpu(), a_gpu("B", ratio=1.0, celsius=80, memory_used_bytes=2 * GIB, hertz=2e9)])
    assert reading.values["gpu_ratio"] == 0.75
    assert reading.values["gpu_celsius"] == 80
    assert reading.values["gpu_hertz"] == 2e9
    assert reading.values["gpu_memory_used_bytes"] == 10 * GIB
    assert reading.values["gpu_memory_limit_bytes"] == 48 * GIB
    assert reading.values["power_watts"] == 400.0
    rows = reading.values["gpus"]
    assert isinstance(rows, tuple)
    assert [(row.name, row.ratio, row.celsius) for row in rows] == [("A", 0.5, 60), ("B", 1.0, 80)]


def test_a_sum_needs_all_of_them_and_a_mean_takes_those_that_tell() -> None:
    silent = GpuFigures("B", {"celsius": 30}, {"memory_used_bytes": "it is asleep", "watts": "it is asleep"})
    reading = combined([a_gpu(), silent])
    assert reading.values["gpu_ratio"] == 0.5
    assert "gpu_memory_used_bytes" not in reading.values
    assert reading.reasons["gpu_memory_used_bytes"] == "B: it is asleep"
    assert reading.reasons["gpu_memory_limit_bytes"] == "B: it is not told"
    assert not {"gpu_watts", "power_watts", "power_covers", "gpu_memory_limit_inferred"} & reading.values.keys()


def test_the_same_reason_of_all_is_said_once() -> None:
    reading = combined([without(a_gpu(name), "ratio", "nobody tells") for name in ("A", "B", "C")])
    assert reading.reasons["gpu_ratio"] == "nobody tells"


def test_what_cannot_be_spoils_no_sum_and_no_row() -> None:
    reading = combined([a_gpu(), a_gpu("B", celsius=255, watts=4294967.295, ratio=math.nan, memory_used_bytes=-1)])
    assert reading.values["gpu_celsius"] == 60
    assert reading.values["gpu_ratio"] == 0.5
    assert reading.reasons["gpu_watts"] == "B: its driver said 4294967.295, which cannot be"
    assert "gpu_memory_used_bytes" not in reading.values
    rows = reading.values["gpus"]
    assert isinstance(rows, tuple)
    assert (rows[1].celsius, rows[1].watts, rows[1].ratio, rows[1].memory_used_bytes) == (None, None, None, None)
    assert rows[1].reasons["celsius"] == "its driver said 255, which cannot be"


def test_memory_of_a_divided_gpu_is_that_of_its_instances_and_the_rest_its_own() -> None:
    parts = tuple(
        GpuFigures(name, {"memory_used_bytes": used * GIB, "memory_limit_bytes": 20 * GIB}, {"ratio": "not told"})
        for name, used in (("one", 1), ("two", 3))
    )
    whole = GpuFigures("A", {"celsius": 50, "watts": 300.0}, {"ratio": "divided"}, parts)
    reading = combined([whole])
    assert reading.values["gpu_memory_used_bytes"] == 4 * GIB
    assert reading.values["gpu_memory_limit_bytes"] == 40 * GIB
    assert (reading.values["gpu_celsius"], reading.values["power_watts"]) == (50, 300.0)
    assert reading.reasons["gpu_ratio"] == "divided"
    rows = reading.values["gpus"]
    assert isinstance(rows, tuple)
    assert [row.name for row in rows] == ["one", "two"]


def test_no_gpu_at_all_is_reasons_and_nothing_else() -> None:
    reading = combined([])
    assert reading.values == {}
    assert set(reading.reasons) == set(FIELDS)
