"""GGUF headers byte by byte, for what no writer would write."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from fleetview_agent.gguf import Header, read_header

U32, STRING, ARRAY, F32, BOOL = 4, 8, 9, 6, 7


def text(value: str | bytes) -> bytes:
    """A text with its length."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def texts(*values: str) -> bytes:
    """An array of texts."""
    return struct.pack("<IQ", STRING, len(values)) + b"".join(text(value) for value in values)


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    """A key and its value."""
    return text(key) + struct.pack("<I", kind) + value


def number(key: str, value: int) -> bytes:
    """A key with a number."""
    return pair(key, U32, struct.pack("<I", value))


def word(key: str, value: str) -> bytes:
    """A key with a text."""
    return pair(key, STRING, text(value))


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    """An entry of the list of tensors."""
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def a_header(pairs: tuple[bytes, ...] = (), tensors: tuple[bytes, ...] = (), version: int = 3) -> bytes:
    """A whole header."""
    start = struct.pack("<4sIQQ", b"GGUF", version, len(tensors), len(pairs))
    return start + b"".join(pairs) + b"".join(tensors)


LLAMA = (word("general.architecture", "llama"), number("llama.block_count", 2))
WEIGHT = (tensor("w", (64,)),)


def written(folder: Path, data: bytes, size: int | None = None) -> Path:
    """A file with this header, and as large as is said without taking the space."""
    file = folder / "model.gguf"
    file.write_bytes(data)
    if size:
        os.truncate(file, size)
    return file


def read(folder: Path, data: bytes, size: int | None = None) -> Header:
    """The header of such a file."""
    return read_header(written(folder, data, size))
