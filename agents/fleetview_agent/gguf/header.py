"""What the header of a GGUF file says of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetview_agent.gguf.types import FILE_TYPES

_PROJECTORS = frozenset({"clip", "mmproj"})
_POOLED = frozenset({"bert", "eurobert", "gemma-embedding", "llama-embed", "modern-bert", "neo-bert", "t5encoder"})
_PARTS = {"adapter": "a LoRA adapter", "mmproj": "a projector for images", "imatrix": "an importance matrix"}

Number = bool | int | float
Value = Number | str | tuple[Number, ...]


@dataclass(frozen=True)
class Tensors:
    """What the list of tensors says, summed up."""

    count: int = 0
    total_bytes: int | None = 0
    """None: one of them is of a type that we do not know."""
    end: int = 0
    """Where the last one ends, counted from the start of the data; at least, where a type is unknown."""
    commonest_type: str | None = None
    looked_up_bytes: int = 0
    """Of tables from which each token reads a few rows only."""
    embedding_bytes: int = 0
    """Of the table of the tokens, which is such a one where there is another for what comes out."""
    has_output: bool = False
    """Whether there is."""
    expert_bytes: int = 0
    """Of all experts, of which each token uses a few."""


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself, without its weights."""

    file_name: str
    version: int
    metadata: Mapping[str, Value]
    """Numbers, short texts and short arrays of numbers."""
    text_bytes: Mapping[str, int]
    """Texts too long to be kept → their length."""
    array_lengths: Mapping[str, int]
    tensors: Tensors
    data_start: int
    file_bytes: int
    identity: str
    """The same for the same size and header."""
    further: tuple[Header, ...] = ()
    """Of the other files, where the model is in several and they were read."""

    @property
    def tensor_count(self) -> int:
        """How many tensors there are."""
        return self.tensors.count

    @property
    def needed_bytes(self) -> int:
        """The smallest size of the complete file."""
        return self.data_start + self.tensors.end

    @property
    def tensor_bytes(self) -> int:
        """What the weights take, in all files; where a type is unknown, all that follows the header."""
        own = self.tensors.total_bytes
        if own is None:
            own = max(self.file_bytes, self.needed_bytes) - self.data_start
        return own + sum(part.tensor_bytes for part in self.further)

    @property
    def bytes_per_token(self) -> int | None:
        """Of the weights, what has to be read for each token; None where that cannot be told."""
        parts = [part.tensors for part in (self, *self.further)]
        if not self.is_complete or any(part.total_bytes is None for part in parts):
            return None
        unread = sum(part.looked_up_bytes for part in parts)
        if any(part.has_output for part in parts):
            unread += sum(part.embedding_bytes for part in parts)
        experts, used = self.number("expert_count") or 0, self.numbers("expert_used_count") or 0
        idle = max(0, experts - (max(used, default=0) if isinstance(used, tuple) else used))
        return self.tensor_bytes - unread - sum(part.expert_bytes for part in parts) * idle // max(experts, 1)

    @property
    def is_complete(self) -> bool:
        """Whether every file of the model was read."""
        return self.number_of_files <= 1 + len(self.further)

    @property
    def number_of_files(self) -> int:
        """Over how many files the model is spread."""
        count = self.metadata.get("split.count")
        return count if isinstance(count, int) and count > 0 else 1

    @property
    def architecture(self) -> str | None:
        """The family, which is also the prefix of the model's own keys."""
        return self._text("general.architecture")

    @property
    def name(self) -> str | None:
        """What the model calls itself."""
        return self._text("general.name")

    @property
    def context_length(self) -> int | None:
        """Tokens that it was trained for."""
        return self.number("context_length")

    @property
    def block_count(self) -> int | None:
        """Layers."""
        return self.number("block_count")

    @property
    def embedding_length(self) -> int | None:
        """Width of the model."""
        return self.number("embedding_length")

    @property
    def feed_forward_length(self) -> int | tuple[int, ...] | None:
        """Width of the feed-forward part, of each layer where they differ."""
        return self.numbers("feed_forward_length")

    @property
    def head_count(self) -> int | tuple[int, ...] | None:
        """Attention heads, of each layer where they differ."""
        return self.numbers("attention.head_count")

    @property
    def head_count_kv(self) -> int | tuple[int, ...] | None:
        """Heads of keys and values, of each layer where they differ; as many as `head_count` unless said."""
        given = self.numbers("attention.head_count_kv")
        return self.head_count if given is None else given

    @property
    def key_length(self) -> int | None:
        """Width of one key."""
        return self.number("attention.key_length") or self._width_of_a_head

    @property
    def value_length(self) -> int | None:
        """Width of one value."""
        return self.number("attention.value_length") or self._width_of_a_head

    @property
    def vocabulary_size(self) -> int | None:
        """Tokens that it knows."""
        return self.array_lengths.get("tokenizer.ggml.tokens") or self.number("vocab_size")

    @property
    def quantization(self) -> str | None:
        """As people write it, such as Q4_K_M; else the type of most tensors."""
        file_type = self.metadata.get("general.file_type")
        known = FILE_TYPES.get(file_type) if isinstance(file_type, int) else None
        return known or self.tensors.commonest_type

    @property
    def has_chat_template(self) -> bool:
        """Whether it says how a conversation becomes a prompt."""
        key = "tokenizer.chat_template"
        return key in self.text_bytes or bool(self.metadata.get(key))

    @property
    def refusal(self) -> str | None:
        """Why it cannot answer prompts, in a sentence; None where nothing speaks against it."""
        return self.damage or (f"{self.file_name} makes embeddings and cannot answer prompts" if self.embeds else None)

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors of texts, and answers no prompts."""
        return bool(self.number("pooling_type")) or self.architecture in _POOLED or "bert" in (self.architecture or "")

    @property
    def damage(self) -> str | None:
        """Why it cannot be used at all, in a sentence; None where nothing speaks against it."""
        file, kind = self.file_name, self._text("general.type") or "model"
        if part := "mmproj" if self.architecture in _PROJECTORS else kind if kind in _PARTS else None:
            return f"{file} is {_PARTS[part]}, not a model"
        for one in (self, *self.further):
            if one.file_bytes < one.needed_bytes:
                there, whole = one.file_bytes / 1e6, one.needed_bytes / 1e6
                return f"{one.file_name} is truncated: {there:.1f} MB of {whole:.1f} MB are there"
        if self.architecture is None:
            return f"{file} does not say of which architecture it is"
        if self.tensors.count == 0:
            only = "only a vocabulary" if self.vocabulary_size else "no tensors"
            return f"{file} has {only}, no weights"
        if (part_number := self.metadata.get("split.no")) not in {None, 0}:
            return f"{file} is part {part_number} of a model in several files, of which only the first can be loaded"
        return None

    def number(self, key: str) -> int | None:
        """A whole number among the architecture's own keys."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    def numbers(self, key: str) -> int | tuple[int, ...] | None:
        """A whole number, or one for each layer."""
        value = self.metadata.get(f"{self.architecture}.{key}")
        if not isinstance(value, tuple):
            return self.number(key)
        whole = tuple(item for item in value if isinstance(item, int) and item >= 0)
        return whole if len(whole) == len(value) else None

    @property
    def _width_of_a_head(self) -> int | None:
        """Width of one head where it is not given."""
        heads = self.head_count
        return self.embedding_length // heads if self.embedding_length and isinstance(heads, int) and heads else None

    def _text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) and value else None
