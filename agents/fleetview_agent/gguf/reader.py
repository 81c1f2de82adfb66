"""Reads the header of a GGUF file, trusting nothing in it: every count and length is bounded before it is used."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from fleetview_agent.gguf.cursor import Cursor, GgufError
from fleetview_agent.gguf.header import Header, Tensors, Value
from fleetview_agent.gguf.types import TENSOR_TYPES

MAX_KEYS = 2048
MAX_KEY_BYTES = (1 << 16) - 1
MAX_TENSORS = 1 << 16
MAX_TENSOR_NAME_BYTES = 63
MAX_DIMENSIONS = 4
MAX_KEPT_ELEMENTS = 1024
"""Longer arrays are counted, not kept."""
MAX_KEPT_TEXT_BYTES = 1024
"""Longer texts, such as chat templates, are measured, not kept."""
MAX_BYTES = 1 << 62
"""Nothing is larger, and nothing lies further back."""
DEFAULT_ALIGNMENT = 32

_MAGIC = b"GGUF"
_OUTPUT = b"output.weight"
_STRING, _ARRAY = 8, 9
_LETTERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_NUMBERS = {code: Struct(f"<{letter}") for code, letter in _LETTERS.items()}


@dataclass
class _Metadata:
    """The keys, as far as they are kept."""

    values: dict[str, Value] = field(default_factory=dict)
    text_bytes: dict[str, int] = field(default_factory=dict)
    array_lengths: dict[str, int] = field(default_factory=dict)


def read_header(path: Path) -> Header:
    """The header of the file at `path`, of which no more than the header is read.

    Raises GgufError, also for a file that cannot be opened.
    """
    name = _printable(path.name)
    try:
        with _open_regular(path, name) as file:
            return _header(Cursor(name, file, os.fstat(file.fileno()).st_size))
    except OSError as problem:
        raise GgufError(f"{name} cannot be read: {problem.strerror or problem}") from problem


def _open_regular(path: Path, name: str) -> BinaryIO:
    """Open a regular file and nothing else; a pipe would make us wait for its writer."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except ValueError as problem:  # a zero byte in the path
        raise GgufError(f"there can be no file of the name {name!r}") from problem
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise GgufError(f"{name} is not a regular file")
    return os.fdopen(number, "rb", buffering=0)


