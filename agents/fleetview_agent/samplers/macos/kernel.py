"""The kernel's calls that tell of processor and memory: public ones, so that no program needs to be started for them.

None takes a variable number of arguments, which Apple's processors pass in another way than ctypes would.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import TypeVar

from fleetview_agent.samplers.macos.libraries import function
from fleetview_agent.samplers.probing import Unreadable

HOST_CPU_LOAD_INFO = 3
HOST_VM_INFO64 = 4
SUCCESS = 0
NUMBER_SIZES = (4, 8)
LARGEST_SYSCTL = 1024
"""Many times what any that we read takes."""

AnyStructure = TypeVar("AnyStructure", bound=Structure)


class Ticks(Structure):
    """`host_cpu_load_info`: time of all cores since the system started, in hundredths of a second; wraps around."""

    _fields_ = (("user", c_uint32), ("system", c_uint32), ("idle", c_uint32), ("nice", c_uint32))


class Pages(Structure):
    """`vm_statistics64` in its first revision, which every macOS on Apple silicon fills."""

    _fields_ = (
        ("free", c_uint32),  # with the speculative ones
        ("active", c_uint32),
        ("inactive", c_uint32),
        ("wired", c_uint32),
        ("zero_fills", c_uint64),
        ("reactivations", c_uint64),
        ("pageins", c_uint64),
        ("pageouts", c_uint64),
        ("faults", c_uint64),
        ("copies_on_write", c_uint64),
        ("lookups", c_uint64),
        ("hits", c_uint64),
        ("purges", c_uint64),
        ("purgeable", c_uint32),
        ("speculative", c_uint32),
        ("decompressions", c_uint64),
        ("compressions", c_uint64),
        ("swapins", c_uint64),
        ("swapouts", c_uint64),
        ("compressor", c_uint32),
        ("throttled", c_uint32),
        ("file_backed", c_uint32),
        ("anonymous", c_uint32),
        ("uncompressed_in_compressor", c_uint64),
    )


class SwapUsage(Structure):
    """`xsw_usage`, in bytes."""

    _fields_ = (
        ("total", c_uint64),
        ("available", c_uint64),
        ("used", c_uint64),
        ("page_size", c_uint32),
        ("encrypted", c_uint32),
    )


class TimeValue(Structure):
    """`timeval`."""

    _fields_ = (("seconds", c_int64), ("microseconds", c_int32))


class Kernel:
    """Asks the kernel. What it does not tell raises Unreadable."""

    def __init__(self, system: ctypes.CDLL) -> None:
        self._sysctl = function(
            system, "sysctlbyname", c_int, c_char_p, c_void_p, POINTER(c_size_t), c_void_p, c_size_t
        )
        self._host_self = function(system, "mach_host_self", c_uint32)
        counted = (c_uint32, c_int, c_void_p, POINTER(c_uint32))
        self._statistics = function(system, "host_statistics", c_int, *counted)
        self._statistics64 = function(system, "host_statistics64", c_int, *counted)
        self._host_page_size = function(system, "host_page_size", c_int, c_uint32, POINTER(c_size_t))
        self._deallocate = function(system, "mach_port_deallocate", c_int, c_uint32, c_uint32)
        self._task = c_uint32.in_dll(system, "mach_task_self_")
        self._buffer = ctypes.create_string_buffer(LARGEST_SYSCTL)
        self._port: int | None = None

    def number(self, name: str) -> int:
        """A sysctl that is a number of 32 or 64 bits."""
        told = self._told(name)
        if len(told) not in NUMBER_SIZES:
            raise Unreadable(f"sysctl {name} is {len(told)} bytes long, and no number")
        return int.from_bytes(told, "little", signed=True)

    def text(self, name: str) -> str:
        """A sysctl that is a text, which ends with a NUL."""
        return self._told(name).partition(b"\0")[0].decode("utf-8", "replace").strip()

    def structure(self, name: str, kind: type[AnyStructure]) -> AnyStructure:
        """A sysctl that is a structure."""
        told = self._told(name)
        if len(told) != ctypes.sizeof(kind):
            raise Unreadable(f"sysctl {name} is {len(told)} bytes long rather than {ctypes.sizeof(kind)}")
        return kind.from_buffer_copy(told)

    def ticks(self) -> Ticks:
        """How the cores have spent their time."""
        ticks = Ticks()
        count = c_uint32(ctypes.sizeof(Ticks) // ctypes.sizeof(c_uint32))
        status = self._statistics(self._host(), HOST_CPU_LOAD_INFO, ctypes.byref(ticks), ctypes.byref(count))
        _check("host_statistics", status)
        return ticks

    def pages(self) -> Pages:
        """What the pages of memory are used for."""
        pages = Pages()
        count = c_uint32(ctypes.sizeof(Pages) // ctypes.sizeof(c_uint32))
        status = self._statistics64(self._host(), HOST_VM_INFO64, ctypes.byref(pages), ctypes.byref(count))
        _check("host_statistics64", status)
        return pages

    def page_size(self) -> int:
        """Bytes of a page as the kernel counts them; `hw.pagesize` is the caller's, a quarter of it under Rosetta."""
        size = c_size_t()
        _check("host_page_size", self._host_page_size(self._host(), ctypes.byref(size)))
        return size.value

    def close(self) -> None:
        """Give the port to the host back; the next call gets another."""
        if self._port is not None:
            self._deallocate(self._task.value, self._port)
        self._port = None

    def _host(self) -> int:
        """The port to the host: each `mach_host_self` counts as one more that must be given back, so there is one."""
        if self._port is None:
            self._port = int(self._host_self())
        return self._port

    def _told(self, name: str) -> bytes:
        """The bytes of a sysctl."""
        size = c_size_t(LARGEST_SYSCTL)
        if self._sysctl(name.encode(), self._buffer, ctypes.byref(size), None, 0):
            raise Unreadable(f"sysctl {name}: {os.strerror(ctypes.get_errno())}")
        return ctypes.string_at(self._buffer, size.value)


def _check(call: str, status: int) -> None:
    """Raise Unreadable where a call did not succeed."""
    if status != SUCCESS:
        raise Unreadable(f"{call} failed with status {status}")
