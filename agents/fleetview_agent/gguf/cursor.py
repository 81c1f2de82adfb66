"""A walk through the first bytes of a file that is not trusted: no step leaves the file, and none takes long."""

from __future__ import annotations

import hashlib
from struct import Struct
from typing import BinaryIO

MAX_HEADER_BYTES = 64 << 20
"""Ten times the largest header met, that of a vocabulary of 262,144."""
MAX_TEXTS = 1 << 21
"""In all arrays together; a vocabulary of 262,144 with its merges has less than a million."""
CHUNK_BYTES = 1 << 20

_U32, _U64 = Struct("<I"), Struct("<Q")


class GgufError(ValueError):
    """The file is not a GGUF file that can be understood; says why in one plain sentence."""


class Cursor:
    """A place in the header of a file; what was read is kept, for the digest."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        self.name = name
        self.size = size
        self._file = file
        self._limit = min(size, MAX_HEADER_BYTES)
        self._data = bytearray()
        self._at = 0
        self._texts = 0

    @property
    def at(self) -> int:
        """Bytes from the start of the file."""
        return self._at

    def take(self, count: int) -> bytes:
        """The next bytes."""
        self._reach(self._at + count)
        taken = bytes(self._data[self._at : self._at + count])
        self._at += count
        return taken

    def skip(self, count: int) -> None:
        """Go past some bytes."""
        self._reach(self._at + count)
        self._at += count

    def number(self, form: Struct) -> bool | int | float:
        """The next number."""
        self._reach(self._at + form.size)
        value: bool | int | float = form.unpack_from(self._data, self._at)[0]
        self._at += form.size
        return value

    def numbers(self, form: Struct, count: int) -> tuple[bool | int | float, ...]:
        """The next numbers, all of one form."""
        return tuple(value for (value,) in form.iter_unpack(self.take(count * form.size)))

    def u32(self) -> int:
        """The next 32-bit number."""
        return int(self.number(_U32))

    def u64(self) -> int:
        """The next 64-bit number."""
        return int(self.number(_U64))

    def skip_texts(self, count: int) -> None:
        """Go past texts; a vocabulary has hundreds of thousands, so the loop does as little as it can."""
        self._within(self._at + count * _U64.size)
        self._texts += count
        if self._texts > MAX_TEXTS:
            raise self.error(f"claims {self._texts} texts; {MAX_TEXTS} are the limit")
        data, at, unpack, have = self._data, self._at, _U64.unpack_from, len(self._data)
        for _ in range(count):
            if at + 8 > have:
                self._reach(at + 8)
                have = len(data)
            at += 8 + unpack(data, at)[0]
        self._reach(at)
        self._at = at

    def digest(self) -> str:
        """SHA-256 of everything up to here."""
        return hashlib.sha256(memoryview(self._data)[: self._at]).hexdigest()

    def error(self, complaint: str) -> GgufError:
        """What to raise when the file is wrong."""
        return GgufError(f"{self.name} {complaint}")

    def _reach(self, end: int) -> None:
        """Read on until everything before `end` is there."""
        if end <= len(self._data):
            return
        self._within(end)
        while len(self._data) < end:
            wanted = min(max(end - len(self._data), CHUNK_BYTES), self._limit - len(self._data))
            if not (chunk := self._file.read(wanted)):
                raise self.error("became shorter while it was read")
            self._data += chunk

    def _within(self, end: int) -> None:
        """Refuse what lies beyond the file or the largest header."""
        if end > self.size:
            raise self.error(f"is truncated or damaged: it ends within its header, at {self.size} bytes")
        if end > self._limit:
            raise self.error(f"has a header of more than {MAX_HEADER_BYTES >> 20} MiB, which no model needs")
