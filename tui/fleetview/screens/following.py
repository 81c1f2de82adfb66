"""What screens about the fleet have in common: the fleet, and when it is drawn."""

from __future__ import annotations

import time

from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input

from fleetview.fleet import Fleet
from fleetview.screens.desk import Desk

FRAME_SECONDS = 0.04
"""Changes that come closer together than this are drawn together."""


class FollowingScreen(Screen[None]):
    """A screen that shows the fleet as it is, unless the picture is to stay."""

    fleet: var[Fleet] = var(dict, init=False, always_update=True)
    """What is true; bound to the fleet of the app, and equal to the old one where its order alone is another."""
    now: var[float] = var(0.0, init=False)
    """The app's monotonic time, for ages; moves once a second."""
    paused: var[bool] = var(False, init=False)
    """True while the picture is to stay as it is."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.shown: Fleet = {}
        """The fleet as it stands on the screen."""
        self.shown_at = 0.0
        """`now` as it stands on the screen."""
        self._drawn_at = 0.0
        self._due = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Where one types, the key of the filter is a letter."""
        return action != "filter" or not isinstance(self.focused, Input)

    def draw(self) -> None:
        """Show the fleet of `shown`; screens say how."""

    def drawn(self) -> None:
        """The fleet has been drawn; screens say what follows."""

    def on_screen_resume(self) -> None:
        """Show what was missed while another screen was on top."""
        self._draw_now()

    def watch_fleet(self, fleet: Fleet) -> None:  # noqa: ARG002 -- screens that want it have it here
        """Something is no longer what it was."""
        self._schedule()

    def watch_now(self) -> None:
        """Time has gone on: ages have."""
        self._schedule()

    def watch_paused(self, paused: bool) -> None:
        """The picture stays, or goes on."""
        if paused:
            self.draw()
        else:
            self._draw_now()

    def _schedule(self) -> None:
        """Draw now, or together with what else comes within the frame."""
        if self._due or self.paused or not self.is_mounted or not self.is_current:
            return
        wait = self._drawn_at + FRAME_SECONDS - time.monotonic()
        if wait <= 0:
            self._draw_now()
        else:
            self._due = True
            self.set_timer(wait, self._draw_now)

    def _draw_now(self) -> None:
        """Draw the fleet as it is."""
        self._due = False
        self._drawn_at = time.monotonic()
        if not self.paused or not self.shown:
            self.shown, self.shown_at = self.fleet, self.now
        self.draw()
        self.drawn()
