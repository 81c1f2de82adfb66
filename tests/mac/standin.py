"""The library that stands in for the frameworks of macOS, compiled by the tests that need it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent
M2MAX = SOURCES / "m2max.txt"
"""A whole Mac: MacBook Pro with an M2 Max and 64 GiB."""
FIXTURE = "FLEETVIEW_MAC_FIXTURE"
"""Names the file of first values, in the environment of whoever loads the library."""


def compiled(folder: Path) -> Path:
    """The library, in a folder of the test's own, so that no two tests share its values."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is here to build the stand-in for macOS")
    library = folder / "standin.so"
    sources = sorted(map(str, SOURCES.glob("*.c")))
    options = ("-shared", "-fPIC", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror")
    built = subprocess.run(
        (compiler, *options, "-o", str(library), *sources), capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return library


class Standin:
    """The values and counters of a loaded library, beginning with those of a fixture."""

    def __init__(self, library: Path, fixture: Path = M2MAX) -> None:
        self.library = library
        self._calls = ctypes.CDLL(str(library))
        self._calls.standin_set.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        self._calls.standin_set.restype = None
        self._calls.standin_value.argtypes = (ctypes.c_char_p,)
        self._calls.standin_value.restype = ctypes.c_char_p
        self._calls.standin_count.argtypes = (ctypes.c_char_p,)
        self._calls.standin_count.restype = ctypes.c_long
        for key, value in values(fixture).items():
            self.set(key, value)

    def set(self, key: str, text: str) -> None:
        """Serve a value from now on."""
        self._calls.standin_set(key.encode(), text.encode())

    def unset(self, key: str) -> None:
        """Serve it no longer."""
        self._calls.standin_set(key.encode(), None)

    def value(self, key: str) -> str | None:
        """What is served; None where nothing is."""
        value: bytes | None = self._calls.standin_value(key.encode())
        return None if value is None else value.decode()

    def count(self, name: str) -> int:
        """How often something happened, or how many of it there are now."""
        return int(self._calls.standin_count(name.encode()))


def values(fixture: Path) -> dict[str, str]:
    """What a fixture says, as the library reads it."""
    lines = (line for line in fixture.read_text().splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
