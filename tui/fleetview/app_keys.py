"""The keys that work on every screen."""

from __future__ import annotations

from textual.binding import Binding


def _own(key: str, action: str, label: str, action_id: str, tooltip: str, *, show: bool = False) -> Binding:
    """A key that works on every screen."""
    return Binding(key, action, label, id=action_id, tooltip=tooltip, show=show)


APP_KEYS = (
    _own("1", "fleet", "fleet", "view.fleet", "The fleet."),
    _own("2", "view('models')", "models", "view.models", "Every model on every node."),
    _own("3", "last_chat", "last chat", "view.chat", "The chat that was open last."),
    _own("4", "view('logs')", "logs", "view.logs", "What agents and engines write."),
    _own("5", "view('journal')", "journal", "view.journal", "The operations that have ended."),
    _own("p", "pause", "pause", "view.pause", "Let the picture stay as it is, or go on."),
    _own("q", "back_or_quit", "back", "app.back", "Back; at the fleet, twice: quit."),
    _own("ctrl+c", "ask_to_quit('ctrl+c')", "quit", "app.quit", "Twice: quit."),
    _own("ctrl+z", "suspend_process", "suspend", "app.suspend", "To the shell; fg comes back."),
    _own("ctrl+p", "command_palette", "palette", "app.palette", "Everything by name, to search in."),
    Binding(  # before which no letter that comes right behind it is heard as a key
        "colon",
        "command_line",
        "command",
        id="app.command",
        tooltip="A line that takes verbs and names.",
        priority=True,
    ),
    _own("question_mark", "help", "help", "app.help", "What the keys do.", show=True),
)
"""The last of them, help, always has room in the last line."""
