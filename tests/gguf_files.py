"""Tiny GGUF files with random weights, whole and broken, that llama.cpp really loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A chat template with the markers that the tiny vocabulary knows as control tokens."""

CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
EMBEDDING, FEED_FORWARD, HEADS, HEADS_KV = 64, 128, 4, 2


@dataclass(frozen=True)
class Tiny:
    """What a tiny model is made of."""

    name: str = "Tiny"
    context_length: int = 2048
    blocks: int = 2
    seed: int = 1
    chat_template: str | None = CHATML
    architecture: str = "llama"
    pools: bool = False
    """Whether it makes vectors of texts, and answers no prompts."""
    ends: bool = False
    """Whether it ends every answer at once."""


def write_tiny(path: Path, tiny: Tiny = Tiny()) -> Path:
    """A llama of 435 kB: it loads in milliseconds and answers gibberish, the same each time at temperature 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, tiny.architecture)
    _add_hyperparameters(writer, tiny)
    vocabulary = _add_tokenizer(writer, tiny)
    for name, values in _tensors(tiny, vocabulary).items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_truncated(path: Path, tiny: Tiny = Tiny(), *, keep: float = 0.5) -> Path:
    """A download that was cut off: the header is whole, the tensors are not."""
    whole = write_tiny(path, tiny).read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    return path


def write_cut_in_header(path: Path, tiny: Tiny = Tiny()) -> Path:
    """A download that was cut off within the header."""
    path.write_bytes(write_tiny(path, tiny).read_bytes()[:400])
    return path


def write_wrong_magic(path: Path) -> Path:
    """A file that is called .gguf and is something else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"<html>404 not found</html>" * 40)
    return path


def write_missing_tensor(path: Path, tiny: Tiny = Tiny()) -> Path:
    """A header that promises nothing wrong, and a tensor under a name that no architecture knows.

    Only the engine finds it out, when it loads.
    """
    whole = write_tiny(path, tiny).read_bytes()
    path.write_bytes(whole.replace(b"blk.1.attn_q.weight", b"blk.1.attn_Q.weight", 1))
    return path


def write_unknown_architecture(path: Path) -> Path:
    """A model newer than every engine."""
    return write_tiny(path, Tiny(architecture="tomorrow"))


def _add_hyperparameters(writer: gguf.GGUFWriter, tiny: Tiny) -> None:
    """Everything that stands before the tokenizer."""
    writer.add_name(tiny.name)
    writer.add_context_length(tiny.context_length)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(tiny.blocks)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS_KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    if tiny.pools:
        writer.add_pooling_type(gguf.PoolingType.MEAN)


def _add_tokenizer(writer: gguf.GGUFWriter, tiny: Tiny) -> int:
    """Three control tokens and one token for each byte; the size of the vocabulary."""
    tokens = (*CONTROL_TOKENS, *byte_characters())
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(tokens))
    writer.add_token_types([control if token in CONTROL_TOKENS else normal for token in tokens])
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    if tiny.chat_template is not None:
        writer.add_chat_template(tiny.chat_template)
    return len(tokens)


def byte_characters() -> tuple[str, ...]:
    """GPT-2's printable stand-in for each byte, in the order of the bytes."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    substitutes = iter(range(256, 512))
    return tuple(chr(byte) if byte in printable else chr(next(substitutes)) for byte in range(256))


def _tensors(tiny: Tiny, vocabulary: int) -> dict[str, np.ndarray]:
    """Every tensor by name, shaped (out, in)."""
    random = np.random.default_rng(tiny.seed)
    keys = EMBEDDING // HEADS * HEADS_KV

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * 0.2).astype(np.float32)

    ones = np.ones(EMBEDDING, dtype=np.float32)
    tensors = {"token_embd.weight": matrix(vocabulary, EMBEDDING)}
    for block in range(tiny.blocks):
        tensors |= {
            f"blk.{block}.attn_norm.weight": ones,
            f"blk.{block}.attn_q.weight": matrix(EMBEDDING, EMBEDDING),
            f"blk.{block}.attn_k.weight": matrix(keys, EMBEDDING),
            f"blk.{block}.attn_v.weight": matrix(keys, EMBEDDING),
            f"blk.{block}.attn_output.weight": matrix(EMBEDDING, EMBEDDING),
            f"blk.{block}.ffn_norm.weight": ones,
            f"blk.{block}.ffn_gate.weight": matrix(FEED_FORWARD, EMBEDDING),
            f"blk.{block}.ffn_up.weight": matrix(FEED_FORWARD, EMBEDDING),
            f"blk.{block}.ffn_down.weight": matrix(EMBEDDING, FEED_FORWARD),
        }
    output = matrix(vocabulary, EMBEDDING)
    output[: len(CONTROL_TOKENS)] = 0.0  # so that no answer ends before the test wants it to
    if tiny.ends:
        output[:] = 0.0  # all tokens are as likely, and the first of them is an end
    return tensors | {"output_norm.weight": ones, "output.weight": output}


WINDOW = 32
"""Tokens that most layers of a windowed model look back."""


def write_windowed(path: Path, blocks: int = 6) -> Path:
    """A gemma3 of which five layers of six look back over a window only."""
    tiny = Tiny(name="Windowed", architecture="gemma3", blocks=blocks)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, tiny.architecture)
    _add_hyperparameters(writer, tiny)
    writer.add_sliding_window(WINDOW)
    writer.add_key_length(EMBEDDING // HEADS)
    writer.add_value_length(EMBEDDING // HEADS)
    vocabulary = _add_tokenizer(writer, tiny)
    tensors = _tensors(tiny, vocabulary)
    for block in range(blocks):
        tensors |= {f"blk.{block}.{name}.weight": np.ones(EMBEDDING, np.float32) for name in _GEMMA_NORMS}
        tensors |= {f"blk.{block}.attn_{one}_norm.weight": np.ones(EMBEDDING // HEADS, np.float32) for one in "qk"}
    for name, values in tensors.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


_GEMMA_NORMS = ("post_attention_norm", "post_ffw_norm")
