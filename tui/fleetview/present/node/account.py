"""What a machine is, besides what the first line about it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetview.present.numbers import bandwidth, count
from fleetview.present.text import Line, plain

if TYPE_CHECKING:
    from fleetview_agent.wire import Machine


def account(machine: Machine) -> tuple[Line, ...]:
    """Where the agent runs, and on what."""
    texts = (
        f"{plain(machine.user)}@{plain(machine.hostname)}",
        plain(machine.model or ""),
        "virtual machine" if machine.virtual else "",
        _cores(machine),
        _gpu(machine),
        f"{bandwidth(machine.memory_bytes_per_second)} memory" if machine.memory_bytes_per_second else "",
        f"agent {plain(machine.agent_version)}",
    )
    parts: list[Line] = [((text, "dim"),) for text in texts if text]
    if machine.simulated:
        parts.append((("simulated", "accent"),))
    return tuple(parts)


def _cores(machine: Machine) -> str:
    """How many cores, and of which kinds."""
    kinds = " + ".join(f"{number} {plain(kind).lower()}" for kind, number in machine.cpu_core_kinds.items())
    return f"{count(machine.cpu_cores, 'CPU core')}{f' ({kinds})' if kinds else ''}"


def _gpu(machine: Machine) -> str:
    """The GPUs; nothing where the chip's name says it all."""
    if machine.gpu is None:
        return "no GPU that can be seen"
    if machine.gpu == machine.chip:
        return "" if machine.gpu_cores else "GPU on the chip"
    cores = f", {count(machine.gpu_cores, 'core')}" if machine.gpu_cores else ""
    return f"{f'{machine.gpu_count} × ' if machine.gpu_count > 1 else ''}{plain(machine.gpu)}{cores}"
