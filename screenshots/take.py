"""Takes the pictures of every view, of the real program over the made-up fleet of `fleetview demo`.

Run it by `uv run --group dev python screenshots/take.py [NAME…]`. A view more is a line more in `PICTURES`.
"""

from __future__ import annotations

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import resvg_py
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.demo import SIGN, a_demo

FOLDER = Path(__file__).parent
SEED = "1"
SIZE = (120, 32)
LIMIT_SECONDS = 60.0
LIVELY_SECONDS = 8.0
"""After which the first charts have something to show."""
QUESTION = "Which models should stay in memory?"
CHAT = ("c", "wait:500")
FIRST_FONT = "DejaVu Sans Mono"
"""Has every sign that we draw; without it, what the system calls monospace is taken."""


@dataclass(frozen=True)
class Picture:
    """One view: the keys that lead to it from the fleet, and how long it then takes to be complete."""

    name: str
    keys: tuple[str, ...] = ()
    seconds: float = 1.5
    node: str = "head-primary"
    """Which is selected before."""
    has_png: bool = False


PICTURES = (
    Picture("fleet", has_png=True),
    Picture("node", ("d",), 2.0),
    Picture("picker", ("s", *"llama3.3"), 3.0, "worker-primary", has_png=True),
    Picture("models", ("2",)),
    Picture("logs", ("4",)),
    Picture("journal", ("5",)),
    Picture("why", ("exclamation_mark",), node="worker-secondary"),
    Picture("help", ("question_mark",)),
    Picture("chat", (*CHAT, *QUESTION, "enter"), 12.0, "laptop-primary", has_png=True),
    Picture("targets", (*CHAT, "ctrl+t"), 1.5, "laptop-primary"),
    Picture(
        "side-by-side",
        (*CHAT, "ctrl+t", "wait:800", "space", "enter", "wait:800", *QUESTION, "enter"),
        12.0,
        "laptop-primary",
    ),
)


async def take(names: tuple[str, ...]) -> None:
    """Use the program as its operator would, and take a picture of each view that is wanted."""
    for picture in PICTURES:
        if not names or picture.name in names:
            with a_demo(SEED) as (demo, _):
                app = FleetApp(demo.config, demo.link, author="ada@desk")
                app.sub_title = SIGN
                async with app.run_test(size=SIZE) as pilot:
                    await _lead(pilot, app, picture)
                    save(app.export_screenshot(), picture)


async def _lead(pilot: Pilot[None], app: FleetApp, picture: Picture) -> None:
    """Go to the view, once the whole fleet is there."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not all(node.sample for node in app.fleet.values()):
            await pilot.pause(0.1)
    await pilot.pause(LIVELY_SECONDS)
    await pilot.press(*["j"] * list(app.fleet).index(picture.node), *picture.keys)
    await pilot.pause(picture.seconds)


def save(svg: str, picture: Picture) -> None:
    """Keep the screen as a picture that fetches nothing when it is shown."""
    svg = re.sub(r"@font-face\s*{[^}]*}", "", svg)
    (FOLDER / f"{picture.name}.svg").write_text(svg)
    if picture.has_png:
        drawn = re.sub(r"font-family:[^;]*;", f"font-family: {FIRST_FONT}, monospace;", svg)
        (FOLDER / f"{picture.name}.png").write_bytes(resvg_py.svg_to_bytes(svg_string=drawn, zoom=1.0))


if __name__ == "__main__":
    asyncio.run(take(tuple(sys.argv[1:])))
