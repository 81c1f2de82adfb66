"""What screens about the fleet have in common: the fleet, and when it is drawn."""

from __future__ import annotations

from textual.events import Key
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input

from fleetview.fleet import Fleet
from fleetview.present import plain
from fleetview.present.summary import View
from fleetview.screens.desk import Desk


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

    @property
    def view(self) -> View:
        """How the fleet is looked at, for the line on top."""
        pause = self.desk.config.keys.get("view.pause", "p")
        key = pause if isinstance(pause, str) else pause[0]
        return View(paused=self.paused, readonly=self.desk.readonly, pause=key, demo=bool(self.app.sub_title))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 -- Textual's
        """Where one types, the key of the filter is a letter."""
        return action != "filter" or not isinstance(self.focused, Input)

    def why_not(self, action: str) -> str | None:  # noqa: ARG002 -- screens whose keys depend on something have it here
        """Why an action cannot be done just now, in words; None when it can."""
        return None

    def on_key(self, event: Key) -> None:
        """A key that would do nothing says why."""
        found = self.active_bindings.get(event.key)
        if found is None or found.enabled or found.node is not self:
            return
        if reason := self.why_not(found.binding.action):
            event.stop()
            self.tell(reason)

    def tell(self, text: str, title: str = "") -> None:
        """Say something for a moment; nothing in it is markup."""
        self.app.notify(plain(text), title=plain(title), severity="warning", markup=False)

    def draw(self) -> None:
        """Show the fleet of `shown`; screens say how."""

    def drawn(self) -> None:
        """The fleet has been drawn; screens say what follows."""

    def on_screen_resume(self) -> None:
        """Show what was missed while another screen was on top."""
        self._draw_now()

    def watch_fleet(self, fleet: Fleet) -> None:  # noqa: ARG002 -- screens that want it have it here
        """Something is no longer what it was; the app says so once a frame."""
        self._draw_seen()

    def watch_now(self) -> None:
        """Time has gone on: ages have."""
        self._draw_seen()

    def watch_paused(self, paused: bool) -> None:
        """The picture stays, or goes on."""
        if paused:
            self.draw()
        else:
            self._draw_now()

    def _draw_seen(self) -> None:
        """Draw the fleet as it is where that can be seen."""
        if self.is_mounted and self.is_current and not self.paused:
            self._draw_now()

    def _draw_now(self) -> None:
        """Draw the fleet as it is."""
        if not self.paused or not self.shown:
            self.shown, self.shown_at = self.fleet, self.now
        self.draw()
        self.drawn()
