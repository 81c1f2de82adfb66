"""Core Foundation by ctypes: texts, numbers, bytes and dictionaries, as far as the drivers' registry speaks of them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, c_bool, c_char_p, c_int64, c_long, c_uint32, c_ulong, c_void_p

from fleetview_agent.samplers.macos.libraries import function
from fleetview_agent.samplers.probing import Unreadable

UTF8 = 0x0800_0100
SIGNED_64 = 4
"""Kind of number into which any integer of the registry is turned; beyond 2^63 it comes out negative."""
BYTES_PER_CHARACTER = 4


class CoreFoundation:
    """The functions that we call. An object is its address; one that was borrowed lives as long as what holds it."""

    def __init__(self, library: CDLL) -> None:
        self._release = function(library, "CFRelease", None, c_void_p)
        self._type = function(library, "CFGetTypeID", c_ulong, c_void_p)
        self._string = function(library, "CFStringCreateWithCString", c_void_p, c_void_p, c_char_p, c_uint32)
        self._string_length = function(library, "CFStringGetLength", c_long, c_void_p)
        self._string_bytes = function(library, "CFStringGetCString", c_bool, c_void_p, c_char_p, c_long, c_uint32)
        self._number = function(library, "CFNumberGetValue", c_bool, c_void_p, c_long, c_void_p)
        self._data_length = function(library, "CFDataGetLength", c_long, c_void_p)
        self._data_bytes = function(library, "CFDataGetBytePtr", c_void_p, c_void_p)
        self._entry = function(library, "CFDictionaryGetValueIfPresent", c_bool, c_void_p, c_void_p, c_void_p)
        readers = {"String": self._text, "Number": self._integer, "Data": self._bytes}
        self._readers = {function(library, f"CF{kind}GetTypeID", c_ulong)(): reader for kind, reader in readers.items()}
        self._dictionary_type: int = function(library, "CFDictionaryGetTypeID", c_ulong)()

    @contextmanager
    def owned(self, reference: int | None) -> Iterator[int | None]:
        """Release at the end what a function with Create or Copy in its name gave; None where it gave nothing."""
        try:
            yield reference
        finally:
            if reference is not None:
                self._release(reference)

    @contextmanager
    def text(self, value: str) -> Iterator[int]:
        """A string of theirs with our text, for as long as it is needed. Raises Unreadable where it cannot be made."""
        with self.owned(self._string(None, value.encode(), UTF8)) as reference:
            if reference is None:
                raise Unreadable("Core Foundation made no string, as if memory had run out")
            yield reference

    def is_dictionary(self, reference: int) -> bool:
        """Whether an object has entries."""
        return bool(self._type(reference) == self._dictionary_type)

    def entry(self, dictionary: int, key: str) -> str | int | bytes | None:
        """The value of exactly this key; None where there is none, or it is of a kind that we do not read."""
        value = c_void_p()
        with self.text(key) as name:
            there = self._entry(dictionary, name, ctypes.addressof(value))
        return self.value(value.value) if there and value.value else None

    def value(self, reference: int) -> str | int | bytes | None:
        """What an object holds; None for a kind that we do not read."""
        reader = self._readers.get(self._type(reference))
        return reader(reference) if reader else None

    def _text(self, reference: int) -> str | None:
        """What a string holds."""
        room = self._string_length(reference) * BYTES_PER_CHARACTER + 1
        buffer = ctypes.create_string_buffer(room)
        return buffer.value.decode() if self._string_bytes(reference, buffer, room, UTF8) else None

    def _integer(self, reference: int) -> int | None:
        """What a number holds; None for a broken one."""
        value = c_int64()
        return value.value if self._number(reference, SIGNED_64, ctypes.addressof(value)) else None

    def _bytes(self, reference: int) -> bytes:
        """What data holds."""
        length, start = self._data_length(reference), self._data_bytes(reference)
        return ctypes.string_at(start, length) if start and length > 0 else b""
