from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import gguf

from fleetview_agent.backends.llamacpp.inventory import Inventory
from tests.gguf_bytes import ARRAY, LLAMA, a_header, number, pair, tensor, texts, word
from tests.gguf_files import Tiny, write_tiny, write_truncated, write_wrong_magic

SPARSE_BYTES = 600_000_000
WARM_SECONDS = 0.5
"""Half of what the whole command may take."""


@dataclass(frozen=True)
class Odd:
    """What is to be told of a file."""

    refusal: str | None
    """Words of it; None for a model that can be loaded."""
    quantization: str | None = None


TOLD = {
    "Split": Odd(None, "F32"),
    "Torn": Odd("Torn-00002-of-00002.gguf is missing"),
    "Cut": Odd("is truncated: 0."),
    "Cut-behind": Odd("Cut-behind-00002-of-00002.gguf is truncated: 0."),
    "Web": Odd("is not a GGUF file"),
    "Silent": Odd(None, "F32"),
    "Vectors": Odd("makes embeddings and cannot answer prompts"),
    "Words": Odd("has only a vocabulary, no weights"),
    "Bomb-tensors": Odd("claims 1152921504606846976 tensors"),
    "Bomb-texts": Odd("ends within its header"),
    "Bomb-nested": Odd("has arrays within an array"),
    "Sparse": Odd(None, "F32"),
    "Adapter": Odd("is a LoRA adapter, not a model"),
    "Eyes": Odd("is a projector for images, not a model"),
    "Astray": Odd("is the first of 2 files"),
}


def write_split(first: Path, *, second_size: float = 1.0) -> None:
    """A model in two files, as llama.cpp writes it: all keys in the first."""
    second = first.with_name(first.name.replace("00001-of", "00002-of"))
    of_two = (number("split.count", 2), word("general.architecture", "llama"), word("general.name", first.stem))
    weight = tensor("w", (64, 64))
    for path, key in ((first, 0), (second, 1)):
        data = a_header((*of_two, number("split.no", key)), (weight,))
        path.write_bytes(data)
        os.truncate(path, -(-len(data) // 32) * 32 + 64 * 64 * 4)
    os.truncate(second, int(second.stat().st_size * second_size))


def write_odd_files(folder: Path) -> None:
    folder.mkdir()

    def put(name: str, data: bytes, size: int | None = None) -> None:
        (folder / f"{name}.gguf").write_bytes(data)
        if size is not None:
            os.truncate(folder / f"{name}.gguf", size)

    write_split(folder / "Split-00001-of-00002.gguf")
    write_split(folder / "Torn-00001-of-00002.gguf")
    (folder / "Torn-00002-of-00002.gguf").unlink()
    write_split(folder / "Cut-behind-00001-of-00002.gguf", second_size=0.5)
    write_split(folder / "Astray-00001-of-00002.gguf")
    (folder / "Astray-00001-of-00002.gguf").rename(folder / "Astray.gguf")
    (folder / "Astray-00002-of-00002.gguf").unlink()
    write_truncated(folder / "Cut.gguf", Tiny(name="cut"))
    write_wrong_magic(folder / "Web.gguf")
    write_tiny(folder / "Silent.gguf", Tiny(name="silent", chat_template=None))
    put("Vectors", a_header((*LLAMA, number("llama.pooling_type", gguf.PoolingType.MEAN)), (tensor("w", (8,)),)), 1024)
    put("Words", a_header((*LLAMA, pair("tokenizer.ggml.tokens", ARRAY, texts("a", "b")))))
    put("Bomb-tensors", struct.pack("<4sIQQ", b"GGUF", 3, 1 << 60, 0), 4096)
    put("Bomb-texts", a_header((pair("a", ARRAY, struct.pack("<IQ", 8, 1 << 40)),)), 4096)
    put("Bomb-nested", a_header((pair("a", ARRAY, struct.pack("<IQ", ARRAY, 1 << 40)),)), 4096)
    put("Sparse", a_header(LLAMA, (tensor("w", (1000, 149_999)),)), SPARSE_BYTES)
    put("Adapter", a_header((*LLAMA, word("general.type", "adapter")), (tensor("w", (8,)),)), 1024)
    put("Eyes", a_header((word("general.architecture", "clip"),), (tensor("w", (8,)),)), 1024)


async def test_every_odd_file_is_listed_for_what_it_is_and_none_holds_up_the_others(home: Path) -> None:
    write_odd_files(home / "odd")
    inventory = Inventory((home / "odd",))
    files = await inventory.files(afresh=True)
    rows = {name: file.row(name) for name, file in files.items()}
    assert set(rows) == set(TOLD)
    for name, odd in TOLD.items():
        assert (rows[name].refusal is None) == (odd.refusal is None), (name, rows[name].refusal)
        assert (odd.refusal or "") in (rows[name].refusal or "")
        if odd.quantization:
            assert rows[name].quantization == odd.quantization
    parts = (home / "odd").glob("Split-*")
    assert rows["Split"].size_bytes == sum(part.stat().st_size for part in parts)
    assert rows["Sparse"].size_bytes == SPARSE_BYTES
    began = time.monotonic()
    await inventory.files(afresh=True)
    assert time.monotonic() - began < WARM_SECONDS


async def test_a_copy_of_which_a_part_is_missing_hides_no_complete_one(home: Path) -> None:
    for folder in ("a", "b"):
        (home / folder).mkdir()
        write_split(home / folder / "Split-00001-of-00002.gguf")
    (home / "a" / "Split-00002-of-00002.gguf").unlink()
    ((_, found),) = (await Inventory((home / "a", home / "b")).files()).items()
    assert (found.path.parent.name, found.refusal) == ("b", None)


async def test_the_weights_of_a_model_in_several_files_are_those_of_all(home: Path) -> None:
    (home / "m").mkdir()
    write_split(home / "m" / "Split-00001-of-00002.gguf")
    found = await Inventory((home / "m",)).find("Split")
    assert found is not None
    assert found.header is not None
    assert found.header.is_complete
    assert found.header.tensor_bytes == 2 * 64 * 64 * 4
