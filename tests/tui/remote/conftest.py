"""A socket under a short path, since a socket's path must be short."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def socket() -> Iterator[Path]:
    """Where an agent may serve."""
    with tempfile.TemporaryDirectory(prefix="fv-") as folder:
        yield Path(folder) / "agent.sock"
