"""What the dashboard has of its terminal: a theme, colours or none, Unicode or ASCII."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import Binding
from textual.driver import Driver
from textual.filter import LineFilter

from fleetview.config import Ui
from fleetview.terminal import KEY_WORDS, WITHOUT_COLORS, SixteenColors, driver, use_mouse
from fleetview.themes import DARK, MONO, THEMES

logger = logging.getLogger(__name__)


class ThemedApp(App[None], inherit_bindings=False):
    """An app in our colours, or in none where `NO_COLOR` is set."""

    def __init__(self, ui: Ui) -> None:
        self._ascii = driver(ui.ascii)
        super().__init__(driver_class=self._ascii)
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        self.choose_theme(ui.theme)

    def _fatal_error(self) -> None:
        """After a mistake of ours a person gets a sentence, and the log the trace; Textual would print it all."""
        error = sys.exc_info()[1] or self._exception
        logger.error("the dashboard failed", exc_info=error)
        told = f"fleetview: an error in the dashboard: {type(error).__name__}: {error}; its trace is in the log"
        self.panic(Text(told))

    def choose_theme(self, name: str | None) -> None:
        """Take the theme of that name, or the usual one; where colours are not wanted, the one that has none."""
        self.theme = MONO.name if self.no_color else name or DARK.name

    def refresh_css(self, animate: bool = True) -> None:
        """Style everything anew; before the first screen no more is to be done than to know the theme's variables."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def get_key_display(self, binding: Binding) -> str:
        """How a key is written; in words where there is no sign for it."""
        shown = super().get_key_display(binding)
        return KEY_WORDS.get(shown, shown) if self._ascii else shown

    def use_mouse(self, wanted: bool) -> None:
        """Take the mouse from the terminal, or give it back."""
        use_mouse(self._driver, wanted)

    @on(Driver.SignalResume)
    def draw_whole(self) -> None:
        """Draw what did not change too: the terminal was another program's meanwhile."""
        self.refresh(layout=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line goes through on its way to the terminal."""
        if self.no_color:
            return (WITHOUT_COLORS,)
        usual = super().get_line_filters()
        if self.is_headless or self.console.color_system != "standard":
            return usual  # a picture is made without a terminal, whatever the one that it is asked for from can show
        return (*usual, SixteenColors(self.current_theme))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that are not ours."""
        theme = self.current_theme
        accent = theme.accent or theme.primary
        return {
            "row-selected": theme.surface or theme.primary,
            "spark": accent,
            "fill": theme.panel or accent,
            "fill-text": theme.foreground or accent,
        }
