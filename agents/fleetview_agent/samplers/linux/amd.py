"""Reads AMD's GPUs by the files of their driver, amdgpu."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetview_agent.samplers.linux.files import number, word
from fleetview_agent.samplers.linux.gpus import FIELDS, GpuFigures, GpuIdentity, combined
from fleetview_agent.samplers.probing import Probe, Reading, Unreadable

NAMES = "usr/share/libdrm/amdgpu.ids"
"""Which card has which name, by the graphics library that comes with every desktop and with ROCm."""
ASLEEP = "the card sleeps, and asking would wake it"


@dataclass(frozen=True)
class _Card:
    """One GPU, by the folder of its device."""

    device: Path
    sensors: Path | None
    in_processor: bool
    """Whether it is a part of the processor, and so takes the machine's memory besides what the firmware set apart."""


def amd_probe(root: Path) -> tuple[Probe, GpuIdentity] | None:
    """All cards together; None where there are none."""
    cards = _cards(root)
    if not cards:
        return None
    first, names = cards[0], _names(root)
    ((name, count),) = Counter(_name(card, names) for card in cards).most_common(1)
    identity = GpuIdentity(name, count, unified=first.in_processor and _mostly_shared(first))
    where = "amdgpu's files below /sys/class/drm"
    memory = "VRAM + GTT, of a GPU within the processor" if first.in_processor else "VRAM"
    sources = {
        **dict.fromkeys(FIELDS, where),
        "gpu_ratio": f"{where}, gpu_busy_percent",
        "gpu_memory_used_bytes": f"{where}, {memory}",
        "gpu_memory_limit_bytes": f"{where}, {memory}",
        "gpu_celsius": f"{where}, the hottest of edge, junction and memory",
        "fans_rpm": f"{where}, the fan of each card",
    }

    def read(_: object) -> Reading:
        found = _cards(root)  # they are numbered anew when the driver is loaded again
        if not found:
            raise Unreadable("the driver amdgpu is not loaded any more")
        return combined([_figures(_name(card, names), card) for card in found])

    return Probe("amdgpu", sources, read), identity


def _cards(root: Path) -> Sequence[_Card]:
    """The cards by their numbers; beside a real card, the small GPU of the processor is left out."""
    folders = [folder for folder in (root / "sys/class/drm").glob("card*") if folder.name[4:].isdecimal()]
    cards = [_card(folder / "device") for folder in sorted(folders, key=lambda folder: int(folder.name[4:]))]
    found = [card for card in cards if card is not None]
    return [card for card in found if not card.in_processor] or found


def _card(device: Path) -> _Card | None:
    """A device as a card; None where it is none of AMD's."""
    if not any((device / name).exists() for name in ("gpu_busy_percent", "mem_info_vram_total")):
        return None
    sensors = next(iter(sorted((device / "hwmon").glob("hwmon*"))), None)
    # The driver shows the voltage of the north bridge only where that is on the same chip.
    return _Card(device, sensors, sensors is not None and word(sensors / "in1_label") == "vddnb")


def _mostly_shared(card: _Card) -> bool:
    """Whether there is more of the machine's memory in what the GPU can have than was set apart for it."""
    try:
        return number(card.device / "mem_info_gtt_total") > number(card.device / "mem_info_vram_total")
    except (OSError, ValueError):
        return True


def _figures(name: str, card: _Card) -> GpuFigures:
    """What a card tells; each figure that fails costs no other, and a card that sleeps is left asleep."""
    device, sensors = card.device, card.sensors
    pools = ("vram", "gtt") if card.in_processor else ("vram",)
    asleep = word(device / "power/runtime_status") == "suspended"
    readers: Mapping[str, Callable[[], float]] = {
        "memory_used_bytes": lambda: sum(number(device / f"mem_info_{pool}_used") for pool in pools),
        "memory_limit_bytes": lambda: sum(number(device / f"mem_info_{pool}_total") for pool in pools),
        "ratio": lambda: number(device / "gpu_busy_percent") / 100,
        "celsius": lambda: max(_sensed(sensors, "temp*_input")) / 1000,
        "hertz": lambda: _sensed(sensors, "freq1_input")[0],
        "watts": lambda: _sensed(sensors, "power1_average", "power1_input")[0] / 1e6,
        "fan_rpm": lambda: _sensed(sensors, "fan1_input")[0],
    }
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for figure, read in readers.items():
        if asleep and not figure.startswith("memory_"):
            reasons[figure] = ASLEEP
            continue
        try:
            values[figure] = read()
        except Unreadable as why:
            reasons[figure] = str(why)
        except OSError as problem:
            reasons[figure] = f"the driver does not tell it: {problem.strerror or problem}"
        except ValueError:
            reasons[figure] = "the driver told no number"
    return GpuFigures(name, values, reasons)


def _sensed(sensors: Path | None, *patterns: str) -> list[int]:
    """What the files by the first pattern that has any tell. Raises Unreadable where none has."""
    for pattern in patterns:
        if found := sorted(sensors.glob(pattern)) if sensors else []:
            return [number(file) for file in found]
    raise Unreadable("the card has no such sensor")


def _names(root: Path) -> Mapping[tuple[str, ...], str]:
    """Number of a model and of its revision → name."""
    names: dict[tuple[str, ...], str] = {}
    for line in (word(root / NAMES) or "").splitlines():
        match [part.strip() for part in line.split(",", 2)]:
            case [model, revision, name]:
                names[model.lower(), revision.lower()] = name
    return names


def _name(card: _Card, names: Mapping[tuple[str, ...], str]) -> str:
    """The card's own name, else the one that is listed, else its numbers."""
    if name := word(card.device / "product_name"):
        return name
    vendor, model, revision = (
        (word(card.device / name) or "?").lower().removeprefix("0x") for name in ("vendor", "device", "revision")
    )
    return names.get((model, revision), f"AMD GPU {vendor}:{model}")
