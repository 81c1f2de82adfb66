"""The GPU driver's own figures, from the registry of drivers (IOKit), without starting a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ctypes import addressof, c_char_p, c_int, c_uint32, c_void_p
from typing import TypeVar

from fleetview_agent.samplers.macos.core_foundation import CoreFoundation
from fleetview_agent.samplers.macos.gpu_statistics import (
    ACCELERATOR,
    FIGURES,
    NOT_PUBLISHED,
    STATISTICS,
    from_statistics,
)
from fleetview_agent.samplers.macos.libraries import Libraries, function
from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable

DEFAULT_PORT = 0
NO_OPTIONS = 0
SERVICE_PLANE = b"IOService"
MOST_GPU_CORES = 1024
SOURCES = {name: f"IOKit, {STATISTICS} {figure.key!r}" for name, figure in FIGURES.items()}

T = TypeVar("T")


def iokit_probe(libraries: Libraries) -> Probe:
    """How busy the GPU is, and its memory."""
    statistics = _Statistics(libraries)
    return Probe("iokit", SOURCES, statistics.read, statistics.close)


def gpu_identity(libraries: Libraries) -> tuple[str | None, int | None]:
    """Name of the GPU and how many of its cores work; None for what the driver does not tell."""
    try:
        registry = _Registry(libraries)
        found = registry.first(ACCELERATOR, lambda entry: _identity(registry, entry))
    except (OSError, AttributeError, Unreadable):
        return None, None
    if found is None:
        return None, None
    entry, identity = found
    registry.release(entry)
    return identity


class _Registry:
    """The functions of IOKit that we call. Raises OSError or AttributeError where they cannot be had."""

    def __init__(self, libraries: Libraries) -> None:
        iokit = libraries.iokit
        self.core_foundation = CoreFoundation(libraries.core_foundation)
        self._matching = function(iokit, "IOServiceMatching", c_void_p, c_char_p)
        self._services = function(iokit, "IOServiceGetMatchingServices", c_int, c_uint32, c_void_p, c_void_p)
        self._next = function(iokit, "IOIteratorNext", c_uint32, c_uint32)
        self._property = function(
            iokit, "IORegistryEntryCreateCFProperty", c_void_p, c_uint32, c_void_p, c_void_p, c_uint32
        )
        self._in_plane = function(iokit, "IORegistryEntryInPlane", c_int, c_uint32, c_char_p)
        self._release = function(iokit, "IOObjectRelease", c_int, c_uint32)

    def release(self, thing: int) -> None:
        """Give an entry or an iterator back."""
        self._release(thing)

    def is_attached(self, entry: int) -> bool:
        """Whether an entry still has its place; one that has ended goes on showing its last properties."""
        return bool(self._in_plane(entry, SERVICE_PLANE))

    def first(self, class_name: str, wanted: Callable[[int], T | None]) -> tuple[int, T] | None:
        """The first entry of a class of which `wanted` makes something; the caller releases it."""
        with ExitStack() as held:
            if not (iterator := self._iterator(class_name)):
                return None
            held.callback(self.release, iterator)
            while entry := self._next(iterator):
                with ExitStack() as found:
                    found.callback(self.release, entry)
                    if (made := wanted(entry)) is not None:
                        found.pop_all()
                        return entry, made
        return None

    @contextmanager
    def property(self, entry: int, name: str) -> Iterator[int | None]:
        """One property of an entry, and none of the others, some of which are large."""
        cf = self.core_foundation
        with cf.text(name) as key, cf.owned(self._property(entry, key, None, NO_OPTIONS)) as reference:
            yield reference

    def _iterator(self, class_name: str) -> int:
        """Goes through the entries of a class; zero where there is none. Raises Unreadable."""
        description = self._matching(class_name.encode())
        if description is None:
            raise Unreadable("IOKit could not look for a GPU driver")
        iterator = c_uint32()
        # It takes over the description, also where it fails.
        status = self._services(DEFAULT_PORT, description, addressof(iterator))
        if status:
            raise Unreadable(f"IOKit could not look for a GPU driver: it answered {status & 0xFFFF_FFFF:#x}")
        return iterator.value


class _Statistics:
    """Reads the statistics of one GPU driver, which is looked for again when it is gone."""

    def __init__(self, libraries: Libraries) -> None:
        self._libraries = libraries
        self._registry: _Registry | None = None
        self._entry: int | None = None

    def read(self, _moment: Moment) -> Reading:
        """What the driver says now. Raises Unreadable."""
        registry = self._registry = self._registry or self._opened()
        statistics = self._of_kept(registry)
        return from_statistics(self._of_found(registry) if statistics is None else statistics)

    def close(self) -> None:
        """Let go of the driver."""
        if self._registry is not None and self._entry is not None:
            self._registry.release(self._entry)
        self._entry = None

    def _opened(self) -> _Registry:
        """The registry. Raises Unreadable where its library cannot be used."""
        try:
            return _Registry(self._libraries)
        except (OSError, AttributeError) as problem:
            raise Unreadable(f"IOKit cannot be used: {problem}") from problem

    def _of_kept(self, registry: _Registry) -> Mapping[str, object] | None:
        """What the driver of the reading before says; None where it is gone."""
        if self._entry is None:
            return None
        statistics = _statistics(registry, self._entry) if registry.is_attached(self._entry) else None
        if statistics is None:
            self.close()
        return statistics

    def _of_found(self, registry: _Registry) -> Mapping[str, object]:
        """Look for a driver that publishes statistics, and keep it. Raises Unreadable."""
        found = registry.first(ACCELERATOR, lambda entry: _statistics(registry, entry))
        if found is None:
            raise Unreadable(NOT_PUBLISHED)
        self._entry, statistics = found
        return statistics


def _statistics(registry: _Registry, entry: int) -> Mapping[str, object] | None:
    """Those statistics of a driver that we read; None where it publishes none."""
    cf = registry.core_foundation
    with registry.property(entry, STATISTICS) as dictionary:
        if dictionary is None or not cf.is_dictionary(dictionary):
            return None
        values = {figure.key: cf.entry(dictionary, figure.key) for figure in FIGURES.values()}
    return {key: value for key, value in values.items() if value is not None}


def _identity(registry: _Registry, entry: int) -> tuple[str | None, int | None] | None:
    """Name and cores of a GPU; None where the driver tells neither."""
    cores = _number(_value(registry, entry, "gpu-core-count"))
    identity = _text(_value(registry, entry, "model")), cores if cores and cores <= MOST_GPU_CORES else None
    return None if identity == (None, None) else identity


def _value(registry: _Registry, entry: int, name: str) -> str | int | bytes | None:
    """The value of a property; None where there is none."""
    with registry.property(entry, name) as reference:
        return None if reference is None else registry.core_foundation.value(reference)


def _text(value: str | int | bytes | None) -> str | None:
    """A text that may be stored as bytes with a NUL at its end."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.rstrip("\0").strip() or None if isinstance(value, str) else None


def _number(value: str | int | bytes | None) -> int | None:
    """A number that may be stored as bytes, the lowest first."""
    if isinstance(value, bytes):
        return int.from_bytes(value, "little")
    return value if isinstance(value, int) and value > 0 else None
