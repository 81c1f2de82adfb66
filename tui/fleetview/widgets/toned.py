"""Lines of toned text as Textual draws them: the one place where a tone becomes a colour of the theme."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from fleetview.present.text import Line, Tone

STYLES: dict[Tone, str] = {
    "plain": "",
    "dim": "$text-muted",
    "strong": "bold",
    "accent": "$accent",
    "good": "$success",
    "warm": "$warning",
    "hot": "$error",
    "bar": "$accent on $panel",
    "bar-warm": "$warning on $panel",
    "bar-hot": "$error on $panel",
    "fill": "bold $fill-text on $fill",
    "spark": "$spark",
    "off": "$text-disabled",
    "heading": "$text-muted",
}


def content(line: Line) -> Content:
    """One line; its text is never read as markup."""
    return Content.assemble(*((text, STYLES[tone]) for text, tone in line))


def contents(lines: Iterable[Line]) -> Content:
    """Lines, one below the other."""
    return Content("\n").join([content(line) for line in lines])
