"""The library that stands in for NVIDIA's: compiled here, set and counted from tests."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

LIBRARY = "libnvidia-ml.so.1"
HERE = Path(__file__).resolve().parent
SOURCES = (HERE / "nvml.c", HERE.parent / "mac" / "values.c")


def built(folder: Path) -> Path:
    """The compiled library, in a folder."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("the stand-in for NVML is compiled, and there is no C compiler")
    library = folder / LIBRARY
    options = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-Wl,-soname,{LIBRARY}")
    subprocess.run((compiler, *options, "-o", library, *SOURCES), check=True)
    return library


class NvmlStandIn:
    """Sets what the library answers. `driver` and `gpus` stand for themselves; all else is of a GPU or an instance."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._library = ctypes.CDLL(str(path))
        self._library.standin_set.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
        self._library.standin_set.restype = None
        self._library.standin_count.argtypes = [ctypes.c_char_p]
        self._library.standin_count.restype = ctypes.c_long
        self._keys: set[str] = set()

    def set(self, where: str = "", **values: int | str | bytes | None) -> None:
        """Figures of a place such as `gpu0`; `!15` is the error 15, and None takes a value away."""
        for name, value in values.items():
            key = f"{where}.{name}" if where else name
            told = value if value is None or isinstance(value, bytes) else str(value).encode()
            self._library.standin_set(key.encode(), told)
            self._keys.add(key)

    def count(self, counter: str) -> int:
        """How often: `started`, `refused`, `ended` or `calls`."""
        return int(self._library.standin_count(counter.encode()))

    def clear(self) -> None:
        """No driver's problem, and no GPU."""
        for key in self._keys:
            self._library.standin_set(key.encode(), None)
