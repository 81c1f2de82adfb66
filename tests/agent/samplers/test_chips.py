"""How fast the memory of a machine is, by what is printed on it."""

from __future__ import annotations

import pytest

from fleetview_agent.samplers.chips import memory_bytes_per_second


@pytest.mark.parametrize(
    ("chip", "gpu_cores", "gpu", "gigabytes"),
    [
        ("Apple M1", 8, None, 68),
        ("Apple M2 Ultra", None, "Apple M2 Ultra", 800),
        ("Apple M3 Ultra", 80, None, 819),
        ("Apple M3 Max", 40, None, 400),
        ("Apple M4 Max", 32, None, 410),
        ("Apple M4 Pro (Virtual)", None, None, 273),
        ("AMD EPYC 7B13", None, "NVIDIA H100 80GB HBM3", 3350),
        ("Cortex-X925", None, "NVIDIA GB10", 273),
    ],
)
def test_the_maker_says_how_fast_the_memory_is(
    chip: str, gpu_cores: int | None, gpu: str | None, gigabytes: float
) -> None:
    assert memory_bytes_per_second(chip, gpu_cores, gpu) == gigabytes * 1e9


@pytest.mark.parametrize(
    ("chip", "gpu_cores"),
    [("Apple M4 Max", None), ("Apple M3 Max", 35), ("Apple M9", 40), ("arm", None), (None, None), ("AMD EPYC", None)],
)
def test_a_chip_or_variant_that_is_not_known_has_no_figure(chip: str | None, gpu_cores: int | None) -> None:
    assert memory_bytes_per_second(chip, gpu_cores, None) is None
