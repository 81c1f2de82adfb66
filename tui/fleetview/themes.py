"""The only colours: a quiet background, one accent, and three that mean something."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="fleet-dark",
    primary="#6cb2eb",
    secondary="#6cb2eb",
    accent="#6cb2eb",
    foreground="#c8d0d9",
    background="#141618",
    surface="#1b1e21",
    panel="#2c3035",
    boost="#22262a",
    success="#7cb68a",
    warning="#dba94b",
    error="#e8706f",
    dark=True,
    variables={
        "text-muted": "#8b939c",
        "text-disabled": "#565c63",
        "row-selected": "#282c31",
        "spark": "#4f83ab",
        "scrollbar": "#33383e",
        "scrollbar-hover": "#454b52",
        "scrollbar-active": "#454b52",
        "scrollbar-background": "#141618",
        "scrollbar-background-hover": "#141618",
        "scrollbar-background-active": "#141618",
    },
)
LIGHT = Theme(
    name="fleet-light",
    primary="#1f66ad",
    secondary="#1f66ad",
    accent="#1f66ad",
    foreground="#262b31",
    background="#fbfbf8",
    surface="#f1f1ef",
    panel="#dcddd6",
    boost="#e8e8e6",
    success="#2f7d46",
    warning="#9a6400",
    error="#bb2a28",
    dark=False,
    variables={
        "text-muted": "#666e78",
        "text-disabled": "#aab0b6",
        "row-selected": "#e2e4e6",
        "spark": "#6f9cc8",
        "scrollbar": "#d0d1ca",
        "scrollbar-hover": "#b9bab3",
        "scrollbar-active": "#b9bab3",
        "scrollbar-background": "#fbfbf8",
        "scrollbar-background-hover": "#fbfbf8",
        "scrollbar-background-active": "#fbfbf8",
    },
)
THEMES = (DARK, LIGHT)
