"""What a broken pipe, a torn file or a mad driver makes of an output, and what no sample may ever say."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fleetview_agent.samplers.probing import ProbedSampler
from fleetview_agent.wire import Machine, Sample

POSSIBLE: Mapping[str, tuple[float, float]] = {
    "cpu_ratio": (0, 1),
    "cpu_celsius": (0.1, 150),
    "swap_used_bytes": (0, 2**60),
    "swap_bytes_per_second": (0, 1e12),
    "gpu_ratio": (0, 1),
    "gpu_memory_used_bytes": (0, 2**60),
    "gpu_memory_allocated_bytes": (0, 2**60),
    "gpu_memory_limit_bytes": (1, 2**60),
    "gpu_celsius": (0.1, 150),
    "gpu_hertz": (0, 1e11),
    "gpu_watts": (0, 20_000),
    "power_watts": (0, 20_000),
    "uptime_seconds": (0, 1e10),
}
FASTEST_FAN = 100_000
BESIDE = {"pressure_evidence": "pressure", "power_covers": "power_watts"}
NO_FIGURES = {"at", "interval_seconds", "gpu_memory_limit_inferred", "gpus", "sources", "reasons", "traffic"}
HUGE = (b"0", b"-1", b"nan", b"1e999", b"18446744073709551615", b"9" * 30, b"9" * 5000, b"-9" + b"0" * 300)

FACTOR = int(os.environ.get("FLEETVIEW_FUZZ", "1"))
"""Times as many cases as usual."""
WILD_NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.integers(-5, 200) | st.sampled_from((2**31, 2**32 - 1, 2**63))


def fuzz(cases: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Others each time; what fails is printed so that it can be repeated."""
    return settings(
        max_examples=cases * FACTOR,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@st.composite
def mutated(draw: st.DrawFn, original: bytes) -> bytes:
    """One to three things that went wrong with an output."""
    text = original
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(WAYS))(draw, text)
    return text


def _place(draw: st.DrawFn, text: bytes) -> int:
    return draw(st.integers(0, max(0, len(text) - 1)))


def _truncated(draw: st.DrawFn, text: bytes) -> bytes:
    return text[: _place(draw, text)]


def _flipped(draw: st.DrawFn, text: bytes) -> bytes:
    flipped = bytearray(text or b"\0")
    for _ in range(draw(st.integers(1, 4))):
        flipped[_place(draw, text)] ^= 1 << draw(st.integers(0, 7))
    return bytes(flipped)


def _without_a_part(draw: st.DrawFn, text: bytes) -> bytes:
    at = _place(draw, text)
    return text[:at] + text[at + draw(st.integers(1, 40)) :]


def _with_a_part_again(draw: st.DrawFn, text: bytes) -> bytes:
    at = _place(draw, text)
    part = text[at : at + draw(st.integers(1, 40))]
    return text[:at] + part * draw(st.integers(2, 50)) + text[at:]


def _in_another_order(draw: st.DrawFn, text: bytes) -> bytes:
    return b"".join(draw(st.permutations(text.splitlines(keepends=True)[:40])))


def _with_another_number(draw: st.DrawFn, text: bytes) -> bytes:
    spans = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end : end + 1].isdigit():
            end += 1
        if end > at:
            spans.append((at, end))
        at = max(end, at + 1)
    if not spans:
        return text
    begin, end = draw(st.sampled_from(spans))
    return text[:begin] + draw(st.sampled_from(HUGE)) + text[end:]


WAYS = (
    _truncated,
    _flipped,
    _without_a_part,
    _with_a_part_again,
    _in_another_order,
    _with_another_number,
    _with_another_number,  # the likeliest way past a parser
)


def assert_sane(sampler: ProbedSampler, sample: Sample) -> None:
    """Every figure is possible, or is missing with a reason; and no probe met what it had not expected."""
    for name in Sample.model_fields.keys() - NO_FIGURES:
        value = getattr(sample, name)
        if value is None:
            assert sample.reasons.get(BESIDE.get(name, name)), name
        else:
            assert name not in sample.reasons
            _assert_possible(sampler.machine, name, value)
    for gpu in sample.gpus:
        for name, value in gpu:
            if isinstance(value, int | float):
                _assert_possible(sampler.machine, f"gpu_{name}", value)
    for probe in sampler.probes:
        assert not any(f"{probe.name} failed: " in reason for reason in sample.reasons.values()), sample.reasons


def _assert_possible(machine: Machine, name: str, value: object) -> None:
    low, high = POSSIBLE.get(name, (-math.inf, math.inf))
    if name.startswith("memory_"):
        low, high = 0, machine.memory_bytes
    match value:
        case tuple():
            assert all(0 <= rpm <= FASTEST_FAN for rpm in value), name
        case int() | float():
            assert math.isfinite(value), name
            assert low <= value <= high, (name, value)


def figures(sample: Sample) -> set[str]:
    """The names of what has a value."""
    return {name for name in Sample.model_fields.keys() - NO_FIGURES if getattr(sample, name) is not None}


def in_turn(pieces: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """A mutation of one of these."""
    return st.sampled_from(pieces).flatmap(mutated)
