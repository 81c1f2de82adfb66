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
