"""GGUF files that take no space: a header with the dimensions of a real model, and a hole where its weights would be.

`architectures.json` lists, for each model, its metadata and the tensors that llama.cpp asks for: a `*` stands for the
number of a layer, and a third element lists the layers where not all have the tensor.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import gguf

from tests.gguf_bytes import tensor

ARCHITECTURES: dict[str, Any] = json.loads(Path(__file__).with_name("architectures.json").read_text())
F32, Q8_0 = 0, 8
ALIGNMENT = 32
_QUANTISED = re.compile(
    r"(token_embd|output|attn_(q|k|v|qkv|gate|output|[qk]_[ab]|kv_\w+|[kv]_b)|ffn_(gate|up|down)\w*)\.weight$"
)


def write_sparse(path: Path, name: str, **changes: Any) -> Path:
    """The model of that name; `changes` are metadata that differ, with `__` for a dot."""
    model = ARCHITECTURES[name]
    metadata = model["metadata"] | {key.replace("__", "."): value for key, value in changes.items()}
    writer = gguf.GGUFWriter(path, model["architecture"])
    writer.add_tokenizer_model("none")
    for key, value in metadata.items():
        _add(writer, f"{model['architecture']}.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    entries, size = _entries(model["tensors"], model["metadata"]["block_count"])
    start = bytearray(path.read_bytes())
    start[8:16] = len(entries).to_bytes(8, "little")
    path.write_bytes(start + b"".join(entries))
    os.truncate(path, _aligned(path.stat().st_size) + size)
    return path


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    """A key of the kind that its value has."""
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case _:
            writer.add_array(key, value)


def _entries(rows: list[Any], blocks: int) -> tuple[list[bytes], int]:
    """The list of tensors, and the bytes that they would take."""
    entries, at = [], 0
    for pattern, shape, *chosen in rows:
        is_packed = len(shape) > 1 and shape[0] % 32 == 0 and _QUANTISED.search(pattern)
        size = math.prod(shape) * 34 // 32 if is_packed else math.prod(shape) * 4
        layers = chosen[0] if chosen else range(blocks) if "*" in pattern else (0,)
        for layer in layers:
            entries.append(tensor(pattern.replace("*", str(layer)), tuple(shape), Q8_0 if is_packed else F32, at))
            at += _aligned(size)
    return entries, at


def _aligned(size: int) -> int:
    """The next place where a tensor may begin."""
    return -(-size // ALIGNMENT) * ALIGNMENT
