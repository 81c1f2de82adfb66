"""The fixture Mac, and what its probes are asked with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleetview_agent.samplers.macos.kernel import Kernel
from fleetview_agent.samplers.macos.libraries import Libraries
from tests.mac.standin import Standin, compiled


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("mac"))


@pytest.fixture
def mac(library: Path, tmp_path: Path) -> Standin:
    """A copy of its own, as the loader shares one file's values among all who load it."""
    return Standin(Path(shutil.copy(library, tmp_path)))


@pytest.fixture
def libraries(mac: Standin) -> Libraries:
    return Libraries(mac.library)


@pytest.fixture
def kernel(libraries: Libraries) -> Kernel:
    return Kernel(libraries.system)
