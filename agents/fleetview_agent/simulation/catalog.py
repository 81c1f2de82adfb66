"""Models that made-up machines have, with the sizes and dimensions of real ones."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview_agent.backends.simulated import SimulatedModel

GB = 1_000_000_000

_OLLAMA = (
    SimulatedModel(
        "qwen3:235b", 142 * GB, 94, 4096, 12_288, 64, architecture="qwen3moe", trained_context=262_144, heads_kv=4,
        head_width=128, active_bytes=13_400_000_000,
    ),
    SimulatedModel("deepseek-r1:70b", 42_520_395_776, 80, 8192, 28_672, 64),
    SimulatedModel("llama3.3:70b", 42_520_395_776, 80, 8192, 28_672, 64),
    SimulatedModel("qwen3:32b", 20_201_253_088, 64, 5120, 25_600, 64, architecture="qwen3", trained_context=40_960,
                   head_width=128),
    SimulatedModel("gemma3:27b", 17_396_936_941, 62, 5376, 21_504, 32, architecture="gemma3", heads_kv=16,
                   head_width=128),
    SimulatedModel("phi4:14b", 9_053_116_391, 40, 5120, 17_920, 40, architecture="phi3", trained_context=16_384,
                   heads_kv=10),
    SimulatedModel("gemma3:12b", 8_149_190_253, 48, 3840, 15_360, 16, architecture="gemma3", head_width=256),
    SimulatedModel("llama3.1:8b", 4_920_753_328, 32, 4096, 14_336, 32),
    SimulatedModel("nomic-embed-text:latest", 274_302_450, 12, 768, 3072, 12, architecture="nomic-bert",
                   quantization="F16", file_type=1, trained_context=2048, default_context=2048, heads_kv=12),
)  # fmt: skip

_FILES = (
    SimulatedModel("Qwen3-Coder-480B-A35B-Instruct-Q4_K_M", 290 * GB, 62, 6144, 8192, 96, architecture="qwen3moe",
                   trained_context=262_144, head_width=128, active_bytes=21_500_000_000),
    SimulatedModel("Mistral-Large-Instruct-2411-Q4_K_M", 73_220_000_000, 88, 12_288, 28_672, 96),
    SimulatedModel("Qwen3-30B-A3B-Instruct-2507-Q4_K_M", 18_556_686_912, 48, 2048, 6144, 32, architecture="qwen3moe",
                   trained_context=262_144, heads_kv=4, head_width=128, active_bytes=1_950_000_000),
    SimulatedModel("Qwen3-8B-Q8_0", 8_709_518_624, 36, 4096, 12_288, 32, architecture="qwen3", quantization="Q8_0",
                   file_type=7, trained_context=40_960, head_width=128),
    SimulatedModel("SmolLM2-1.7B-Instruct-Q4_K_M", 1_055_609_824, 24, 2048, 8192, 32, trained_context=8192,
                   heads_kv=32),
    SimulatedModel("Mixtral-8x22B-Instruct-damaged-Q4_K_M", 85_590_000_000, 56, 6144, 16_384, 48, breaks=True,
                   trained_context=65_536, active_bytes=24_000_000_000),
)  # fmt: skip

DAMAGED = "Mixtral-8x22B-Instruct-damaged-Q4_K_M"
"""The file whose load fails on its way."""
THINKS = frozenset({"deepseek-r1:70b"})
"""Models that think before they answer."""
EMBEDS = frozenset({"nomic-embed-text:latest"})

MODELS: Mapping[str, SimulatedModel] = {model.name: model for model in (*_OLLAMA, *_FILES)}
"""By their names; every engine has some of them, and Ollama can pull the others of its own."""
OLLAMA = frozenset(model.name for model in _OLLAMA)


def pulled(name: str) -> SimulatedModel | None:
    """What there is to pull by this name; a name without a tag means the latest."""
    wanted = name if ":" in name else f"{name}:latest"
    return MODELS[wanted] if wanted in OLLAMA else None
