"""Our themes: what is written in them can be read, and what means something can be told apart."""

from __future__ import annotations

from itertools import combinations

import pytest
from textual.color import Color
from textual.theme import Theme

from fleetview.themes import COLORBLIND, CONTRAST, DARK, MONO, THEMES

READABLE = 4.5
"""WCAG 2.2, level AA."""
HIGH = 7.0
"""Level AAA."""
SEEN_BY_THE_COLORBLIND = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
"""Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB."""


def linear(color: str) -> tuple[float, float, float]:
    """The light of a colour."""
    parts = (part / 255 for part in Color.parse(color).rgb)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    lights = sorted(
        sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def written(theme: Theme) -> dict[str, str]:
    """Every colour that text is written in."""
    names = ("foreground", "accent", "success", "warning", "error")
    return {**{name: str(getattr(theme, name)) for name in names}, "text-muted": theme.variables["text-muted"]}


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_background(theme: Theme) -> None:
    least = HIGH if theme is CONTRAST else READABLE
    grounds = (str(theme.background), str(theme.surface), theme.variables["row-selected"])
    poor = {
        (name, ground): round(contrast(color, ground), 2)
        for name, color in written(theme).items()
        for ground in grounds
        if contrast(color, ground) < least
    }
    quiet_on_selected = {("text-muted", grounds[2])}  # it is quiet on purpose, and the row has its mark
    assert set(poor) <= (set() if theme is CONTRAST else quiet_on_selected), poor
    assert contrast(theme.variables["fill-text"], theme.variables["fill"]) >= READABLE


@pytest.mark.parametrize("kind", SEEN_BY_THE_COLORBLIND)
def test_good_warm_and_hot_differ_for_the_colour_blind(kind: str) -> None:
    matrix = SEEN_BY_THE_COLORBLIND[kind]

    def seen(color: str) -> tuple[float, ...]:
        light = linear(color)
        return tuple(sum(w * part for w, part in zip(row, light, strict=True)) for row in matrix)

    def nearest(theme: Theme) -> float:
        meaning = [seen(str(color)) for color in (theme.success, theme.warning, theme.error)]
        return min(sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in combinations(meaning, 2))

    assert nearest(COLORBLIND) > 0.3
    assert nearest(COLORBLIND) > 2 * nearest(DARK)


def test_the_mono_theme_has_no_colour() -> None:
    colours = [*written(MONO).values(), *MONO.variables.values(), str(MONO.panel), str(MONO.surface)]
    assert all(len(set(Color.parse(colour).rgb)) == 1 for colour in colours)


def test_every_theme_has_the_same_variables() -> None:
    assert {frozenset(theme.variables) for theme in THEMES} == {frozenset(DARK.variables)}
