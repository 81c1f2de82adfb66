"""Takes the pictures of the README, of the real program with a real model.

Run it by `uv run --extra demo python screenshots/take.py`.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.config import FleetConfig, read_config

FOLDER = Path(__file__).parent
SIZE = (100, 28)
MODELS = 2
LIMIT_SECONDS = 120.0
HISTORY_SECONDS = 20.0
QUESTION = "Write a Python function that adds two numbers, in a code block. Then explain it in one sentence."


async def until(pilot: Pilot[None], held: Callable[[], bool]) -> None:
    """Let the program go on until it holds."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not held():
            await pilot.pause(0.1)


def save(app: FleetApp, name: str) -> None:
    """Keep the screen as a picture that fetches nothing when it is shown."""
    picture = re.sub(r"@font-face\s*{[^}]*}", "", app.export_screenshot())
    (FOLDER / f"{name}.svg").write_text(picture)


async def take(config: FleetConfig) -> None:
    """Use the program as its operator would, and take a picture of each view."""
    app = FleetApp(config, author="ada@desk")
    (name,) = (node.name for node in config.nodes)

    def known() -> int:
        return sum(len(state.models) for state in app.fleet[name].backends.values())

    def answering() -> bool:
        sample = app.fleet[name].sample
        return sample is not None and any(row.in_flight for row in sample.traffic)

    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: known() == MODELS)
        await pilot.press("s", *"q4")
        await pilot.pause(1.0)
        await pilot.press("enter")
        await until(pilot, lambda: bool(app.fleet[name].ready))
        await pilot.press("c", *QUESTION, "enter")
        await until(pilot, answering)
        await until(pilot, lambda: not answering())
        await pilot.pause(1.0)
        save(app, "chat")
        await pilot.press("escape", "q")
        await pilot.pause(HISTORY_SECONDS)
        save(app, "fleet")
        await pilot.press("d")
        await pilot.pause(1.0)
        save(app, "node")
        await pilot.press("escape")
        await pilot.press("s", *"q8")
        await pilot.pause(2.0)
        save(app, "picker")


def main() -> None:
    """Take every picture in a home folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="fv-") as home:
        os.environ["HOME"] = home
        try:
            asyncio.run(take(read_config(None)))
        finally:
            subprocess.run([sys.executable, "-m", "fleetview_agent", "stop"], check=True)


if __name__ == "__main__":
    main()
