"""The lower third: the selected node in a few lines."""

from __future__ import annotations

from fleetview.widgets.lines import Lines


class NodePanel(Lines):
    """What moving the selection opens."""
