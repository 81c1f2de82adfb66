"""A Linux machine in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clocks import Clock
from tests.linux_files import PLAIN, put_all


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put_all(tmp_path, PLAIN)
    return tmp_path


@pytest.fixture
def clock() -> Clock:
    return Clock()
