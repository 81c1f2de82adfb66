"""The real nvidia-ml-py, over a library that stands in for the driver's."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetview_agent.samplers.linux.nvidia import nvidia_probe
from fleetview_agent.samplers.linux.nvml import LIBRARY, WSL
from fleetview_agent.samplers.probing import ProbedSampler, Watch
from tests.builders import a_machine
from tests.nvml.machine import MEMORY_BYTES, Clock
from tests.nvml.standin import NvmlStandIn, built


@pytest.fixture(scope="session")  # the loader knows a library by its name, and keeps the first
def library(tmp_path_factory: pytest.TempPathFactory) -> NvmlStandIn:
    return NvmlStandIn(built(tmp_path_factory.mktemp("nvml")))


@pytest.fixture
def nvml(library: NvmlStandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[NvmlStandIn]:
    """No GPU yet; and at the end, whatever was started was also ended."""
    pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py, of the extra nvidia, is not installed")
    library.clear()
    library.set(gpus=0)
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    # Asked for by its plain name it is the one that is loaded already, unless a real one was there before.
    loaded = ctypes.CDLL(LIBRARY)
    monkeypatch.setattr(pynvml, "nvmlLib", None if hasattr(loaded, "standin_set") else ctypes.CDLL(str(library.path)))
    yield library
    assert library.count("started") == library.count("ended")


@pytest.fixture
def root(nvml: NvmlStandIn, tmp_path: Path) -> Path:
    """A machine with the library where Windows puts it for its Linux."""
    place = tmp_path / WSL
    place.parent.mkdir(parents=True)
    place.symlink_to(nvml.path)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sampler(root: Path, clock: Clock) -> Iterator[Callable[[], ProbedSampler]]:
    """Builds one that has the probe of NVIDIA alone, on a machine as the probe sees it."""
    samplers: list[ProbedSampler] = []

    def build() -> ProbedSampler:
        found = nvidia_probe(MEMORY_BYTES, root)
        assert found is not None
        probe, identity = found
        machine = a_machine(memory_bytes=MEMORY_BYTES, unified_memory=identity is not None and identity.unified)
        samplers.append(ProbedSampler(machine, (probe,), {}, Watch(clock, clock)))
        return samplers[-1]

    yield build
    for one in samplers:
        one.close()
