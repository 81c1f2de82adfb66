"""Who leaves the memory of a node, by name: a list in which one ticks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from fleetview.fleet import NodeState
from fleetview.present import plain, size
from fleetview.present.operations.plans import leaver
from fleetview.present.text import Line, cut_line
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines


class Leavers(ModalScreen[tuple[str, ...] | None]):
    """Hands back who is ticked, by `BACKEND/MODEL`; None where the operator leaves it as it was."""

    CSS_PATH = "confirm.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take these", id="leavers.take", tooltip="Let those leave that are ticked."),
        Binding("space,x", "tick", "tick", id="leavers.tick", tooltip="Let it leave, or stay."),
        Binding("down,j", "move(1)", show=False, id="leavers.down", tooltip="The next model."),
        Binding("up,k", "move(-1)", show=False, id="leavers.up", tooltip="The model before."),
        Binding("escape,q", "dismiss(None)", "cancel", id="leavers.cancel", tooltip="Leave it as it was."),
    ]

    def __init__(self, node: NodeState, ticked: Iterable[str]) -> None:
        super().__init__()
        self._node = node
        self._names = tuple(f"{backend}/{model.name}" for backend, model in node.ready)
        self._ticked = set(ticked)
        self._at = 0

    def compose(self) -> ComposeResult:
        """The models in memory, then the keys."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(f"Who leaves {plain(self._node.name)}")
            yield Lines(id="lines")
            yield KeyHints()

    def on_resize(self) -> None:
        """As wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Show who is ticked; the tick is a letter, so that it is seen without colour."""
        lines = self.query_one(Lines)
        lines.lines = tuple(cut_line(self._line(place), lines.size.width) for place in range(len(self._names)))

    def _line(self, place: int) -> Line:
        """One model, with what speaks for and against it."""
        name = self._names[place]
        tick = "[x] " if name in self._ticked else "[ ] "
        model = self._node.ready[place][1]
        words = f"{leaver(name, self._node, time.monotonic())}, {size(model.memory_bytes)}"
        marked = place == self._at
        return (("▸ " if marked else "  ", "accent"), (tick, "accent"), (words, "strong" if marked else "plain"))

    def action_tick(self) -> None:
        """Let it leave, or stay."""
        self._ticked ^= {self._names[self._at]}
        self._draw()

    def action_move(self, rows: int) -> None:
        """Another model."""
        self._at = min(max(self._at + rows, 0), len(self._names) - 1)
        self._draw()

    def action_take(self) -> None:
        """Hand back who is ticked, in the order of the list."""
        self.dismiss(tuple(name for name in self._names if name in self._ticked))
