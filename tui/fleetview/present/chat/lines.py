"""The lines around a chat: what it is about, who is asked, and how. Pure."""

from __future__ import annotations

from fleetview.chats.records import Settings, Target
from fleetview.present.numbers import count
from fleetview.present.text import Line, cut, fitting, joined, plain, spread, width_of

COLUMN_WIDTH = 38
"""Cells that an answer needs to be read with ease."""
_MOST = 4
_TITLE = 40
_MORE: Line = (("▼ more below, G", "warm"),)


def columns(width: int, targets: int) -> int:
    """How many targets are shown side by side."""
    return max(1, min(targets, width // COLUMN_WIDTH, _MOST))


def heading(target: Target, width: int, *, below: bool = False, here: bool = False) -> Line:
    """Node and model of a column, whether keys mean it, and whether there is more below."""
    mark: Line = (("▸ ", "accent"),) if here else ()
    names = joined((((plain(target.node), "strong"),), ((plain(target.model), "accent"),)))
    return spread((*mark, *names), _MORE if below else (), width)


def place(
    title: str,
    targets: tuple[Target, ...],
    settings: Settings,
    width: int,
    *,
    shown: tuple[int, int] = (0, 0),
    below: bool = False,
) -> Line:
    """The first line of a chat; `shown` are the first and the last of many columns."""
    parts: list[Line] = [(("Chat", "strong"),)]
    if len(targets) == 1:
        (target,) = targets
        parts += [((plain(target.model), "accent"),), ((f"{plain(target.backend)} on {plain(target.node)}", "dim"),)]
    else:
        parts.append(((count(len(targets), "target"), "accent"),))
    if title:
        parts.append(((f'"{cut(plain(title), max(_TITLE, width // 3))}"', "dim"),))
    if told := settings_words(settings):
        parts.append(((told, "dim"),))
    end: Line = _MORE if below else ()
    first, last = shown
    if last - first + 1 < len(targets):
        end = ((f"[ {first}–{last} of {len(targets)} ]" if last > first else f"[ {first} of {len(targets)} ]", "warm"),)
    room = width - width_of(end) - 1 if end else width
    return spread(fitting(tuple(parts), room), end, width)


def settings_words(settings: Settings) -> str:
    """How models are asked, in a few words; nothing where it is their own way."""
    words = ["system prompt"] if settings.system else []
    words += [f"{name} {value}" for name, value in settings.asked.items()]
    return ", ".join(plain(word) for word in words)
