"""What the terminal can show: colours or none, Unicode or ASCII alone. What it cannot is replaced on the way there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.theme import Theme

BRIGHT_BACKGROUND = 0.2
"""Where a background of the mono theme means something: a selected row, a filled bar."""
QUIET_TEXT = 0.6
"""Below this brightness a text of the mono theme is quiet."""
LOUD_TEXT = 0.95
"""Above it, it is a key, or hot."""
_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""What Python itself puts in place of the locale C (PEP 538)."""
_POOR = frozenset({"C", "POSIX"})
_REPLACED = {
    "█▉▊": "#",
    "▋▌▍": "=",
    "▎▏": "-",
    "▁": "_",
    "▂": ".",
    "▃": ":",
    "▄": "-",
    "▅": "=",
    "▆": "+",
    "▇": "*",
    "●◉◆": "*",
    "◐◑◒◓": "%",
    "◌": "?",
    "○": "o",
    "▲△↑": "^",
    "▼▽▾↓": "v",
    "▸►▶›→❯": ">",
    "◂◄◀‹←❮↶": "<",
    "·•∙": ".",
    "…±": "~",
    "–—─━╌┄═": "-",
    "│┃║╎┆▕": "|",
    "┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝": "+",
    "×✗✘✕": "x",
    "✓✔": "v",
    "‘’": "'",
    "“”„«»": '"',
    "\u00a0": " ",
    "░▒▓▔▀": "#",
    "⏎↵": "<",
    "⚑": "P",
    "°": "o",
}

KEY_WORDS = {"⏎": "enter", "⌫": "backspace", "␣": "space", "⇥": "tab"}
"""How keys are called where there are no signs for them."""


class _Ascii(dict[int, str]):
    """Character → what stands for it, in as many cells."""

    def __missing__(self, code: int) -> str:
        """ASCII is itself; of all else only the room it takes is known."""
        return chr(code) if code < 128 else "?" * get_character_cell_size(chr(code))  # noqa: PLR2004 -- where ASCII ends


_ASCII = _Ascii({ord(char): plain for chars, plain in _REPLACED.items() for char in chars})


def as_ascii(text: str) -> str:
    """The text in ASCII alone, cell for cell."""
    return text if text.isascii() else text.translate(_ASCII)


class AsciiDriver(LinuxDriver):
    """Writes nothing to the terminal but ASCII."""

    def write(self, data: str) -> None:
        """Replace what such a terminal does not know."""
        super().write(as_ascii(data))


def use_mouse(terminal: Driver | None, on: bool) -> None:
    """Take the mouse from the terminal, or give it back for selecting text."""
    if isinstance(terminal, LinuxDriver):
        # Textual decides this at the start, and offers nothing to decide it anew.
        terminal._mouse = True  # noqa: SLF001 -- as above
        terminal._enable_mouse_support() if on else terminal._disable_mouse_support()  # noqa: SLF001 -- as above
        terminal._mouse = on  # noqa: SLF001 -- as above


def driver(ascii_only: bool | None, environment: Mapping[str, str] = os.environ) -> type[Driver] | None:
    """How to write to the terminal, as the fleet file wishes or the locale allows; None: as Textual does."""
    return AsciiDriver if (not has_unicode(environment) if ascii_only is None else ascii_only) else None


def has_unicode(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale's characters are Unicode's; so it is taken to be where no locale is set at all."""
    kind, language = environment.get("LC_CTYPE", ""), environment.get("LANG", "")
    if kind in _COERCED and language in _POOR:
        kind = ""
    locale = environment.get("LC_ALL") or kind or language
    return not locale or "utf-8" in locale.casefold() or "utf8" in locale.casefold()


_BRIGHT = (14, 10, 11, 9)
"""Cyan, green, yellow and red as they are read on black."""
_DEEP = (4, 2, 3, 1)
"""Blue, green, brown and red as they are read on white."""


class WithoutColors(LineFilter):
    """Tells by bold, dim and reverse what the mono theme tells by brightness."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 -- Textual's signature
        """The line in the terminal's own two colours."""
        return [Segment(text, _colorless(style) if style else None) for text, style, _ in segments]


WITHOUT_COLORS = WithoutColors()


@lru_cache(1024)
def _colorless(style: Style) -> Style:
    """The style without its colours."""
    marked = _brightness(style.bgcolor) > BRIGHT_BACKGROUND
    quiet = style.color is not None and not marked and _brightness(style.color) < QUIET_TEXT
    loud = style.color is not None and not marked and _brightness(style.color) > LOUD_TEXT
    return Style(
        bold=style.bold or loud or None,
        dim=style.dim or quiet or None,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=marked != bool(style.reverse),
    )


class SixteenColors(LineFilter):
    """Gives the colours that mean something the terminal's own; the nearest of sixteen is grey for most of them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        meant = (theme.accent, theme.success, theme.warning, theme.error)
        own = zip(meant, _BRIGHT if theme.dark else _DEEP, strict=True)
        told_apart = len(set(meant)) == len(meant)  # mono tells nothing by its colours, and white must not become red
        self._own = {
            Color.parse(color).rich_color: RichColor.from_ansi(number) for color, number in own if color and told_apart
        }

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 -- Textual's signature
        """The line in colours that can be told apart."""
        return [Segment(text, self._recoloured(style) if style else None) for text, style, _ in segments]

    def _recoloured(self, style: Style) -> Style:
        """The style with the terminal's colour for what its own one means."""
        own = self._own.get(style.color) if style.color else None
        return style + Style(color=own) if own else style


def _brightness(color: RichColor | None) -> float:
    """From 0, black, to 1; what the terminal would choose is black."""
    if color is None or color.is_default:
        return 0.0
    return Color.from_rich_color(color).brightness
