"""The machines that are made up: six Macs of a studio, or as many alike as a measurement wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleetview_agent import __version__
from fleetview_agent.samplers.chips import memory_bytes_per_second
from fleetview_agent.simulation import catalog
from fleetview_agent.wire import Machine, Sample

GIB = 1 << 30


@dataclass(frozen=True)
class Chip:
    """A chip of Apple and what machines with it do."""

    name: str
    model: str
    cores: Mapping[str, int]
    gpu_cores: int
    memory_gib: int
    disk_bytes_per_second: float
    idle_watts: float
    gpu_watts: float
    has_battery: bool = False

    @property
    def network_bytes_per_second(self) -> float:
        """How fast files of models come to it: a studio has 10 gigabit Ethernet, a laptop is wireless."""
        return 0.14e9 if self.has_battery else 1.08e9


M3_ULTRA = Chip("Apple M3 Ultra", "Mac15,14", {"performance": 24, "efficiency": 8}, 80, 512, 6.1e9, 22, 185)
M2_ULTRA = Chip("Apple M2 Ultra", "Mac14,14", {"performance": 16, "efficiency": 8}, 76, 192, 5.4e9, 19, 150)
M4_MAX = Chip("Apple M4 Max", "Mac16,5", {"performance": 12, "efficiency": 4}, 40, 128, 5.2e9, 11, 72, True)
M3_MAX = Chip("Apple M3 Max", "Mac15,9", {"performance": 12, "efficiency": 4}, 40, 128, 4.6e9, 10, 66, True)


@dataclass(frozen=True)
class Loaded:
    """A model that is in memory from the beginning."""

    name: str
    """BACKEND/MODEL."""
    context: int = 8192
    clients: tuple[str, ...] = ()
    """Who asks it."""
    share: float = 0.7
    """Of the time in which they do, at the busiest hour."""
    pinned: bool = False
    failed: bool = False


@dataclass(frozen=True)
class MachineSpec:
    """One made-up machine."""

    name: str
    """What the operator calls it."""
    hostname: str
    chip: Chip
    system: str
    ollama: tuple[str, ...]
    llamacpp: tuple[str, ...]
    loaded: tuple[Loaded, ...]
    swells: bool = False
    """Whether its other programs take more and more memory, and give it back."""
    drops: bool = False
    """Whether it leaves now and then, as a laptop whose lid is closed."""

    @property
    def bytes_per_second(self) -> float:
        """How fast a model is read from memory."""
        return memory_bytes_per_second(self.chip.name, self.chip.gpu_cores, None) or 1e11

    def machine(self) -> Machine:
        """What its agent says of it."""
        chip = self.chip
        return Machine(
            hostname=self.hostname,
            user="operator",
            platform="darwin",
            system=self.system,
            model=chip.model,
            chip=chip.name,
            cpu_cores=sum(chip.cores.values()),
            cpu_core_kinds=chip.cores,
            memory_bytes=chip.memory_gib * GIB,
            gpu=chip.name,
            gpu_cores=chip.gpu_cores,
            unified_memory=True,
            memory_bytes_per_second=self.bytes_per_second,
            agent_version=__version__,
            simulated=True,
            sources=dict.fromkeys(Sample.model_fields, "made up"),
        )


DEMO = (
    MachineSpec(
        "head-primary", "cwk-h-m3u-01", M3_ULTRA, "macOS 15.6.1",
        ("qwen3:235b", "llama3.3:70b", "gemma3:27b", "nomic-embed-text:latest"),
        ("Qwen3-Coder-480B-A35B-Instruct-Q4_K_M", "Mistral-Large-Instruct-2411-Q4_K_M"),
        (
            Loaded("ollama/qwen3:235b", 32_768, ("open-webui", "ada@desk"), 0.9, pinned=True),
            Loaded("ollama/nomic-embed-text:latest", 2048),
        ),
    ),
    MachineSpec(
        "head-secondary", "cwk-h-m3u-02", M3_ULTRA, "macOS 15.6.1",
        ("deepseek-r1:70b", "llama3.3:70b", "qwen3:235b", "qwen3:32b"),
        ("Mistral-Large-Instruct-2411-Q4_K_M", "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"),
        (
            Loaded("ollama/deepseek-r1:70b", 16_384, ("n8n",), 0.6),
            Loaded("llamacpp/Mistral-Large-Instruct-2411-Q4_K_M", 8192, ("reports",), 0.35),
        ),
    ),
    MachineSpec(
        "worker-primary", "cwk-w-m2u-01", M2_ULTRA, "macOS 15.5",
        ("llama3.3:70b", "qwen3:32b", "gemma3:27b", "llama3.1:8b"),
        ("Qwen3-30B-A3B-Instruct-2507-Q4_K_M", "Qwen3-8B-Q8_0"),
        (
            Loaded("ollama/qwen3:32b", 16_384, ("continue", "grace@mbp"), 0.8),
            Loaded("llamacpp/Qwen3-30B-A3B-Instruct-2507-Q4_K_M", 32_768, ("home-assistant",), 0.5),
        ),
    ),
    MachineSpec(
        "worker-secondary", "cwk-w-m2u-02", M2_ULTRA, "macOS 15.5",
        ("gemma3:27b", "qwen3:32b", "phi4:14b"),
        (catalog.DAMAGED, "Qwen3-8B-Q8_0", "SmolLM2-1.7B-Instruct-Q4_K_M"),
        (
            Loaded("ollama/gemma3:27b", 8192, ("paperless",), 0.4),
            Loaded(f"llamacpp/{catalog.DAMAGED}", failed=True),
        ),
    ),
    MachineSpec(
        "laptop-primary", "cwk-l-m4m-01", M4_MAX, "macOS 26.1",
        ("phi4:14b", "gemma3:12b", "llama3.1:8b", "qwen3:32b"),
        ("Qwen3-8B-Q8_0", "SmolLM2-1.7B-Instruct-Q4_K_M"),
        (Loaded("ollama/phi4:14b", 16_384, ("cursor",), 0.7),),
        swells=True,
    ),
    MachineSpec(
        "laptop-secondary", "cwk-l-m3m-01", M3_MAX, "macOS 15.6",
        ("gemma3:12b", "llama3.1:8b"),
        ("Qwen3-8B-Q8_0", "SmolLM2-1.7B-Instruct-Q4_K_M"),
        (Loaded("llamacpp/Qwen3-8B-Q8_0", 16_384, ("linus@sofa",), 0.5),),
        drops=True,
    ),
)  # fmt: skip
"""The fleet of the demonstration."""


def alike(count: int) -> tuple[MachineSpec, ...]:
    """So many machines for a measurement, which neither drop nor swell."""
    return tuple(
        MachineSpec(
            f"node-{number:03}",
            f"node-{number:03}",
            M2_ULTRA,
            "macOS 15.5",
            ("qwen3:32b", "gemma3:27b"),
            ("Qwen3-8B-Q8_0",),
            (Loaded("ollama/qwen3:32b", 8192, ("continue",), 0.8),),
        )
        for number in range(count)
    )
