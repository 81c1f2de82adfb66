"""The line one types parts of a model's name into."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class ModelFilter(Input):
    """Takes parts of a name; Enter agrees to the plan.

    Enter belongs to the input and not to the screen, so that it cannot overtake the letters before it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "swap", id="pick.swap", tooltip="Carry out the plan that is shown."),
        *(
            Binding(key, f"screen.move('{way}')", show=False, id=f"pick.{way}", tooltip=tooltip)
            for key, way, tooltip in (
                ("down", "down", "The next model."),
                ("up", "up", "The model before."),
                ("pagedown", "page_down", "A page down."),
                ("pageup", "page_up", "A page up."),
            )
        ),
    ]

    def __init__(self) -> None:
        super().__init__(placeholder="part of a name", compact=True)
        self.cursor_blink = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a selection, ctrl+c is the app's."""
        if action == "copy":
            return not self.selection.is_empty
        return super().check_action(action, parameters)
