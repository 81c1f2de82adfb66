"""Colours or none, Unicode or ASCII: what goes to the terminal is what it can show."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.color import Color
from textual.driver import Driver
from textual.screen import Screen
from textual.theme import Theme

import fleetview
from fleetview.app import FleetApp
from fleetview.terminal import (
    KEY_WORDS,
    WITHOUT_COLORS,
    AsciiDriver,
    SixteenColors,
    as_ascii,
    driver,
    has_unicode,
)
from fleetview.themes import DARK, LIGHT, MONO
from tests.tui.fake_fleet import screen_text, settled, six_nodes, until

SOURCES = Path(fleetview.__file__).parent
ASCII = 127


@pytest.mark.parametrize(
    ("environment", "unicode"),
    [
        ({}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),
    ],
)
def test_the_locale_says_whether_there_is_unicode(environment: dict[str, str], unicode: bool) -> None:
    assert has_unicode(environment) is unicode


def test_the_locale_that_python_puts_in_place_of_c_is_not_taken_for_the_operators() -> None:
    assert not has_unicode({"LANG": "C", "LC_CTYPE": "C.UTF-8"})


def test_the_fleet_file_has_the_last_word() -> None:
    assert driver(None, {"LANG": "C"}) is AsciiDriver
    assert driver(None, {"LANG": "en_US.UTF-8"}) is None
    assert driver(True, {"LANG": "en_US.UTF-8"}) is AsciiDriver
    assert driver(False, {"LANG": "C"}) is None


def test_what_stands_for_a_character_takes_as_many_cells() -> None:
    text = "● up ▁▂▃▄▅▆▇█ 模型 – … ▸ │ café ☃"
    assert as_ascii(text).isascii()
    assert len(as_ascii(text)) == cell_len(text)


def test_escape_sequences_and_ascii_stay_as_they_are() -> None:
    text = "\x1b[1;1H\x1b[38;2;1;2;3mGPU 92%"
    assert as_ascii(text) is text


async def test_a_whole_screen_keeps_its_columns_in_ascii() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        lines = screen_text(app).splitlines()
    assert any("●" in line for line in lines)
    assert [len(as_ascii(line)) for line in lines] == [cell_len(line) for line in lines]
    states = {as_ascii(symbol) for symbol in "●◐!◌○…"}
    assert len(states) == len("●◐!◌○…")


def shown(style: Style) -> Style:
    """What is left of a style without colours."""
    (segment,) = WITHOUT_COLORS.apply([Segment("text", style)], Color(0, 0, 0))
    assert segment.style is not None
    return segment.style


def test_without_colours_brightness_becomes_bold_dim_and_reverse() -> None:
    assert shown(Style.parse("bold #ffffff on #000000")) == Style(bold=True, reverse=False)
    assert shown(Style.parse("#8a8a8a on #101010")).dim
    assert shown(Style.parse("#d0d0d0 on #444444")).reverse
    assert not shown(Style.parse("reverse #d0d0d0 on #444444")).reverse
    assert shown(Style.parse("reverse #d0d0d0 on #000000")).reverse


def test_without_colours_keys_and_what_is_hot_are_bold() -> None:
    assert shown(Style.parse("#ffffff on #101010")).bold
    assert not shown(Style.parse("#d0d0d0 on #101010")).bold


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_in_sixteen_colours_what_means_something_has_a_colour_of_its_own(theme: Theme) -> None:
    meant = [theme.foreground, theme.accent, theme.success, theme.warning, theme.error]
    told = [Segment("text", Style(color=color)) for color in meant]
    drawn = SixteenColors(theme).apply(told, Color(0, 0, 0))
    nearest = [one.style.color.downgrade(ColorSystem.STANDARD).number for one in drawn if one.style and one.style.color]
    assert len(set(nearest)) == len(meant)


def test_in_sixteen_colours_the_mono_theme_stays_without_any() -> None:
    told = [Segment("text", Style(color=color)) for color in (MONO.accent, MONO.success, MONO.error)]
    assert SixteenColors(MONO).apply(told, Color(0, 0, 0)) == told


async def test_no_color_sends_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        styles = [
            segment.style
            for strip in app.screen._compositor.render_strips(app.screen.size)
            for segment in strip
            if segment.style
        ]
    assert app.theme == "fleet-mono"
    assert {(style.color, style.bgcolor) for style in styles} == {(None, None)}
    assert any(style.reverse for style in styles), "the selected row stands out"


def test_every_character_that_is_drawn_has_one_that_stands_for_it() -> None:
    """What other programs write may be anything; what is written in our own files is known."""
    drawn = {char for file in SOURCES.rglob("*.py") for char in file.read_text(encoding="utf-8") if ord(char) > ASCII}
    assert {char for char in drawn if as_ascii(char) == "?"} <= set("◌�␣⇥⌫")
    assert {as_ascii(KEY_WORDS.get(char, char)).isascii() for char in drawn} == {True}


async def test_all_is_drawn_anew_when_the_shell_gives_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app = six_nodes().app()
    drawn: list[object] = []

    def draw(_app: FleetApp, _screen: Screen[object], update: object) -> None:
        drawn.append(update)

    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr(FleetApp, "_display", draw)
        app.post_message(Driver.SignalResume())
        await until(pilot, lambda: any(isinstance(one, LayoutUpdate) for one in drawn))
