"""The only colours: a quiet background, one accent, and three that mean something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual.theme import BUILTIN_THEMES, Theme

from fleetview.config_errors import Finding, instead

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
        "fill": "#2f5a7d",
        "fill-text": "#ffffff",
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
    success="#24693a",
    warning="#825400",
    error="#bb2a28",
    dark=False,
    variables={
        "text-muted": "#666e78",
        "text-disabled": "#9aa0a7",
        "row-selected": "#e2e4e6",
        "spark": "#6f9cc8",
        "fill": "#bcd3ea",
        "fill-text": "#101418",
        "scrollbar": "#d0d1ca",
        "scrollbar-hover": "#b9bab3",
        "scrollbar-active": "#b9bab3",
        "scrollbar-background": "#fbfbf8",
        "scrollbar-background-hover": "#fbfbf8",
        "scrollbar-background-active": "#fbfbf8",
    },
)
CONTRAST = Theme(
    name="fleet-contrast",
    primary="#8fd3ff",
    secondary="#8fd3ff",
    accent="#8fd3ff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    boost="#1c1c1c",
    success="#5fff87",
    warning="#ffd75f",
    error="#ff9b94",
    dark=True,
    variables={
        "text-muted": "#d0d0d0",
        "text-disabled": "#a8a8a8",
        "row-selected": "#002a54",
        "spark": "#8fd3ff",
        "fill": "#00509e",
        "fill-text": "#ffffff",
        "scrollbar": "#8a8a8a",
        "scrollbar-hover": "#c0c0c0",
        "scrollbar-active": "#ffffff",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
    },
)
COLORBLIND = Theme(
    name="fleet-colorblind",  # blue, yellow and vermilion: the pairs that Okabe and Ito keep apart for everyone
    primary="#d7a3c4",
    secondary="#d7a3c4",
    accent="#d7a3c4",
    foreground="#c8d0d9",
    background="#141618",
    surface="#1b1e21",
    panel="#2c3035",
    boost="#22262a",
    success="#56b4e9",
    warning="#f0e442",
    error="#e67a38",
    dark=True,
    variables={
        **DARK.variables,
        "spark": "#9a7390",
        "fill": "#6b4a60",
    },
)
MONO = Theme(
    name="fleet-mono",
    primary="#ffffff",
    secondary="#ffffff",
    accent="#ffffff",
    foreground="#d0d0d0",
    background="#000000",
    surface="#101010",
    panel="#1c1c1c",
    boost="#181818",
    success="#d0d0d0",
    warning="#ffffff",
    error="#ffffff",
    dark=True,
    variables={
        "text-muted": "#9e9e9e",
        "text-disabled": "#6c6c6c",
        "row-selected": "#3a3a3a",
        "spark": "#a8a8a8",
        "fill": "#6c6c6c",
        "fill-text": "#ffffff",
        "scrollbar": "#585858",
        "scrollbar-hover": "#6c6c6c",
        "scrollbar-active": "#8a8a8a",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
    },
)
THEMES = (DARK, LIGHT, CONTRAST, COLORBLIND, MONO)


def known_themes() -> tuple[str, ...]:
    """Every theme that can be chosen: our own, then Textual's."""
    return (*(theme.name for theme in THEMES), *BUILTIN_THEMES)


def wrong_theme(
    document: Mapping[str, Any],
) -> Iterator[Finding]:  # Any: a parsed file, of which nothing is certain yet
    """A theme in a fleet file that there is not."""
    section = document.get("ui")
    theme = section.get("theme") if isinstance(section, Mapping) else None
    if isinstance(theme, str) and theme not in (known := known_themes()):
        hint = instead(theme, known, f"there are {', '.join(known)}")
        yield ("ui", "theme"), f"there is no theme {theme}{hint}"
