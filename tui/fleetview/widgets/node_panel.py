"""What stands below the fleet: the selected node in a few lines, or at length where there is room for that."""

from __future__ import annotations

from textual.events import Resize

from fleetview.fleet import NodeState
from fleetview.present.node.panel import panel
from fleetview.present.text import Line
from fleetview.widgets.lines import Lines

_ROOMY = 18
"""Lines from which charts and tables take the place of a summary."""


class NodePanel(Lines):
    """What moving the selection opens."""

    def __init__(self) -> None:
        super().__init__()
        self._node: NodeState | None = None
        self._now = 0.0
        self._made: object = None
        """What the lines were made of."""

    def show(self, node: NodeState | None, now: float) -> None:
        """Show this node as it is now."""
        self._node, self._now = node, now
        if (made := (node, now, self.size)) != self._made:
            self._made = made
            self.lines = self._told(node) if node and self.size.height else ()

    def on_resize(self, _event: Resize) -> None:
        """The rows above have become more, or fewer."""
        self.show(self._node, self._now)

    def _told(self, node: NodeState) -> tuple[Line, ...]:
        """As much as there is room for."""
        width, height = self.size
        if height < _ROOMY:
            return panel(node, self._now, width, height)
        from fleetview.present.node.overview import overview  # the first paint of a small pane does without charts

        return overview(node, self._now, width, height)
