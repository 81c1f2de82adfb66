"""How much memory a model takes, and whether there is room."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from fleetview_agent.gguf import Header, Tensors, read_header
from fleetview_agent.gguf.header import Value
from fleetview_agent.needs import PROJECTOR_MARGIN_BYTES, LoadSettings
from fleetview_agent.planning.fit import GPU_MARGIN_BYTES, need, verdict
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


def test_the_cache_grows_with_the_context_in_steps_of_256_tokens() -> None:
    per_token = 32 * 8 * (128 + 128) * 2
    sizes = [need(an_8b_header(), LoadSettings(context)) for context in (1, 256, 257)]
    assert [size.cache_bytes if size else None for size in sizes] == [per_token * 256, per_token * 256, per_token * 512]


def test_heads_that_differ_by_layer_are_summed() -> None:
    required = need(an_8b_header(block_count=3, attention__head_count_kv=(8, 4, 0)), LoadSettings(256))
    assert required is not None
    assert required.cache_bytes == 12 * (128 + 128) * 2 * 256


def test_keys_and_values_may_have_widths_of_their_own() -> None:
    required = need(an_8b_header(attention__key_length=64, attention__value_length=192), LoadSettings(256))
    assert required is not None
    assert required.cache_bytes == 32 * 8 * (64 + 192) * 2 * 256


def test_every_sequence_has_a_cache_of_its_own_in_numbers_of_the_kind_that_is_wanted() -> None:
    required = need(an_8b_header(), LoadSettings(8192, sequences=3, cache_type_k="q8_0", cache_type_v="q4_0"))
    assert required is not None
    assert required.cache_bytes == 3 * 8192 * 32 * (8 * 128 // 32 * 34 + 8 * 128 // 32 * 18)


@pytest.mark.parametrize(
    ("given", "windowed"),
    [
        ({}, 27),
        ({"attention__sliding_window_pattern": 2}, 16),
        ({"attention__sliding_window_pattern": (True, *[False] * 31)}, 1),
        ({"attention__sliding_window_pattern": (True, *[False] * 3)}, None),
        ({"attention__sliding_window": 0}, 0),
    ],
    ids=["by family", "every second", "listed", "listed for too few", "no window"],
)
def test_a_layer_with_a_window_keeps_no_more_than_that_and_a_batch(
    given: dict[str, Value], windowed: int | None
) -> None:
    header = an_8b_header(architecture="gemma3", **{"attention__sliding_window": 1000, **given})
    required = need(header, LoadSettings(8192))
    row = 8 * (128 + 128) * 2
    cells = None if windowed is None else windowed * 1536 + (32 - windowed) * 8192
    assert (required and required.cache_bytes) == (None if cells is None else row * cells)
    if required:
        whole = need(header, LoadSettings(8192, full_window_cache=True))
        assert whole is not None
        assert whole.cache_bytes == row * 32 * 8192


def test_layers_that_only_predict_keep_nothing() -> None:
    required = need(an_8b_header(block_count=33, nextn_predict_layers=1), LoadSettings(256))
    assert required is not None
    assert required.cache_bytes == 32 * 8 * (128 + 128) * 2 * 256


def test_without_flash_attention_values_of_different_widths_all_take_the_widest() -> None:
    header = an_8b_header(block_count=3, attention__head_count_kv=(8, 4, 2))
    with_it, without = need(header, LoadSettings(256)), need(header, LoadSettings(256, flash_attention=False))
    assert with_it is not None
    assert without is not None
    assert with_it.cache_bytes == (14 + 14) * 128 * 2 * 256
    assert without.cache_bytes == (14 + 3 * 8) * 128 * 2 * 256


def test_the_total_is_everything_together() -> None:
    required = need(an_8b_header(), LoadSettings(8192, projector_bytes=600 * MIB, prompt_cache_bytes=512 * MIB))
    assert required is not None
    parts = required.weights_bytes + required.cache_bytes + required.compute_bytes
    assert required.total_bytes == parts + 300 * MIB + 600 * MIB + PROJECTOR_MARGIN_BYTES + 512 * MIB


def test_a_model_in_several_files_needs_the_weights_of_all() -> None:
    first = replace(an_8b_header(), metadata={**an_8b_header().metadata, "split.count": 2})
    assert need(first, LoadSettings(256)) is None
    required = need(replace(first, further=(an_8b_header(weights_bytes=3 * GIB),)), LoadSettings(256))
    assert required is not None
    assert required.weights_bytes == 8 * GIB


@pytest.mark.parametrize(
    "header",
    [
        an_8b_header(architecture="tomorrow"),
        an_8b_header(architecture="deepseek32"),
        an_8b_header(architecture="glm-dsa"),
        an_8b_header(architecture="minimax-m3"),
        an_8b_header(architecture="gemma4", attention__sliding_window=512),
        an_8b_header(architecture="nemotron_h", feed_forward_length="wide"),
        an_8b_header(architecture="qwen35", attention__recurrent_layers=(True, False)),
        an_8b_header(nextn_predict_layers=32),
        an_8b_header(block_count=3, attention__head_count_kv=(8, 4)),
        an_8b_header(block_count="many"),
        an_8b_header(attention__head_count=(32,) * 31),
        an_8b_header(vocab_size=-1),
        an_8b_header(embedding_length=0),
    ],
    ids=[
        "new",
        "index",
        "another index",
        "third index",
        "no pattern",
        "no widths",
        "few layers listed",
        "only predicts",
        "few heads listed",
        "words",
        "few widths",
        "vocabulary",
        "no width",
    ],
)
def test_a_cache_that_no_rule_describes_is_not_guessed(header: Header) -> None:
    assert need(header, LoadSettings(8192)) is None


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
    required = need(header, LoadSettings(8192))
    assert header.refusal is None
    assert required is not None
    assert (required.weights_bytes, required.cache_bytes) == (weights, 80 * 8 * 256 * 2 * 8192)


def test_the_tiny_model_can_be_computed(tmp_path: Path) -> None:
    assert need(read_header(write_tiny(tmp_path / "tiny.gguf")), LoadSettings(512)) is not None


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
