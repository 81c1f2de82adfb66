"""Numbers as people read them. Unknown is a dash, never zero."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fleetview.present.text import DASH

if TYPE_CHECKING:
    from fleetview_agent.wire import PowerCovers, Sample

GIB = 1 << 30
MIB = 1 << 20
GIGA, MEGA = 1e9, 1e6
_TEN = 9.95
"""From here on a number with one decimal would need another digit."""
_THOUSAND, _KIBI = 1000, 1024
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def size(amount: float | None) -> str:
    """Bytes in GiB written `G`: at most five characters from 0.1G to 9999G; smaller amounts in M."""
    if amount is None:
        return DASH
    if amount >= 1000 * GIB:
        return f"{amount / GIB / 1024:.1f}T"
    if amount >= _TEN * GIB:
        return f"{amount / GIB:.0f}G"
    if amount >= 0.95 * GIB:
        return f"{amount / GIB:.1f}G"
    if 0 < amount < MIB / 2:
        return "<1M"
    return f"{amount / MIB:.0f}M" if amount else "0"


def percent(ratio: float | None) -> str:
    """A ratio as a whole percentage."""
    return DASH if ratio is None else f"{ratio * 100:.0f}%"


def rate(per_second: float | None) -> str:
    """Tokens per second, with the decimals that matter."""
    if per_second is None:
        return DASH
    return f"{per_second:.0f}" if per_second >= _THOUSAND or per_second == 0 else f"{per_second:.1f}"


def watts(power: float | None) -> str:
    """Power, with its unit."""
    if power is None:
        return DASH
    return f"{power:.0f} W" if power >= _TEN else f"{power:.1f} W"


_COVERS: Mapping[PowerCovers | None, str] = {"system": "whole machine", "chip": "chip", "gpu": "GPU only", None: ""}
_COVERS_IN_SHORT: Mapping[PowerCovers | None, str] = {"system": "", "chip": "chip", "gpu": "GPU", None: ""}


def power(sample: Sample, *, short: bool = False) -> str:
    """What the machine draws, and how much of the machine that is."""
    covers = (_COVERS_IN_SHORT if short else _COVERS)[sample.power_covers]
    return f"{watts(sample.power_watts)} {covers}".rstrip()


def powers(samples: Iterable[Sample]) -> str | None:
    """What several machines draw: figures of different things are not added up. None: none of them tells."""
    drawn: dict[str, float] = {}
    for sample in samples:
        if sample.power_watts is not None:
            covers = _COVERS_IN_SHORT[sample.power_covers]
            drawn[covers] = drawn.get(covers, 0.0) + sample.power_watts
    return " + ".join(f"{watts(drawn[covers])} {covers}".rstrip() for covers in sorted(drawn)) or None


def hertz(frequency: float | None) -> str:
    """How fast something is clocked, with its unit."""
    if frequency is None:
        return DASH
    return f"{frequency / GIGA:.2f} GHz" if frequency >= GIGA else f"{frequency / MEGA:.0f} MHz"


def bandwidth(bytes_per_second: float | None) -> str:
    """What memory can move in a second, in the decimal units of its maker."""
    return DASH if bytes_per_second is None else f"{bytes_per_second / GIGA:.0f} GB/s"


def celsius(temperature: float | None) -> str:
    """Temperature, with its unit."""
    return DASH if temperature is None else f"{temperature:.0f} °C"


def duration(seconds: float | None) -> str:
    """How long something took or lasts, in its largest unit that matters."""
    if seconds is None:
        return DASH
    if seconds < _TEN:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"
    if seconds < _MINUTE - 0.5:
        return f"{seconds:.0f} s"
    return age(seconds)


def age(seconds: float) -> str:
    """How long ago, in one whole unit."""
    if seconds < _MINUTE:
        return f"{max(seconds, 0):.0f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h"
    return f"{seconds // _DAY:.0f} d"


def moment(at: float) -> str:
    """A date and a time of day, as the clocks here would have shown it; a dash for what no clock can show."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return DASH


def context(tokens: int | None) -> str:
    """A context size: 8192 is `8k`."""
    if tokens is None:
        return DASH
    return f"{tokens // _KIBI}k" if tokens >= _KIBI and tokens % _KIBI == 0 else str(tokens)


def count(amount: int, noun: str) -> str:
    """An amount of things: `1 alert`, `2 alerts`."""
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
