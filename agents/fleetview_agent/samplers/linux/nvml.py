"""NVIDIA's management library by nvidia-ml-py: found, started, and asked one thing at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from fleetview_agent.samplers.linux.files import word
from fleetview_agent.samplers.probing import Absent, Unreadable

LIBRARY = "libnvidia-ml.so.1"
WSL = f"usr/lib/wsl/lib/{LIBRARY}"
"""Where Windows puts it for its Linux, which the loader does not always know."""
DRIVER = "proc/driver/nvidia"
VENDOR = "0x10de"
NO_LIBRARY = (
    f"an NVIDIA driver is here, but not its library {LIBRARY}: install the driver's own package, "
    "or start the container with access to the GPUs"
)
NO_PACKAGE = "an NVIDIA driver is here, but not the Python package nvidia-ml-py: install fleetview-agent[nvidia]"
GONE: Mapping[str, str] = {
    "NVMLError_Uninitialized": "the NVIDIA driver was restarted",
    "NVMLError_DriverNotLoaded": "the NVIDIA driver is not loaded",
    "NVMLError_LibraryNotFound": NO_LIBRARY,
    "NVMLError_LibRmVersionMismatch": (
        "the NVIDIA driver that runs is not of the version of its library: restart fleetview-agent, or else the machine"
    ),
}
"""What ends everything → in plain words; nvidia-ml-py makes one class of error for each code of the library."""
LOST: Mapping[str, str] = {
    "NVMLError_GpuIsLost": "the driver has lost this GPU: look into the kernel's log, and restart the machine",
    "NVMLError_ResetRequired": "this GPU waits for a reset",
}
"""What ends everything about one GPU."""
UNTOLD: Mapping[str, str] = {
    "NVMLError_NotSupported": "NVML does not tell it for this GPU",
    "NVMLError_NoPermission": "this account may not ask NVML for it",
    "NVMLError_NotFound": "NVML does not find it",
    "NVMLError_FunctionNotFound": "this version of NVIDIA's driver does not tell it yet",
    "NVMLError_Unknown": "NVML failed without saying why",
}
"""What costs one figure alone."""


class Untold(Unreadable):
    """One figure cannot be had; others can."""


class NotSupported(Untold):
    """The GPU is not of a kind that has such a figure."""


class Lost(Unreadable):
    """One GPU answers no more."""


class Nvml:
    """The library, started; every failure is told in plain words."""

    def __init__(self, module: ModuleType) -> None:
        self._module: Any = module  # it carries no types
        try:
            self._module.nvmlInit()
        except self._module.NVMLError as problem:
            raise Absent(_words(problem)) from problem

    def ask(self, function: str, *arguments: object) -> Any:  # whatever the function answers
        """What one function answers. Raises Untold, Lost, or Absent where nothing can be asked any more."""
        try:
            return getattr(self._module, function)(*arguments)
        except self._module.NVMLError as problem:
            kind, words = type(problem).__name__, _words(problem)
            if kind in GONE:
                raise Absent(words) from problem
            if kind in LOST:
                raise Lost(words) from problem
            raise (NotSupported if kind == "NVMLError_NotSupported" else Untold)(words) from problem

    def close(self) -> None:
        """Shut the library down; one that is gone already cannot be."""
        try:
            self._module.nvmlShutdown()
        except self._module.NVMLError:
            return


def libraries(root: Path) -> tuple[str, ...]:
    """Names under which the library may be; the loader is asked about the machine that runs alone."""
    return (*((LIBRARY,) if root == Path("/") else ()), str(root / WSL))


def installed(root: Path, names: Sequence[str]) -> bool:
    """Whether there is an NVIDIA driver, or at least its library and a GPU: it alone is often there without either."""
    return (root / DRIVER).exists() or (_load(names) and ((root / WSL).exists() or _on_bus(root)))


def start(names: Sequence[str]) -> Nvml:
    """The library, started. Raises Absent."""
    if not _load(names):
        raise Absent(NO_LIBRARY)
    try:
        import pynvml  # an optional dependency, and 20 ms that only a machine with the library shall pay
    except ImportError as problem:
        raise Absent(NO_PACKAGE) from problem
    return Nvml(pynvml)


def _on_bus(root: Path) -> bool:
    """Whether a device of NVIDIA's is plugged in."""
    return any(word(device / "vendor") == VENDOR for device in (root / "sys/bus/pci/devices").glob("*"))


def _load(names: Sequence[str]) -> bool:
    """Load the library by the first name that works: whoever then asks for it by `LIBRARY` gets the same one."""
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def _words(problem: Exception) -> str:
    """Why, for people."""
    kind = type(problem).__name__
    return GONE.get(kind) or LOST.get(kind) or UNTOLD.get(kind) or f"NVML failed: {problem}"
