"""The line one types commands into."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from fleetview.widgets.search_line import SearchLine


class CommandInput(SearchLine):
    """Completes, and goes back to what was typed before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "do it", id="command.run", tooltip="Carry the line out."),
        Binding("tab", "screen.complete(1)", "complete", id="command.complete", tooltip="Complete the word."),
        Binding("shift+tab", "screen.complete(-1)", show=False, id="command.before", tooltip="The choice before."),
        Binding("up", "screen.recall(-1)", "earlier", id="command.earlier", tooltip="What was typed before."),
        Binding("down", "screen.recall(1)", show=False, id="command.later", tooltip="What was typed after that."),
    ]
