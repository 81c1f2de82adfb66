"""The line on top."""

from __future__ import annotations

from fleetview.widgets.lines import Lines


class StatusBar(Lines):
    """The fleet in one line."""
