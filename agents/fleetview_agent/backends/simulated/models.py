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

    def file(self) -> ModelFile:
        """How it is listed."""
        return ModelFile(
            name=self.name,
            size_bytes=self.weights_bytes,
            identity=f"simulated-{self.name}",
            architecture="llama",
            quantization="Q4_K_M",
            context_length=131_072,
            default_context=DEFAULT_CONTEXT,
            bytes_per_token=self.weights_bytes,
            refusal=self.refusal,
        )

    def header(self) -> Header:
        """What its file would say of itself."""
        own = {
            "context_length": 131_072,
            "block_count": self.layers,
            "embedding_length": self.width,
            "feed_forward_length": self.inner_width,
            "attention.head_count": self.heads,
            "attention.head_count_kv": 8,
            "vocab_size": 128_256,
        }
        return Header(
            file_name=self.name,
            version=3,
            metadata={
                "general.architecture": "llama",
                "general.file_type": 15,
                **{f"llama.{key}": value for key, value in own.items()},
            },
            text_bytes={},
            array_lengths={},
            tensors=Tensors(1, self.weights_bytes, self.weights_bytes, "Q4_K"),
            data_start=0,
            file_bytes=self.weights_bytes,
            identity=f"simulated-{self.name}",
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
