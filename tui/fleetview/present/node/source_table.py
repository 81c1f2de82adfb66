"""Every figure of a machine by itself: what it is now, and where it is read or why it is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleetview.fleet import NodeState
from fleetview.present.node.readings import LABELS, UNTOLD
from fleetview.present.numbers import age, celsius, hertz, percent, size, watts
from fleetview.present.text import DASH, Line, Tone, left, plain, right
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import Sample

TITLE = "every figure"
_LABEL, _VALUE = 22, 10
_ROOMY = 76
_NARROW = 56
"""Cells under which the source has a line of its own."""
_Word = Callable[[Sample], str]


def _of(field: str, word: Callable[[float | None], str]) -> _Word:
    """How the value of a field is written."""

    def written(sample: Sample) -> str:
        value = getattr(sample, field)
        return DASH if value is None else word(value)

    return written


def _fans(sample: Sample) -> str:
    """How fast they turn."""
    if sample.fans_rpm is None:
        return DASH
    return f"{max(sample.fans_rpm):.0f} rpm" if sample.fans_rpm else "none"


def _flow(per_second: float | None) -> str:
    """Bytes per second."""
    return f"{size(per_second)}/s"


_WORDS: Mapping[str, _Word] = {
    **{name: _of(name, percent) for name in ("gpu_ratio", "cpu_ratio")},
    **{name: _of(name, size) for name in LABELS if name.endswith("_bytes")},
    **{name: _of(name, celsius) for name in ("gpu_celsius", "cpu_celsius")},
    **{name: _of(name, watts) for name in ("power_watts", "gpu_watts")},
    "pressure": lambda sample: sample.pressure or DASH,
    "thermal_state": lambda sample: sample.thermal_state or DASH,
    "swap_bytes_per_second": _of("swap_bytes_per_second", _flow),
    "gpu_hertz": _of("gpu_hertz", hertz),
    "uptime_seconds": _of("uptime_seconds", lambda seconds: DASH if seconds is None else age(seconds)),
    "fans_rpm": _fans,
}
"""Field of `Sample` → how it is written."""


def source_table(node: NodeState, width: int) -> tuple[Line, ...]:
    """A row for each figure."""
    if (sample := node.sample) is None:
        return ()
    where = {**(node.machine.sources if node.machine else {}), **sample.sources}
    label_width = min(_LABEL, max(0, width - _VALUE))
    title: Line = (*left(((TITLE, "heading"),), label_width), *right((("now", "heading"),), _VALUE))
    about = "  where it is read, or why it is not known" if width >= _ROOMY else "  source or reason"
    lines: list[Line] = [(*title, (about if width >= _NARROW else "", "heading"))]
    for name, label in LABELS.items():
        value = _WORDS[name](sample)
        is_known = getattr(sample, name) is not None
        about = where.get(name, "its agent does not say where") if is_known else sample.reasons.get(name, UNTOLD)
        lines += _row(label, value, plain(about) or DASH, width, is_known=is_known)
    return tuple(lines)


def _row(label: str, value: str, about: str, width: int, *, is_known: bool) -> tuple[Line, ...]:
    """One figure, in as many lines as its source takes."""
    first: Line = (
        *left(((f"  {label}", "plain"),), min(_LABEL, max(0, width - _VALUE))),
        *right(((value, "strong" if is_known else "dim"),), _VALUE),
    )
    tone: Tone = "dim" if is_known else "warm"
    if width < _NARROW:
        return (first, *((("    ", "plain"), *line) for line in wrapped(((about, tone),), width - 4, 0)))
    beside = _LABEL + _VALUE + 2
    told = wrapped(((about, tone),), width - beside, 0)
    return ((*first, ("  ", "plain"), *told[0]), *(((" " * beside, "plain"), *line) for line in told[1:]))
