"""The selected node where there is room below the fleet: what is hot about it, section by section."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.node.detail import Asked, page, sections
from fleetview.present.text import Line

_ASKED = Asked(is_whole=False)
_FEWEST = 3
"""Lines of a section that are worth their heading."""
_REST: Line = ((" d shows the rest", "dim"),)


def overview(node: NodeState, now: float, width: int, height: int) -> tuple[Line, ...]:
    """What a node's description begins with, in at most `height` lines; the last sections give way first."""
    lines, starts = page(sections(node, now, width, _ASKED))
    if len(lines) <= height:
        return lines
    end = height - 2  # an empty line, and the one that says that there is more
    begun = max((start for start in starts if start <= end), default=0)
    if begun and end - begun < _FEWEST:
        end = begun - 1
    return (*lines[:end], (), _REST)
