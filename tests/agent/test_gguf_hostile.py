"""Headers that are damaged, or made to hurt: an error in one sentence, soon, and nothing else."""

from __future__ import annotations

import struct
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetview_agent.gguf import GgufError, Header, read_header
from fleetview_agent.gguf.reader import MAX_KEYS, MAX_TENSORS
from tests.gguf_bytes import (
    ARRAY,
    BOOL,
    LLAMA,
    STRING,
    U32,
    a_header,
    number,
    pair,
    read,
    tensor,
    texts,
    word,
    written,
)

WRONG = {
    "empty": b"",
    "short": b"GG",
    "other": b"<html>" * 9,
    "only the start": b"GGUF\x03\0\0\0",
    "big-endian": struct.pack(">4sIQQ", b"GGUF", 3, 0, 0),
    "version 1": a_header(version=1),
    "version 4": a_header(version=4),
    "too many keys": struct.pack("<4sIQQ", b"GGUF", 3, 0, MAX_KEYS + 1),
    "too many tensors": struct.pack("<4sIQQ", b"GGUF", 3, MAX_TENSORS + 1, 0),
    "endless key": a_header((struct.pack("<Q", 2**64 - 1),)),
    "key in no encoding": a_header((pair(b"\xff\xfe", U32, bytes(4)),)),
    "the same key twice": a_header((number("a", 1), number("a", 2))),
    "unknown type of a value": a_header((pair("a", 13, bytes(8)),)),
    "endless text": a_header((pair("a", STRING, struct.pack("<Q", 2**63)),)),
    "endless array of texts": a_header((pair("a", ARRAY, struct.pack("<IQ", STRING, 2**64 - 1)),)),
    "endless array of numbers": a_header((pair("a", ARRAY, struct.pack("<IQ", U32, 2**62)),)),
    "texts that reach beyond": a_header((pair("a", ARRAY, struct.pack("<IQQ", STRING, 2, 2**64 - 9) + bytes(16)),)),
    "array of unknown type": a_header((pair("a", ARRAY, struct.pack("<IQ", 99, 1)),)),
    "nested arrays": a_header((pair("a", ARRAY, struct.pack("<IQ", ARRAY, 1)),)),
    "alignment 0": a_header((number("general.alignment", 0),)),
    "alignment 3": a_header((number("general.alignment", 3),)),
    "alignment in words": a_header((word("general.alignment", "32"),)),
    "five dimensions": a_header(LLAMA, (tensor("a", (1, 1, 1, 1, 1)),)),
    "long tensor name": a_header(LLAMA, (tensor("a" * 64, (1,)),)),
    "overflowing tensor": a_header(LLAMA, (tensor("a", (2**63, 2**63)),)),
    "overflowing place": a_header(LLAMA, (tensor("a", (64,), 0, 2**64 - 32),)),
    "unaligned tensor": a_header(LLAMA, (tensor("a", (64,), 0, 7),)),
    "half a block": a_header(LLAMA, (tensor("a", (100,), 12),)),
    "tensors of one name": a_header(LLAMA, (tensor("a", (64,)), tensor("a", (64,), 0, 256))),
    "tensors that overlap": a_header(LLAMA, (tensor("a", (64,)), tensor("b", (64,)))),
}


@pytest.mark.parametrize("case", WRONG)
def test_nonsense_is_one_plain_sentence(tmp_path: Path, case: str) -> None:
    with pytest.raises(GgufError, match=r"^model\.gguf [^\n]+$"):
        read(tmp_path, WRONG[case])


BOMBS = {
    "texts": (pair("a", ARRAY, struct.pack("<IQ", STRING, (64 << 20) // 8 - 100)),),
    "texts in many arrays": tuple(
        pair(f"{at}", ARRAY, struct.pack("<IQ", STRING, 4096) + bytes(8 * 4096)) for at in range(600)
    ),
    "one long text": (pair("a", STRING, struct.pack("<Q", 65 << 20)),),
    "numbers": tuple(pair(f"{at}", ARRAY, struct.pack("<IQ", 10, 1024) + b"\xee" * 8192) for at in range(MAX_KEYS)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_header_made_to_last_for_ever_ends_soon(tmp_path: Path, bomb: str) -> None:
    data = a_header(BOMBS[bomb])
    file = written(tmp_path, data, len(data) + (1 << 40))
    began = time.process_time()
    with suppress(GgufError):
        read_header(file)
    assert time.process_time() - began < 3


def test_a_header_of_many_texts_is_refused_before_it_is_walked(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="texts"):
        read(tmp_path, a_header(BOMBS["texts"]), 1 << 30)


def test_what_a_hostile_header_makes_us_keep_is_bounded(tmp_path: Path) -> None:
    file = written(tmp_path, a_header(BOMBS["numbers"]))
    tracemalloc.start()
    try:
        read_header(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 160 << 20


@settings(max_examples=200, deadline=1000)
@given(st.binary(max_size=400))
def test_random_bytes_are_an_error_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with pytest.raises(GgufError):
        read(tmp_path_factory.getbasetemp(), b"GGUF\x03\0\0\0" + data[:8])
    with pytest.raises(GgufError):
        read(tmp_path_factory.getbasetemp(), b"?" + data)


VALID = a_header(
    (
        *LLAMA,
        pair("tokenizer.ggml.tokens", ARRAY, texts("a", "bc", "")),
        pair("llama.attention.head_count_kv", ARRAY, struct.pack("<IQ2I", U32, 2, 4, 8)),
        pair("llama.flag", BOOL, b"\1"),
        number("general.alignment", 64),
    ),
    (tensor("a", (64, 2), 0), tensor("b", (256,), 12, 512)),
)


@settings(max_examples=400, deadline=1000)
@given(data=st.data())
def test_a_damaged_header_is_understood_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damage = data.draw(st.sampled_from((b"\xff" * 8, b"\0" * 8, b"\x80", b"\x09", b"\x08")) | st.binary(max_size=9))
        damaged[at : at + len(damage)] = damage
    cut = data.draw(st.integers(0, len(damaged)))
    for version in (bytes(damaged), bytes(damaged[:cut])):
        try:
            header = read(tmp_path_factory.getbasetemp(), version)
        except GgufError:
            continue
        look_at_everything(header)


def look_at_everything(header: Header) -> None:
    for name, value in vars(Header).items():
        if isinstance(value, property):
            getattr(header, name)
    assert header.refusal is None or header.refusal.isprintable()
