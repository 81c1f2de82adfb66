"""The system's libraries that the Mac's probes call, each loaded when it is first asked for.

They have no files on a Mac: the loader keeps them in its shared cache, so that only loading tells whether one is there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

SYSTEM = "/usr/lib/libSystem.B.dylib"
OBJC = "/usr/lib/libobjc.A.dylib"
CORE_FOUNDATION = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
IOKIT = "/System/Library/Frameworks/IOKit.framework/IOKit"
METAL = "/System/Library/Frameworks/Metal.framework/Metal"

Call = Callable[..., Any]
"""A function of C; ctypes checks its arguments, mypy cannot."""


def function(library: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Call:  # Any: ctypes' types have no base
    """A function of a library with its types settled. Raises AttributeError where the library lacks it."""
    call = library[name]
    call.restype, call.argtypes = result, arguments
    return call


class Libraries:
    """Each attribute raises OSError where its library cannot be loaded, so that only the probe that asked fails.

    `standin`: one library that takes the place of them all.
    """

    def __init__(self, standin: Path | None = None) -> None:
        self.standin = standin

    @cached_property
    def system(self) -> ctypes.CDLL:
        """The kernel's calls, and notifications; leaves errno in `ctypes.get_errno`."""
        return self._load(SYSTEM)

    @cached_property
    def objc(self) -> ctypes.CDLL:
        """Messages to Objective-C objects."""
        return self._load(OBJC)

    @cached_property
    def core_foundation(self) -> ctypes.CDLL:
        """Texts, numbers and dictionaries of the frameworks."""
        return self._load(CORE_FOUNDATION)

    @cached_property
    def iokit(self) -> ctypes.CDLL:
        """The registry of drivers."""
        return self._load(IOKIT)

    @cached_property
    def metal(self) -> ctypes.CDLL:
        """The GPUs as programs see them."""
        return self._load(METAL)

    def _load(self, path: str) -> ctypes.CDLL:
        """Open a library for its own names only: what else the process has loaded must not answer in its place."""
        return ctypes.CDLL(str(self.standin or path), mode=ctypes.RTLD_LOCAL, use_errno=True)
