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


def line_of(desk: Desk, typed: Typed) -> CommandLine:
    """What asks for a line that can be carried out."""

    def offered(line: str) -> Completion:
        return complete(line, Known(desk.fleet(), tuple(COLUMNS), known_themes()))

    def objection(line: str) -> str | None:
        try:
            understood(line, desk)
        except NotUnderstood as wrong:
            return str(wrong)
        return None

    return CommandLine(offered, objection, typed.lines)


async def carried_out(line: str, app: App[None], picture: Picture, desk: Desk, now: float) -> None:
    """Carry out a line, or say why it cannot be."""
    try:
        command = understood(line, desk)
    except NotUnderstood as wrong:
        app.notify(plain(str(wrong)), severity="warning", markup=False)
        return
    await perform(Doing(command, app, picture, desk, now))
