"""Complete data for tests, each with keyword overrides for what a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from fleetview.fleet import NodeState
from fleetview_agent.wire import (
    BackendState,
    LoadOptions,
    LoadRequest,
    Machine,
    ModelFile,
    Operation,
    PhaseTime,
    Plan,
    ResidentModel,
    Sample,
    Served,
    Snapshot,
    SwapRequest,
    Traffic,
    UnloadRequest,
    Wire,
)

GIB = 1 << 30
AUTHOR = "ada@desk"
Model = TypeVar("Model", bound=Wire)


def a_machine(**changes: Any) -> Machine:
    """A Mac with 192 GiB."""
    machine = Machine(
        hostname="studio",
        user="operator",
        platform="darwin",
        system="macOS 15.6",
        chip="Apple M2 Ultra",
        model="Mac14,14",
        cpu_cores=24,
        cpu_core_kinds={"performance": 16, "efficiency": 8},
        memory_bytes=192 * GIB,
        gpu="Apple M2 Ultra",
        gpu_cores=76,
        agent_version="0.1.0",
        sources={"cpu_ratio": "a test"},
    )
    return _changed(machine, changes)


def a_sample(**changes: Any) -> Sample:
    """A reading without a gap."""
    sample = Sample(
        at=1_700_000_000.0,
        interval_seconds=1.0,
        cpu_ratio=0.25,
        cpu_celsius=48.0,
        memory_used_bytes=64 * GIB,
        memory_available_bytes=128 * GIB,
        pressure="normal",
        pressure_evidence="level 1, 66 % free",
        swap_used_bytes=0,
        swap_bytes_per_second=0.0,
        gpu_ratio=0.5,
        gpu_memory_used_bytes=40 * GIB,
        gpu_memory_allocated_bytes=44 * GIB,
        gpu_memory_limit_bytes=144 * GIB,
        gpu_celsius=52.0,
        gpu_hertz=900e6,
        gpu_watts=60.0,
        power_watts=95.0,
        power_covers="system",
        thermal_state="nominal",
        fans_rpm=(1200.0, 1210.0),
        uptime_seconds=86_400.0,
        traffic=(a_traffic(),),
    )
    return _changed(sample, changes)


def a_traffic(**changes: Any) -> Traffic:
    """An idle model."""
    return _changed(
        Traffic(backend="llamacpp", model="small", in_flight=0, generation_tokens_per_second=0.0),
        changes,
    )


def a_model_file(name: str = "small", **changes: Any) -> ModelFile:
    """A model that can be loaded."""
    model = ModelFile(
        name=name,
        size_bytes=4 * GIB,
        identity=f"gguf-{name}",
        path=f"/models/{name}.gguf",
        architecture="llama",
        quantization="Q4_K_M",
        context_length=131_072,
        default_context=8192,
    )
    return _changed(model, changes)


def a_resident(name: str = "small", **changes: Any) -> ResidentModel:
    """A model that is ready and idle."""
    model = ResidentModel(
        name=name,
        phase="ready",
        memory_bytes=5 * GIB,
        context=8192,
        quantization="Q4_K_M",
        idle_seconds=12.0,
        time_to_first_token_seconds=0.21,
        pid=4711,
    )
    return _changed(model, changes)


def a_backend_state(backend: str = "llamacpp", **changes: Any) -> BackendState:
    """A backend with two models, of which the first is resident."""
    state = BackendState(
        backend=backend,
        phase="ready",
        version="0.3.36",
        supervisor="fleetview-agent",
        models=(a_model_file(), a_model_file("large", size_bytes=40 * GIB)),
        resident=(a_resident(),),
    )
    return _changed(state, changes)


def a_snapshot(**changes: Any) -> Snapshot:
    """A node with one backend, one sample and nothing in hand."""
    return _changed(Snapshot(machine=a_machine(), backends=(a_backend_state(),), samples=(a_sample(),)), changes)


def a_served(**changes: Any) -> Served:
    """One answer."""
    served = Served(
        backend="llamacpp",
        model="small",
        author=AUTHOR,
        prompt_tokens=120,
        completion_tokens=240,
        time_to_first_token_seconds=0.21,
        tokens_per_second=48.5,
    )
    return _changed(served, changes)


def a_load_request(model: str = "large", **changes: Any) -> LoadRequest:
    """Load a model beside what is there."""
    return _changed(LoadRequest(author=AUTHOR, backend="llamacpp", model=model), changes)


def a_swap_request(model: str = "large", **changes: Any) -> SwapRequest:
    """Load a model in place of the one that was used least recently."""
    return _changed(SwapRequest(author=AUTHOR, backend="llamacpp", model=model, options=LoadOptions()), changes)


def an_unload_request(model: str = "small", **changes: Any) -> UnloadRequest:
    """Take a model out of memory."""
    return _changed(UnloadRequest(author=AUTHOR, backend="llamacpp", model=model), changes)


def a_plan(**changes: Any) -> Plan:
    """A swap that can be carried out."""
    plan = Plan(
        request=a_swap_request(),
        evictions=("llamacpp/small",),
        context=8192,
        need_bytes=43 * GIB,
        weights_bytes=40 * GIB,
        cache_bytes=2 * GIB,
        room_bytes=109 * GIB,
        memory_before_bytes=40 * GIB,
        memory_after_bytes=78 * GIB,
        memory_limit_bytes=144 * GIB,
        verdict="fits",
        confidence="computed",
        expected_seconds=12.0,
    )
    return _changed(plan, changes)


def an_operation(**changes: Any) -> Operation:
    """A swap that is loading."""
    operation = Operation(
        id="op-1",
        request=a_swap_request(),
        phase="load",
        phases=(
            PhaseTime(phase="plan", seconds=0.01),
            PhaseTime(phase="drain", seconds=0.0),
            PhaseTime(phase="evict", seconds=0.4),
            PhaseTime(phase="load"),
        ),
        progress=0.5,
        evictions=("llamacpp/small",),
        queued_at=1_700_000_000.0,
    )
    return _changed(operation, changes)


def a_node(name: str = "studio", **changes: Any) -> NodeState:
    """A node that is connected and was heard of at the time 100."""
    state = a_backend_state()
    node = NodeState(
        name=name,
        link="up",
        heard_at=100.0,
        link_since=0.0,
        machine=a_machine(hostname=name),
        backends={state.backend: state},
        backends_heard_at={state.backend: 100.0},
        samples=(a_sample(),),
    )
    return replace(node, **changes)


def _changed(model: Model, changes: dict[str, Any]) -> Model:
    """A checked copy of `model` with other values."""
    assert changes.keys() <= type(model).model_fields.keys(), "a builder was given a field that its model lacks"
    return type(model).model_validate({**dict(model), **changes})
