"""How much of a file the system has in memory already, so that reading it costs no disk."""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

WINDOWS = 64
"""Places at which a big file is looked at, evenly spread."""
WINDOW_BYTES = 1 << 20
SMALLEST_PART = 1 << 16
"""Bytes; of a shorter file nothing worth knowing is in memory or not."""
IN_MEMORY = 1
"""The bit that mincore(2) sets for a page that is in memory, on macOS and Linux alike."""
FAILED = ctypes.c_void_p(-1).value
_PART = re.compile(r"-\d{5}-of-(\d{5})\.gguf$")
"""How the parts of a split file are named."""


def cached_share(path: Path) -> float | None:
    """The share of the file that is in memory, from 0 to 1; None where that cannot be known.

    The parts of a split file are taken together. Big files are looked at in places only, so it takes a moment at most.
    """
    files = parts(path)
    shares = []
    for file in files:
        if (share := _look_at(file, max(1, WINDOWS // len(files)))) is None:
            return None
        shares.append(share)
    return sum(shares) / len(shares)


def parts(path: Path) -> Sequence[Path]:
    """The files that a model consists of: itself, or all parts of a split one."""
    if (split := _PART.search(path.name)) is None:
        return (path,)
    stem, count = path.name[: split.start()], split.group(1)
    return tuple(path.with_name(f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1))


def _look_at(file: Path, windows: int) -> float | None:
    """The share of one file that is in memory."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        # Of a file that is not ours Linux says that all of it is in memory, whatever is true.
        if os.fstat(descriptor).st_uid != os.geteuid() and not os.access(file, os.W_OK):
            return None
        size = os.fstat(descriptor).st_size
        return _share(descriptor, size, windows) if size >= SMALLEST_PART else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _share(descriptor: int, size: int, windows: int) -> float:
    """The share of pages in memory, in windows that are evenly spread over the file. Raises OSError."""
    seen = present = 0
    for offset, length in _windows(size, windows):
        pages = _pages(descriptor, offset, length)
        seen += len(pages)
        present += sum(page & IN_MEMORY for page in pages)
    return present / seen


def _windows(size: int, windows: int) -> Iterable[tuple[int, int]]:
    """Offset and length of each window; a file that is smaller than all of them together is one window."""
    if size <= windows * WINDOW_BYTES:
        return ((0, size),)
    step = (size - WINDOW_BYTES) / max(1, windows - 1)
    places = (int(index * step) // mmap.ALLOCATIONGRANULARITY for index in range(windows))
    return tuple((place * mmap.ALLOCATIONGRANULARITY, WINDOW_BYTES) for place in places)


def _pages(descriptor: int, offset: int, length: int) -> bytes:
    """One byte for each page of a stretch of the file, as mincore(2) tells. Raises OSError."""
    library = _library()
    address = library.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, offset)
    if address == FAILED:
        raise OSError(ctypes.get_errno(), "mmap")
    try:
        pages = (ctypes.c_ubyte * -(-length // mmap.PAGESIZE))()
        if library.mincore(address, length, pages):
            raise OSError(ctypes.get_errno(), "mincore")
        return bytes(pages)
    finally:
        library.munmap(address, length)


@functools.cache
def _library() -> ctypes.CDLL:
    """The functions of the C library; Python's own mapping shows no address of a file that is only read."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = (
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int64,  # off_t, on every system that we run on
    )
    library.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    library.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    return library
