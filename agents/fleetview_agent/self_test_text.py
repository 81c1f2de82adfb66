"""The self-test for people: ASCII, and no wider than a terminal, so that it survives wherever it is pasted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from fleetview_agent.sample_text import name_of
from fleetview_agent.self_test import Cost, Report
from fleetview_agent.wire import Machine

WIDTH = 80
NAME_WIDTH = 24
VALUE_WIDTH = 17
WITH_ANOTHER = frozenset({"power_covers", "gpu_memory_limit_inferred"})
"""Fields that are told with the figure to which they belong."""
ASCII = str.maketrans({"–": "-", "°": "", "×": "x", "→": "->", "…": "..."})


def describe(report: Report) -> str:
    """First the machine, then each probe with its figures, then what nothing tells."""
    lines = [*_head(report), "", "Each source by itself: the median of so many readings, and its figures."]
    for trial in report.trials:
        pace = f", every {trial.every_seconds:g} s" if trial.every_seconds else ""
        lines += _rows(trial.probe, "", _cost(trial.cost) + pace)
        for figure in trial.figures:
            if figure.reason is None and figure.field not in WITH_ANOTHER:
                lines += _rows(f"  {name_of(figure.field)}", figure.shown, figure.source or "")
        reasons = {figure.field: figure.reason for figure in trial.figures if figure.reason is not None}
        lines += _silent(reasons)
    lines += ["", "All of them together, as the agent reads.", *_rows("sample", "", _cost(report.together))]
    lines += _silent(report.not_read)
    return "\n".join(lines).translate(ASCII).encode("ascii", "replace").decode()


def _head(report: Report) -> Iterator[str]:
    """What was read, and by what."""
    yield f"fleetview-agent {report.agent_version} self-test, Python {report.python} for {report.architecture}"
    if report.stand_in:
        yield "A LIBRARY STANDS IN FOR MACOS: nothing below was read of a real Mac."
    machine = report.machine
    kinds = ", ".join(f"{count} {kind}" for kind, count in machine.cpu_core_kinds.items())
    speed = f", {machine.memory_bytes_per_second / 1e9:g} GB/s" if machine.memory_bytes_per_second else ""
    yield from _rows("system", "", machine.system + (", in a virtual machine" if machine.virtual else ""))
    yield from _rows("model", "", machine.model or "-")
    yield from _rows("chip", "", f"{machine.chip or '-'}, {machine.cpu_cores} cores" + (f" ({kinds})" if kinds else ""))
    yield from _rows("memory", "", f"{machine.memory_bytes / (1 << 30):.2f}G{speed}")
    yield from _rows("GPU", "", _gpu(machine))
    for name, told in report.sought.items():
        yield from _rows(name, "", told or "not found")


def _gpu(machine: Machine) -> str:
    """What the GPUs are."""
    if machine.gpu is None:
        return "none that can be seen"
    count = f"{machine.gpu_count} x " if machine.gpu_count > 1 else ""
    cores = f", {machine.gpu_cores} cores" if machine.gpu_cores else ""
    return f"{count}{machine.gpu}{cores}, {'shares' if machine.unified_memory else 'has its own'} memory"


def _rows(name: str, value: str, told: str) -> list[str]:
    """A name, a value, and as many lines as it takes to say the rest; of a long value, the value alone."""
    begin, further = f"{name:<{NAME_WIDTH}}", " " * NAME_WIDTH
    if len(value) > VALUE_WIDTH:
        told = value
    elif value:
        begin, further = f"{begin}{value:>{VALUE_WIDTH}}  ", " " * (NAME_WIDTH + VALUE_WIDTH + 2)
    return textwrap.wrap(told, WIDTH, initial_indent=begin, subsequent_indent=further) or [begin.rstrip()]


def _silent(reasons: Mapping[str, str]) -> Iterator[str]:
    """Figures that there are not, those with the same reason together."""
    fields = [field for field in reasons if field not in WITH_ANOTHER]
    for reason in dict.fromkeys(reasons[field] for field in fields):
        names = ", ".join(name_of(field) for field in fields if reasons[field] == reason)
        yield from textwrap.wrap(f"- {names}: {reason}", WIDTH, initial_indent="  ", subsequent_indent="    ")


def _cost(cost: Cost) -> str:
    """What the readings took."""
    if cost.median_ms is None or cost.most_ms is None:
        return f"{cost.first_ms:.2f} ms, read once"
    return f"{cost.median_ms:.2f} ms (first {cost.first_ms:.2f}, most {cost.most_ms:.2f}) of {cost.readings}"
