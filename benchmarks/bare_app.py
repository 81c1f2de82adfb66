"""The least that a Textual app is: a line that says the time, once a second. What the dashboard is compared with."""

from __future__ import annotations

import time

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """Shows the time."""

    def compose(self) -> ComposeResult:
        """One line."""
        yield Static("bare", id="line")

    def on_mount(self) -> None:
        """Once a second."""
        self.animation_level = "none"
        self.set_interval(1.0, lambda: self.query_one("#line", Static).update(f"bare {time.time():.0f}"))


if __name__ == "__main__":
    BareApp().run(mouse=False)
