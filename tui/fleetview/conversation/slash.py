"""Lines that begin with a slash: settings typed where prompts are typed. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fleetview.chats.records import Settings
from fleetview.chats.typed import SETTINGS

_NAMES = tuple(setting.name for setting in SETTINGS)
HELP = f"""\
/system TEXT        what the model keeps in mind; alone: nothing
/set NAME VALUE     how answers are made; without a value: the model's own way
                    {", ".join(_NAMES)}
/file PATH          put a text file in; @PATH within a prompt does too
/help               this

enter send · ctrl+j or \\ enter new line · ↑ edit and resend · ctrl+r search
ctrl+e editor · ctrl+t targets · ctrl+o settings · esc stop, leave the input
input left: n new · y copy · g again · f thoughts · h chats · x export"""


def obey(settings: Settings, line: str) -> tuple[Settings, str]:
    """Carry out a line that begins with a slash: the settings after it, and what to say about it.

    Raises ValueError with a sentence for people.
    """
    word, _, rest = line.strip().partition(" ")
    match word:
        case "/help":
            return settings, HELP
        case "/system":
            system = rest.strip() or None
            return replace(settings, system=system), "system prompt set" if system else "no system prompt"
        case "/set":
            return _set(settings, rest)
        case _:
            raise ValueError(f"{word} is not known here (/help lists what is; a space before the slash sends it)")


def _set(settings: Settings, rest: str) -> tuple[Settings, str]:
    """Change one number, or give it back to the model."""
    name, _, typed = rest.strip().partition(" ")
    setting = next((one for one in SETTINGS if one.name == name), None)
    if setting is None:
        *others, last = _NAMES
        raise ValueError(f"{name or 'nothing'} cannot be set ({', '.join(others)} and {last} can)")
    changed: dict[str, Any] = {name: (value := setting.value(typed))}  # Any: each setting has its own kind
    return replace(settings, **changed), f"{name}: the model's own" if value is None else f"{name} {value}"
