"""The models of the simulated backend, with the dimensions of real ones."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview_agent.gguf import Header, Tensors
from fleetview_agent.wire import ModelFile

DEFAULT_CONTEXT = 8192


@dataclass(frozen=True)
class SimulatedModel:
    """A model that could be loaded, with the dimensions of a real one."""

    name: str
    weights_bytes: int
    layers: int
    width: int
    inner_width: int
    heads: int
    breaks: bool = False
    refusal: str | None = None
    architecture: str = "llama"
    quantization: str = "Q4_K_M"
    file_type: int = 15
    """The quantisation by llama.cpp's number for it."""
    trained_context: int = 131_072
    default_context: int = DEFAULT_CONTEXT
    heads_kv: int = 8
    head_width: int | None = None
    """Numbers of one head; None: the width of the model divided among its heads."""
    active_bytes: int | None = None
    """What is read for each token, where that is not all of it."""
    keeps_cache: bool = False
    """Whether its context takes memory, too."""
    content: str | None = None
    """What its identity follows from; None: its name."""

    @property
    def identity(self) -> str:
        """The same for the same content, on whichever machine."""
        return f"simulated-{self.content or self.name}"

    @property
    def bytes_per_token(self) -> int:
        """What has to be read for each token."""
        return self.active_bytes or self.weights_bytes

    def memory_bytes(self, context: int) -> int:
        """What it takes with so much context."""
        head = self.head_width or self.width // self.heads
        cache = 2 * 2 * self.layers * self.heads_kv * head * context if self.keeps_cache else 0
        return self.weights_bytes * 21 // 20 + cache

    def file(self) -> ModelFile:
        """How it is listed."""
        return ModelFile(
            name=self.name,
            size_bytes=self.weights_bytes,
            identity=self.identity,
            architecture=self.architecture,
            quantization=self.quantization,
            context_length=self.trained_context,
            default_context=self.default_context,
            bytes_per_token=self.bytes_per_token,
            refusal=self.refusal,
        )

    def header(self) -> Header:
        """What its file would say of itself."""
        own = {
            "context_length": self.trained_context,
            "block_count": self.layers,
            "embedding_length": self.width,
            "feed_forward_length": self.inner_width,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.heads_kv,
            "vocab_size": 128_256,
        }
        if self.head_width:
            own |= {"attention.key_length": self.head_width, "attention.value_length": self.head_width}
        return Header(
            file_name=self.name,
            version=3,
            metadata={
                "general.architecture": self.architecture,
                "general.file_type": self.file_type,
                **{f"{self.architecture}.{key}": value for key, value in own.items()},
            },
            text_bytes={},
            array_lengths={},
            tensors=Tensors(1, self.weights_bytes, self.weights_bytes, "Q4_K"),
            data_start=0,
            file_bytes=self.weights_bytes,
            identity=self.identity,
        )


MODELS = (
    SimulatedModel("sim-small", 807_690_240, 16, 2048, 8192, 32),
    SimulatedModel("sim-large", 42_520_395_776, 80, 8192, 28_672, 64),
    SimulatedModel("sim-broken", 4_920_734_720, 32, 4096, 14_336, 32, breaks=True),
    SimulatedModel(
        "sim-unusable", 98_362_432, 30, 576, 1536, 9, refusal="sim-unusable is truncated: 98.4 MB of 145.2 MB are there"
    ),
)
ENGINE_LOG = (
    "llama_model_load: error loading model: missing tensor 'blk.18.ffn_down.weight'",
    "llama_model_load_from_file_impl: failed to load model",
)
"""What the engine said last when it could not load the broken model."""
ENGINE_STATUS = 1
