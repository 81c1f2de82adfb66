"""A fleet with models of every state, for the Models view."""

from __future__ import annotations

from fleetview.fleet import LinkDown, LinkUp
from fleetview_agent.wire import BackendState, CopyRequest, ModelFile, ModelPart, ResidentModel, Snapshot, Transfer
from tests.builders import (
    AUTHOR,
    GIB,
    a_backend_state,
    a_machine,
    a_model_file,
    a_resident,
    a_sample,
    a_snapshot,
    a_traffic,
    an_operation,
)
from tests.tui.fake_fleet import FakeFleet

ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "delete")


def a_file(name: str, gib: float, **changes: object) -> ModelFile:
    """A file that is the same wherever it has this name."""
    return a_model_file(name, size_bytes=int(gib * GIB), **changes)


LLAMA = a_file("llama3.3:70b", 42.5)
QWEN = a_file("qwen3:32b", 18.8, context_length=40_960)
QWEN_GGUF = a_file("qwen3-32b.Q4_K_M", 18.8, context_length=40_960, identity=QWEN.identity)
GEMMA = a_file("gemma3:27b", 16.2, quantization="Q4_0")
GIANT = a_file("deepseek-r1:671b", 404.0, context_length=163_840)
PHI = a_file("phi4:14b", 9.1, context_length=16_384)
SMALL = a_file("SmolLM2-135M-Instruct.Q8_0", 0.14, quantization="Q8_0", context_length=8192)
BROKEN = a_file("nomic-embed-text:latest", 0.3, context_length=2048, refusal="it only makes embeddings")
PART = ModelPart(sha256="ab" * 32, size_bytes=int(16.2 * GIB), name="gemma3.gguf")


def ollama(*files: ModelFile, resident: tuple[ResidentModel, ...] = ()) -> BackendState:
    """An Ollama with these files."""
    return a_backend_state("ollama", version="0.33.0", models=files, resident=resident, abilities=ABILITIES)


def llamacpp(*files: ModelFile, resident: tuple[ResidentModel, ...] = ()) -> BackendState:
    """A llama.cpp with these files."""
    return a_backend_state(models=files, resident=resident, abilities=("pin", "unpin", "start", "stop", "restart"))


def holding(*backends: BackendState, **changes: object) -> Snapshot:
    """A node with these engines."""
    return a_snapshot(backends=backends, samples=(a_sample(traffic=()),), **changes)


def a_stocked_fleet() -> FakeFleet:
    """In memory, loading, failed, on the disk, on its way, absent, and a node that is down."""
    talking = a_traffic(backend="ollama", model="llama3.3:70b", in_flight=1, generation_tokens_per_second=14.2)
    giant = a_machine(chip="Apple M3 Ultra", gpu_cores=80, memory_bytes=512 * GIB, system="macOS 26.1")
    copying = an_operation(
        id="op-copy",
        request=CopyRequest(author=AUTHOR, backend="ollama", model="gemma3:27b", source="studio", parts=(PART,)),
        phase="copy",
        phases=(),
        progress=None,
        evictions=(),
        transfer=Transfer(done_bytes=6 * GIB, total_bytes=16 * GIB, bytes_per_second=90 << 20, seconds_left=110.0),
    )
    loaded = a_resident("llama3.3:70b", memory_bytes=45 * GIB, pinned=True, idle_seconds=None)
    loading = a_resident("qwen3-32b.Q4_K_M", phase="loading", progress=0.62, idle_seconds=None)
    return FakeFleet(
        {
            "head-primary": (
                LinkUp(),
                a_snapshot(
                    machine=giant,
                    backends=(
                        ollama(LLAMA, QWEN, GEMMA, GIANT, resident=(loaded,)),
                        llamacpp(SMALL, QWEN_GGUF, resident=(a_resident(SMALL.name, memory_bytes=GIB // 4),)),
                    ),
                    samples=(a_sample(traffic=(talking,)),),
                ),
            ),
            "head-secondary": (LinkUp(), holding(ollama(LLAMA, GIANT, PHI, BROKEN), llamacpp(SMALL), machine=giant)),
            "worker-primary": (LinkUp(), holding(ollama(QWEN), llamacpp(QWEN_GGUF, resident=(loading,)))),
            "worker-secondary": (
                LinkUp(),
                holding(ollama(PHI, resident=(a_resident("phi4:14b", phase="failed"),)), operations=(copying,)),
            ),
            "laptop-primary": (LinkUp(), holding(ollama(GEMMA, PHI, resident=(a_resident("phi4:14b", context=4096),)))),
            "laptop-secondary": (LinkDown("no route to host", 12.0),),
        }
    )
