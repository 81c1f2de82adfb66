"""What must hold of every screen, whatever texts it shows."""

from __future__ import annotations

from rich.cells import get_character_cell_size
from rich.style import Style
from textual.pilot import Pilot
from textual.screen import Screen

from fleetview.app import FleetApp
from tests.hostile_text import commands
from tests.tui.fake_fleet import until

SIZE = (120, 50)
Cell = tuple[str, Style]


def cells(app: FleetApp) -> list[list[Cell]]:
    """Every cell of the screen with its style; the second half of a wide character is empty."""
    rows: list[list[Cell]] = []
    for strip in app.screen._compositor.render_strips(app.screen.size):
        row: list[Cell] = []
        for text, style, _ in strip:
            look = style.clear_meta_and_links() if style else Style()
            for char in text:
                row += ((char, look), ("", look))[: get_character_cell_size(char)]
        rows.append(row)
    return rows


def assert_harmless(app: FleetApp, where: str, *, joined_characters: bool = False) -> None:
    """Nothing on the screen is obeyed or can be clicked, and every terminal finds its lines as wide as the screen.

    `joined_characters`: as people and models write them, such as emoji; how wide they are is the terminal's decision.
    """
    for strip in app.screen._compositor.render_strips(app.screen.size):
        text = strip.text
        assert commands(text) == set(), (where, text)
        assert strip.cell_length == app.size.width, (where, text)
        assert joined_characters or sum(map(get_character_cell_size, text)) == app.size.width, (where, text)
        for _, style, _ in strip:
            assert not style or (style.link is None and "@click" not in style.meta), (where, text)


async def shown(pilot: Pilot[None], screen: type[Screen[object]]) -> Screen[object]:
    """The screen of that kind, once it is on top and drawn."""
    await until(pilot, lambda: isinstance(pilot.app.screen, screen) and pilot.app.screen.is_mounted)
    await pilot.pause()
    return pilot.app.screen
