"""How the families of models differ in what they remember, as llama.cpp lays them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# fmt: off
PLAIN = frozenset({
    "apertus", "arcee", "arctic", "baichuan", "bailingmoe", "bailingmoe2", "bitnet", "bloom", "chameleon", "chatglm",
    "codeshell", "cogvlm", "command-r", "dbrx", "deci", "deepseek", "deepseek2-ocr", "dots1", "ernie4_5",
    "ernie4_5-moe", "exaone", "falcon", "gemma", "glm4", "glm4moe", "gpt2", "gptj", "gptneox", "granite", "granitemoe",
    "grok", "grovemoe", "hunyuan-dense", "hunyuan-moe", "hunyuan_vl", "hy_v3", "internlm2", "jais", "jais2", "llama",
    "maincoder", "minicpm", "minicpm3", "minimax-m2", "mistral3", "mpt", "nemotron", "olmo", "olmoe", "openelm",
    "orion", "paddleocr", "pangu-embedded", "phi2", "phi3", "phimoe", "plamo", "plm", "qwen", "qwen2", "qwen2moe",
    "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "refact", "seed_oss", "smollm3", "stablelm", "starcoder",
    "starcoder2", "talkie", "xverse",
})
# fmt: on
"""Architectures of which every layer keeps keys and values of the whole context."""

LATENT = frozenset({"bailingmoe3", "deepseek2", "kimi-linear", "mistral4"})
"""Keep what keys and values are made of instead of both, where the file was converted for it."""

RECURRENT = frozenset({"arwkv7", "mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7"})
"""Keep no keys and values at all: a state that does not grow."""

IDLE_FEED_FORWARD = frozenset({"nemotron_h", "nemotron_h_moe"})
"""A layer with a feed-forward part is nothing else."""
HYBRID_BY_HEADS = frozenset(
    {
        "bailingmoe3",
        "granitehybrid",
        "jamba",
        "kimi-linear",
        "lfm2",
        "lfm2moe",
        "nemotron_h",
        "nemotron_h_moe",
        "plamo2",
    }
)
"""A layer without heads for keys and values is recurrent."""
HYBRID_BY_INTERVAL: Mapping[str, int] = {"minimax-01": 8, "qwen35": 4, "qwen35moe": 4, "qwen3next": 4}
"""Every so many layers one is not recurrent, unless the file says another number or lists them."""
HYBRID_IN_EACH = frozenset({"falcon-h1"})
"""Every layer is both."""


@dataclass(frozen=True)
class Sliding:
    """Which layers see no further back than a window, where the file does not list them."""

    every: int = 0
    """One in so many layers sees everything; 0: none does."""
    full_first: bool = False
    """Whether it is the first of them rather than the last."""
    absent: int = 0
    """Tokens of the window where the file names none; 0: then there are no windows."""
    always: int | None = None
    """Tokens of the window, whatever larger than zero the file says."""


SLIDING: Mapping[str, Sliding] = {
    "afmoe": Sliding(4),
    "cohere2": Sliding(4),
    "cohere2moe": Sliding(4, full_first=True),
    "exaone-moe": Sliding(4, absent=128),
    "exaone4": Sliding(4, absent=4096),
    "gemma2": Sliding(2, absent=4096),
    "gemma3": Sliding(6),
    "gemma3n": Sliding(5),
    "gemma4": Sliding(),
    "gpt-oss": Sliding(2),
    "granite_swa": Sliding(),
    "laguna": Sliding(4, full_first=True),
    "lfm2": Sliding(),
    "llama4": Sliding(4, absent=8192, always=8192),
    "maple": Sliding(),
    "mellum": Sliding(4),
    "mimo2": Sliding(),
    "muse-glimmer": Sliding(4),
    "olmo2": Sliding(4),
    "plamo3": Sliding(8),
    "smallthinker": Sliding(4, full_first=True, always=4096),
    "spark2_5": Sliding(),
    "step35": Sliding(),
}
WINDOWED_BLOCKS: Mapping[str, int] = {"exaone4": 64}
"""Families of which only the model with so many layers has windows."""
LAYERS_WITH_CACHE: Mapping[str, int] = {"gemma3n": 20}
"""Families of which only the first layers own a cache, which the others share."""

KNOWN = PLAIN | LATENT | RECURRENT | HYBRID_BY_HEADS | HYBRID_IN_EACH | SLIDING.keys() | HYBRID_BY_INTERVAL.keys()
"""All others may remember more than is known here: an index, compressed keys, loops over the same layers."""
