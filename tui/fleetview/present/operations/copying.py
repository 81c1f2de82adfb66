"""Where a model can be copied to, and what that would take, in words."""

from __future__ import annotations

from dataclasses import dataclass

from fleetview.present.numbers import count, percent, size
from fleetview.present.text import DASH, Line, Span, cut, cut_line, left, plain, width_of
from fleetview_agent.wire import CopyRequest, Plan

_LONGEST_NAME = 20


@dataclass(frozen=True)
class Target:
    """A node that the model could go to."""

    node: str
    away: str | None = None
    """Why it cannot be asked."""
    marked: bool = False
    plan: Plan | None = None
    trouble: str | None = None
    """Why there is no plan."""

    @property
    def refusal(self) -> str | None:
        """Why the model cannot go there; None where it can, or that is not known yet."""
        return self.away or self.trouble or (self.plan.refusal if self.plan else None)

    @property
    def ready(self) -> bool:
        """Whether its plan is known, and nothing stands in the way."""
        return self.plan is not None and self.refusal is None


def rows(
    targets: tuple[Target, ...], at: int, first: int, height: int, width: int, *, stuck: bool = False
) -> tuple[Line, ...]:
    """The nodes in view, each with a box to mark and what would come; nothing where the files cannot be had."""
    longest = min(_LONGEST_NAME, max((width_of(((plain(one.node), "plain"),)) for one in targets), default=4))
    lines: list[Line] = []
    for place, one in enumerate(targets[first : first + height], first):
        chosen = place == at
        box: Span = ("[x] " if one.marked else "[ ] ", "accent" if one.marked else "dim")
        name: Span = (cut(plain(one.node), longest), "strong" if chosen else "plain")
        line: Line = (
            ("▸ " if chosen else "  ", "accent"),
            box,
            *left((name,), longest),
            ("  ", "plain"),
            *_told(one, stuck=stuck),
        )
        lines.append(cut_line(line, width))
    return tuple(lines)


def _told(target: Target, *, stuck: bool) -> Line:
    """What is known of the copy to one node."""
    if target.refusal is not None:
        return ((plain(target.refusal), "warm" if target.away else "hot"),)
    if target.plan is None and stuck:
        return ((DASH, "dim"),)
    if target.plan is None:
        return (("planning …", "dim"),) if target.marked else (("space marks it", "dim"),)
    return (("✓ ", "good"), ("can come", "plain"))


@dataclass(frozen=True)
class Reading:
    """The files are read on a node, to know what would go over."""

    node: str
    ratio: float | None = None


def about(request: CopyRequest | None, size_bytes: int, reading: Reading | None) -> Line:
    """What would go over, or how far reading it is."""
    if request is not None:
        total = sum(part.size_bytes for part in request.parts)
        return ((f"{size(total)} in {count(len(request.parts), 'file')}, through this program", "plain"),)
    if reading is None:
        return ((size(size_bytes), "plain"),)
    how_far = "" if reading.ratio is None else f" {percent(reading.ratio)}"
    return ((f"{size(size_bytes)} · reading it on {plain(reading.node)}{how_far} …", "dim"),)


def summary(targets: tuple[Target, ...], request: CopyRequest) -> str:
    """What Enter would do."""
    total = sum(part.size_bytes for part in request.parts)
    names = ", ".join(plain(one.node) for one in targets)
    return f"enter copies {size(total * len(targets))} to {names}; it goes on while the dashboard runs"
