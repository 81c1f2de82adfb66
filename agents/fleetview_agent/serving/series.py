"""Every figure that Prometheus is given: its name, its labels, and where it comes from. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from fleetview_agent import wire
from fleetview_agent.counters import NEVER_ASKED, Answered, Counters

Row = tuple[tuple[str, ...], float | None]
"""Values of the labels, and the figure; one that is None is left out."""
MODEL = ("backend", "model")
GPU = ("gpu", "name")
_LEFT_OUT = "Left out where it cannot be read; GET /api/snapshot has its source, or the reason."
_VERBS = tuple(request.model_fields["verb"].default for request in get_args(get_args(wire.Request)[0]))


@dataclass(frozen=True)
class Node:
    """All that is told of: the newest state, and what has happened since the agent began."""

    snapshot: wire.Snapshot
    counters: Counters
    cut_off: int
    """Listeners that fell too far behind."""

    @property
    def sample(self) -> wire.Sample:
        """The newest reading."""
        return self.snapshot.samples[-1]


@dataclass(frozen=True)
class Series:
    """One metric, without the prefix that all of them have."""

    name: str
    about: str
    rows: Callable[[Node], Iterable[Row]]
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter", "info"] = "gauge"


def _figure(name: str, field: str, about: str) -> Series:
    """One number of the reading."""
    return Series(name, f"{about} {_LEFT_OUT}", lambda node: [((), getattr(node.sample, field))])


def _identity(name: str, about: str, get: Callable[[wire.Machine], float | None]) -> Series:
    """One number that never changes."""
    return Series(name, about, lambda node: [((), get(node.snapshot.machine))])


def _of_gpus(name: str, about: str, get: Callable[[wire.Gpu], float | None]) -> Series:
    """A number of each GPU, where there are several."""

    def rows(node: Node) -> Iterator[Row]:
        for index, gpu in enumerate(node.sample.gpus):
            yield (str(index), gpu.name), get(gpu)

    return Series(name, f"{about} Of each GPU, where there are several.", rows, GPU)


def _of_residents(name: str, about: str, get: Callable[[wire.ResidentModel], float | None]) -> Series:
    """A number of each model in memory."""

    def rows(node: Node) -> Iterator[Row]:
        for state in node.snapshot.backends:
            for row in state.resident:
                yield (state.backend, row.name), get(row)

    return Series(name, about, rows, MODEL)


def _of_traffic(name: str, about: str, get: Callable[[wire.Traffic], float | None]) -> Series:
    """A number of what each model does for its clients just now."""
    return Series(
        name, about, lambda node: [((row.backend, row.model), get(row)) for row in node.sample.traffic], MODEL
    )


def _answered(name: str, about: str, get: Callable[[Answered], int | None]) -> Series:
    """A count for each model that has answered, or could: a first answer is seen only beside the zero before it."""

    def rows(node: Node) -> Iterator[Row]:
        answered = dict(node.counters.models)
        if not node.counters.is_full:
            residents = [(state.backend, row.name) for state in node.snapshot.backends for row in state.resident]
            answered = dict.fromkeys(residents, NEVER_ASKED) | answered
        for model, counted in answered.items():
            yield model, get(counted)

    return Series(name, about, rows, MODEL, "counter")


def _one_of(value: str | None, choices: tuple[str, ...]) -> list[Row]:
    """One for the choice that it is, zero for the others; nothing where it is not known."""
    return [] if value is None else [((choice,), float(choice == value)) for choice in choices]


def _operations(node: Node) -> Iterator[Row]:
    """Every verb with every result."""
    for verb in _VERBS:
        for result in get_args(wire.Result):
            yield (verb, result), node.counters.operations.get((verb, result), 0)


def _build(node: Node) -> list[Row]:
    """The agent."""
    return [((node.snapshot.machine.agent_version,), 1)]


def _machine(node: Node) -> list[Row]:
    """What the machine is, in words."""
    one = node.snapshot.machine
    words = (one.hostname, one.platform, one.system, one.model or "", one.chip or "", one.gpu or "")
    return [((*words, str(one.simulated).lower()), 1)]


def _backends(node: Node) -> list[Row]:
    """What the backends are, in words."""
    return [((one.backend, one.version or "", one.supervisor or ""), 1) for one in node.snapshot.backends]


_AGENT = (
    Series("build_info", "The agent that tells all this.", _build, ("version",), "info"),
    Series("samples_total", "Readings of the machine.", lambda node: [((), node.counters.samples)], (), "counter"),
    Series(
        "listeners_cut_off_total",
        "Followers of the event stream that fell too far behind.",
        lambda node: [((), node.cut_off)],
        (),
        "counter",
    ),
    Series("reading_timestamp_seconds", "When the machine was read.", lambda node: [((), node.sample.at)]),
)
_MACHINE = (
    Series(
        "machine_info",
        "What the machine is; a word that is not known is empty.",
        _machine,
        ("hostname", "platform", "system", "model", "chip", "gpu", "simulated"),
        "info",
    ),
    _identity("cpu_cores", "Cores of the processor.", lambda one: one.cpu_cores),
    _identity("gpu_cores", "Cores of the GPU, where they are known.", lambda one: one.gpu_cores),
    _identity(
        "gpus", "GPUs of the kind that fleetview_machine_info names.", lambda one: one.gpu_count if one.gpu else None
    ),
    _identity("memory_size_bytes", "Memory of the machine.", lambda one: one.memory_bytes),
    _identity(
        "memory_bandwidth_bytes_per_second",
        "Bandwidth of the memory that models are read from, by its maker.",
        lambda one: one.memory_bytes_per_second,
    ),
)
_READING = (
    _figure("cpu_utilization_ratio", "cpu_ratio", "Share of the cores' time that was busy, since the reading before."),
    _figure("cpu_temperature_celsius", "cpu_celsius", "Temperature of the processor."),
    _figure("memory_used_bytes", "memory_used_bytes", "Memory in use."),
    _figure("memory_available_bytes", "memory_available_bytes", "Memory that programs can still have."),
    Series(
        "memory_pressure",
        f"One for the level of memory pressure by the platform's own word, zero for the others. {_LEFT_OUT}",
        lambda node: _one_of(node.sample.pressure, get_args(wire.Pressure)),
        ("level",),
    ),
    _figure("swap_used_bytes", "swap_used_bytes", "Swap in use."),
    _figure("swap_bytes_per_second", "swap_bytes_per_second", "Into and out of swap, since the reading before."),
    _figure(
        "gpu_utilization_ratio",
        "gpu_ratio",
        "Share of the time in which the GPU was busy, by its driver; of several, the mean.",
    ),
    _figure("gpu_memory_used_bytes", "gpu_memory_used_bytes", "Memory in use by the GPU; of several, the sum."),
    _figure(
        "gpu_memory_allocated_bytes",
        "gpu_memory_allocated_bytes",
        "GPU memory that programs have asked for, resident or not.",
    ),
    _figure("gpu_memory_limit_bytes", "gpu_memory_limit_bytes", "The most memory that the GPU can have."),
    Series(
        "gpu_memory_limit_inferred",
        "One where that limit is concluded from the size of the memory, zero where it was read.",
        lambda node: [((), float(node.sample.gpu_memory_limit_inferred))] if node.sample.gpu_memory_limit_bytes else [],
    ),
    _figure("gpu_temperature_celsius", "gpu_celsius", "Temperature of the GPU; of several, the hottest."),
    _figure("gpu_frequency_hertz", "gpu_hertz", "Clock of the GPU."),
    _figure("gpu_power_watts", "gpu_watts", "Power of the GPU."),
    Series(
        "power_watts",
        f"Power of what `covers` says: system, chip or gpu. {_LEFT_OUT}",
        lambda node: [((node.sample.power_covers or "",), node.sample.power_watts)],
        ("covers",),
    ),
    Series(
        "thermal_state",
        f"One for how much a Mac holds back because of heat, zero for the other words. {_LEFT_OUT}",
        lambda node: _one_of(node.sample.thermal_state, get_args(wire.ThermalState)),
        ("state",),
    ),
    Series(
        "fan_speed_rpm",
        f"Turns per minute of each fan. {_LEFT_OUT}",
        lambda node: [((str(index),), rpm) for index, rpm in enumerate(node.sample.fans_rpm or ())],
        ("fan",),
    ),
    _figure("uptime_seconds", "uptime_seconds", "Since the machine was started."),
    _of_gpus("gpu_device_utilization_ratio", "Share of the time in which it was busy.", lambda gpu: gpu.ratio),
    _of_gpus("gpu_device_memory_used_bytes", "Memory in use.", lambda gpu: gpu.memory_used_bytes),
    _of_gpus("gpu_device_memory_limit_bytes", "The most memory it can have.", lambda gpu: gpu.memory_limit_bytes),
    _of_gpus("gpu_device_temperature_celsius", "Temperature.", lambda gpu: gpu.celsius),
    _of_gpus("gpu_device_power_watts", "Power.", lambda gpu: gpu.watts),
)
_MODELS = (
    Series(
        "backend_ready",
        "One where the engine can answer; zero where it is stopped, missing or failed.",
        lambda node: [((one.backend,), float(one.phase == "ready")) for one in node.snapshot.backends],
        ("backend",),
    ),
    Series("backend_info", "The engine.", _backends, ("backend", "version", "supervisor"), "info"),
    _of_residents(
        "model_ready",
        "One where the model in memory can answer; zero while it comes or goes, or has failed.",
        lambda row: float(row.phase == "ready"),
    ),
    _of_residents("model_resident_bytes", "Weights, cache and buffers of a model.", lambda row: row.memory_bytes),
    _of_residents("model_gpu_memory_bytes", "The part of it in the GPU's memory.", lambda row: row.gpu_memory_bytes),
    _of_residents("model_context_tokens", "Context that the model was loaded with.", lambda row: row.context),
    _of_residents(
        "model_time_to_first_token_seconds", "Of the last request.", lambda row: row.time_to_first_token_seconds
    ),
    _of_traffic("model_in_flight_requests", "Requests being answered, whoever asked.", lambda row: row.in_flight),
    _of_traffic("model_queued_requests", "Requests waiting for their turn.", lambda row: row.queued),
    _of_traffic(
        "model_generation_tokens_per_second",
        "Tokens written, since the reading before. Zero: the model is idle.",
        lambda row: row.generation_tokens_per_second,
    ),
    _of_traffic(
        "model_prompt_tokens_per_second",
        "Uncached tokens of a prompt read; left out while none is being read.",
        lambda row: row.prompt_tokens_per_second,
    ),
)
_HAPPENED = (
    _answered("requests_total", "Requests that a model answered, whoever asked.", lambda one: one.requests),
    _answered(
        "prompt_tokens_total",
        "Tokens of their prompts, cached ones too; of requests whose engine told.",
        lambda one: one.prompt_tokens,
    ),
    _answered(
        "completion_tokens_total", "Tokens written; of requests whose engine told.", lambda one: one.completion_tokens
    ),
    Series(
        "operations_in_hand",
        "Changes of the node that wait or are under way.",
        lambda node: [((), len(node.snapshot.operations))],
    ),
    Series("operations_total", "Changes of the node that have ended.", _operations, ("verb", "result"), "counter"),
)
SERIES = (*_AGENT, *_MACHINE, *_READING, *_MODELS, *_HAPPENED)
"""All of them, in the order in which they are told."""
