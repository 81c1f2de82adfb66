"""Keys by name: which ones there are, and which ones no action may have. Knows no screen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

FORBIDDEN: Mapping[str, str] = {
    r"ctrl\+b": "it is the prefix of tmux",
    r"ctrl\+a": "it is the prefix of screen, and of many a tmux",
    r"ctrl\+(space|at)": "it is the prefix of many a tmux, and nothing at all on some terminals",
    r"ctrl\+h": "terminals send it for Backspace",
    r"ctrl\+i": "terminals send it for Tab",
    r"ctrl\+(m|j)": "terminals send it for Enter",
    r"ctrl\+left_square_bracket": "terminals send it for Esc",
    r"ctrl\+(s|q)": "it halts and resumes the output of terminals",
    r"ctrl\+z": "it leads to the shell, and to nothing else",
    r"ctrl\+backslash": "it ends programs",
    r"ctrl\+d": "it is the end of input, and half a page down for fingers that know vim",
    r"ctrl\+(tab|enter|shift\+.+)|shift\+enter": "few terminals send it, and tmux often drops it",
    r"(ctrl\+)?alt\+.+": "it arrives as Esc and another key, which tmux may tear apart",
    r"f1[1-9]|f2\d|shift\+f\d+": "terminals and macOS keep it for themselves",
}
"""Patterns of keys, and why nothing is bound to them."""
EXCEPTIONS = frozenset({("chat.new_line", "ctrl+j"), ("app.suspend", "ctrl+z")})
"""The one action for which such a key is right."""

_EXTRA = {" ": "space", ",": "comma"}
"""Characters that Textual takes for the gaps of a list."""
_MODIFIERS = ("ctrl", "alt", "shift")
_KEYS = frozenset(key.value for key in Keys if not key.value.startswith("<")) | {*KEY_NAME_REPLACEMENTS.values()}


def normal(key: str) -> str:
    """A key as Textual names it: `?` is question_mark, and ctrl comes before shift."""
    if len(key) == 1:
        return _EXTRA.get(key) or next(iter(Binding.make_bindings((Binding(key, ""),)))).key
    *modifiers, name = key.split("+")
    if not modifiers or not name or not set(modifiers) <= set(_MODIFIERS):
        return key
    return "+".join((*(modifier for modifier in _MODIFIERS if modifier in modifiers), normal(name)))


def objection(action_id: str, written: str) -> str | None:
    """Why an action cannot have a key; None when it can."""
    key = normal(written)
    for pattern, why in FORBIDDEN.items():
        if re.fullmatch(pattern, key) and (action_id, key) not in EXCEPTIONS:
            return f"cannot be {written}: {why}"
    if re.fullmatch(r"shift\+.", key):
        return f"cannot be {written}: terminals send that as {key[-1].upper()}"
    if key in _KEYS or ("+" not in key and key_to_character(key) is not None):
        return None
    near = difflib.get_close_matches(key.lower(), sorted(_KEYS), n=1)
    return f"cannot be {written!r}: there is no such key" + (f"; did you mean {near[0]}?" if near else "")
