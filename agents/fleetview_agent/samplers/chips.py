"""How fast the memory is from which models are read, by the makers' data sheets."""

from __future__ import annotations

import re
from collections.abc import Mapping

_APPLE = re.compile(r"Apple (M\d(?: (?:Pro|Max|Ultra))?)(?: \(Virtual\))?")
_GIGABYTES: Mapping[str, float] = {
    "M1": 68,
    "M1 Pro": 200,
    "M1 Max": 400,
    "M1 Ultra": 800,
    "M2": 100,
    "M2 Pro": 200,
    "M2 Max": 400,
    "M2 Ultra": 800,
    "M3": 100,
    "M3 Pro": 150,
    "M3 Ultra": 819,
    "M4": 120,
    "M4 Pro": 273,
    "M5": 153.6,
    "M5 Pro": 307,
}
"""Apple's chips of which every variant has the same memory → GB/s."""
_GIGABYTES_BY_CORES: Mapping[str, Mapping[int, float]] = {
    "M3 Max": {30: 300, 40: 400},
    "M4 Max": {32: 410, 40: 546},
    "M5 Max": {32: 460, 40: 614},
}
"""Those of which it depends on the cores of the GPU."""
_GIGABYTES_OF_CARDS: Mapping[str, float] = {
    "NVIDIA A100 80GB PCIe": 1935,
    "NVIDIA A100-PCIE-40GB": 1555,
    "NVIDIA A100-SXM4-40GB": 1555,
    "NVIDIA A100-SXM4-80GB": 2039,
    "NVIDIA GB10": 273,
    "NVIDIA GeForce RTX 3090": 936,
    "NVIDIA GeForce RTX 4090": 1008,
    "NVIDIA GeForce RTX 5090": 1792,
    "NVIDIA H100 80GB HBM3": 3350,
    "NVIDIA H100 PCIe": 2000,
    "NVIDIA H200": 4800,
}
"""Cards as their driver names them."""


def memory_bytes_per_second(chip: str | None, gpu_cores: int | None, gpu: str | None) -> float | None:
    """Bandwidth of the memory that models are read from; None for a chip or a variant that is not known."""
    if (of_card := _GIGABYTES_OF_CARDS.get(gpu or "")) is not None:
        return of_card * 1e9
    if (found := _APPLE.fullmatch(chip or "")) is None:
        return None
    told = _GIGABYTES.get(found[1]) or _GIGABYTES_BY_CORES.get(found[1], {}).get(gpu_cores or 0)
    return None if told is None else told * 1e9