def _header(cursor: Cursor) -> Header:
    """Everything that the header says."""
    version, tensor_count, key_count = _preamble(cursor)
    metadata = _metadata(cursor, key_count)
    alignment = _alignment(cursor, metadata.values)
    tensors = _tensors(cursor, tensor_count, alignment)
    return Header(
        file_name=cursor.name,
        version=version,
        metadata=metadata.values,
        text_bytes=metadata.text_bytes,
        array_lengths=metadata.array_lengths,
        tensors=tensors,
        data_start=-(-cursor.at // alignment) * alignment if tensors.count else cursor.at,
        file_bytes=cursor.size,
        identity=f"gguf-{cursor.size}-{cursor.digest()[:32]}",
    )


def _preamble(cursor: Cursor) -> tuple[int, int, int]:
    """Version, and how many tensors and keys there are."""
    if cursor.size == 0:
        raise cursor.error("is empty")
    if cursor.size < len(_MAGIC) or cursor.take(len(_MAGIC)) != _MAGIC:
        raise cursor.error("is not a GGUF file: it does not begin with GGUF")
    version = cursor.u32()
    if version & 0xFFFF == 0:
        raise cursor.error("is written in big-endian byte order, which is that of other machines")
    if version not in {2, 3}:
        raise cursor.error(f"is of GGUF version {version}; versions 2 and 3 can be read")
    tensor_count, key_count = cursor.u64(), cursor.u64()
    _at_most(cursor, tensor_count, MAX_TENSORS, "tensors")
    _at_most(cursor, key_count, MAX_KEYS, "keys")
    return version, tensor_count, key_count


def _metadata(cursor: Cursor, count: int) -> _Metadata:
    """The keys and their values."""
    metadata = _Metadata()
    seen: set[str] = set()
    for _ in range(count):
        key = _key(cursor)
        if key in seen:
            raise cursor.error(f"has the key {_printable(key)} twice")
        seen.add(key)
        kind = cursor.u32()
        if kind == _STRING:
            _read_text(cursor, key, metadata)
        elif kind == _ARRAY:
            _read_array(cursor, key, metadata)
        else:
            metadata.values[key] = cursor.number(_form(cursor, kind, key))
    return metadata


def _key(cursor: Cursor) -> str:
    """The name of a key."""
    length = cursor.u64()
    _at_most(cursor, length, MAX_KEY_BYTES, "bytes in a key")
    try:
        return cursor.take(length).decode()
    except UnicodeDecodeError as problem:
        raise cursor.error("has a key that is not UTF-8") from problem


def _read_text(cursor: Cursor, key: str, metadata: _Metadata) -> None:
    """Keep a short text, or the length of a long one."""
    length = cursor.u64()
    if length > MAX_KEPT_TEXT_BYTES:
        metadata.text_bytes[key] = length
        cursor.skip(length)
    else:
        metadata.values[key] = _printable(cursor.take(length).decode(errors="replace"))


def _read_array(cursor: Cursor, key: str, metadata: _Metadata) -> None:
    """Keep the length of an array, and its elements where they are few and numbers."""
    kind, count = cursor.u32(), cursor.u64()
    metadata.array_lengths[key] = count
    if kind == _ARRAY:
        raise cursor.error(f"has arrays within an array at {_printable(key)}")
    if kind == _STRING:
        cursor.skip_texts(count)
        return
    form = _form(cursor, kind, key)
    if count > MAX_KEPT_ELEMENTS:
        cursor.skip(count * form.size)
    else:
        metadata.values[key] = cursor.numbers(form, count)


def _form(cursor: Cursor, kind: int, key: str) -> Struct:
    """How a number of this kind is written."""
    if (form := _NUMBERS.get(kind)) is None:
        raise cursor.error(f"has a value of the unknown type {kind} at {_printable(key)}")
    return form


def _alignment(cursor: Cursor, values: dict[str, Value]) -> int:
    """To how many bytes the data are aligned."""
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment < 1 << 32 or alignment & (alignment - 1):
        raise cursor.error("has an alignment that is not a power of two")
    return alignment


def _tensors(cursor: Cursor, count: int, alignment: int) -> Tensors:
    """The list of tensors, summed up."""
    names: set[bytes] = set()
    types: Counter[int] = Counter()
    roles: Counter[str] = Counter()
    total, end, complete = 0, 0, True
    for _ in range(count):
        names.add(name := _tensor_name(cursor))
        sizes = _shape(cursor)
        kind, offset = cursor.u32(), cursor.u64()
        if offset % alignment:
            raise cursor.error("has a tensor at an impossible place")
        types[kind] += 1
        size = _tensor_bytes(cursor, kind, sizes)
        _at_most(cursor, offset + (size or 0), MAX_BYTES, "bytes up to the end of a tensor")
        end = max(end, offset + (size or 0))
        total, complete = total + (size or 0), complete and size is not None
        roles[_role(name)] += size or 0
    if len(names) < count:
        raise cursor.error("has two tensors of the same name")
    if total > end:
        raise cursor.error("has tensors that overlap")
    commonest = TENSOR_TYPES.get(types.most_common(1)[0][0]) if types else None
    return Tensors(
        count=count,
        total_bytes=total if complete else None,
        end=end,
        commonest_type=commonest.name if commonest else None,
        looked_up_bytes=roles["looked up"],
        embedding_bytes=roles["embedding"],
        has_output=_OUTPUT in names,
        expert_bytes=roles["expert"],
    )


def _role(name: bytes) -> str:
    """What a tensor is for, as far as it decides how much of it is read for each token."""
    if name == b"token_embd.weight":
        return "embedding"
    if name == b"per_layer_token_embd.weight":
        return "looked up"
    return "expert" if b"_exps." in name else ""


def _tensor_name(cursor: Cursor) -> bytes:
    """The name of a tensor."""
    length = cursor.u64()
    _at_most(cursor, length, MAX_TENSOR_NAME_BYTES, "bytes in the name of a tensor")
    return cursor.take(length)


def _shape(cursor: Cursor) -> tuple[int, ...]:
    """Size of a tensor in each dimension; in a row first."""
    count = cursor.u32()
    _at_most(cursor, count, MAX_DIMENSIONS, "dimensions of a tensor")
    return tuple(cursor.u64() for _ in range(count))


def _tensor_bytes(cursor: Cursor, kind: int, sizes: tuple[int, ...]) -> int | None:
    """What a tensor takes; None for a type that we do not know."""
    if (packed := TENSOR_TYPES.get(kind)) is None:
        return None
    row = sizes[0] if sizes else 1
    if row % packed.block_elements:
        raise cursor.error(f"has a row of {row} elements, which {packed.name} cannot hold")
    size = row // packed.block_elements * packed.block_bytes
    for further in sizes[1:]:
        size *= further
    return size


def _at_most(cursor: Cursor, count: int, limit: int, what: str) -> None:
    """Refuse a count that no real model has."""
    if count > limit:
        raise cursor.error(f"claims {count} {what}; {limit} are the limit")


def _printable(text: str) -> str:
    """`text` without what could move the cursor of a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
