"""The last line: the keys that matter now, read off the bindings of the screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.events import Mount, Resize
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input

from fleetview.present.text import Line, Span, cut, width_of
from fleetview.widgets.lines import Lines

_GAP: Span = ("  ", "plain")
OCCASIONAL = frozenset({"operation.cancel", "node.why"})
"""Keys that stand there only while they would do something."""


@dataclass(frozen=True)
class Key:
    """A key, what it does, and whether it would just now."""

    key: str
    label: str
    enabled: bool


def key_line(keys: tuple[Key, ...], width: int) -> Line:
    """As many keys as there is room for, the most important first; help, the last one, stays, a cell from the edge."""
    if not keys:
        return ()
    *others, last = (_hint(key) for key in keys)
    line: Line = ((" ", "plain"),)
    for hint in others:
        if width_of((*line, *hint, _GAP, *last)) >= width:
            break
        line = (*line, *hint, _GAP)
    return (*line, *last)


def key_lines(note: Line, keys: tuple[Key, ...], width: int) -> tuple[Line, ...]:
    """Every key, in as many lines as it takes, after a note."""
    margin: Span = (" ", "plain")
    lines: list[Line] = [(*note, margin)]
    for place, hint in enumerate(map(_hint, keys)):
        begun = (*lines[-1], *((_GAP,) if place else ()), *hint)
        if width_of(begun) <= width:
            lines[-1] = begun
        else:
            lines.append((margin, *hint))
    return tuple(lines)


def _hint(key: Key) -> Line:
    """One key in words; one that would do nothing is quiet."""
    if key.enabled:
        return ((key.key, "accent"), (f" {key.label}", "plain"))
    return ((f"{key.key} {key.label}", "off"),)


class KeyBar(Lines):
    """Which keys can be pressed on this screen."""

    note: var[str] = var("", init=False)
    """What stands before the keys."""

    def __init__(self, note: str = "") -> None:
        super().__init__()
        self.set_reactive(KeyBar.note, note)

    def watch_note(self) -> None:
        """The keys have more room, or less."""
        if self.is_mounted:
            self._follow(self.screen)

    def on_mount(self, _event: Mount) -> None:
        """Follow the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def on_resize(self, _event: Resize) -> None:
        """There is room for other keys."""
        self._follow(self.screen)

    @property
    def sign(self) -> Line:
        """What the whole program is, where that must be seen on every screen: a demonstration."""
        return ((" ", "plain"), (f"{self.app.sub_title} ", "accent")) if self.app.sub_title else ()

    def _follow(self, screen: Screen[object]) -> None:
        """Show the keys that are meant to be shown, one for each action."""
        shown: dict[str, Key] = {}
        typing = isinstance(screen.focused, Input)
        for _, binding, enabled, _ in screen.active_bindings.values():
            key = self.app.get_key_display(binding)
            is_letter = typing and len(key) == 1 and key.isascii()
            wanted = binding.show and not is_letter and (enabled or binding.id not in OCCASIONAL)
            if wanted and binding.action not in shown:
                shown[binding.action] = Key(key, binding.description, enabled)
        note: Line = (*self.sign, *(((f" {cut(self.note, self.size.width // 2)} ", "accent"),) if self.note else ()))
        self.lines = self.arranged(note, tuple(shown.values()))

    def arranged(self, note: Line, keys: tuple[Key, ...]) -> tuple[Line, ...]:
        """One line, of as many keys as there is room for."""
        return ((*note, *key_line(keys, self.size.width - width_of(note))),)


class Letters(KeyBar):
    """The keys of a question, every one of them; in a narrow pane in several lines."""

    def on_resize(self, _event: Resize) -> None:
        """Get as many rows as the lines for this width are; while rows are being given out none can be asked for."""
        self.call_after_refresh(self.refresh, layout=True)

    def arranged(self, note: Line, keys: tuple[Key, ...]) -> tuple[Line, ...]:
        """All keys: one that does not stand there cannot be guessed."""
        return key_lines(note, keys, self.size.width)
