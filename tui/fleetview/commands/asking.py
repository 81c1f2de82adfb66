"""The command line, from the colon to what it does."""

from __future__ import annotations

from textual.app import App

from fleetview.commands.completing import Known, complete
from fleetview.commands.history import Typed
from fleetview.commands.performing import Doing, Picture, perform
from fleetview.commands.understanding import NotUnderstood, understood
from fleetview.present import plain
from fleetview.present.completion import Completion
from fleetview.present.table.columns import COLUMNS
from fleetview.screens.command_line import CommandLine
from fleetview.screens.desk import Desk
from fleetview.themes import known_themes


async def asked(app: App[None], picture: Picture, desk: Desk, typed: Typed, now: float) -> None:
    """Ask for a line, and carry it out."""

    def offered(line: str) -> Completion:
        return complete(line, Known(desk.fleet(), tuple(COLUMNS), known_themes()))

    def objection(line: str) -> str | None:
        try:
            understood(line, desk)
        except NotUnderstood as wrong:
            return str(wrong)
        return None

    line = await app.push_screen_wait(CommandLine(offered, objection, typed.lines))
    if line is None:
        return
    typed.note(line)
    await carried_out(line, app, picture, desk, now)


async def carried_out(line: str, app: App[None], picture: Picture, desk: Desk, now: float) -> None:
    """Carry out a line, or say why it cannot be."""
    try:
        command = understood(line, desk)
    except NotUnderstood as wrong:
        app.notify(plain(str(wrong)), severity="warning", markup=False)
        return
    await perform(Doing(command, app, picture, desk, now))
