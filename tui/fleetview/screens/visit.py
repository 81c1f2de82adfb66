"""Leaves the terminal to a shell on a node, and takes it back."""

from __future__ import annotations

import os

from textual.app import App, SuspendNotSupported

from fleetview import shell
from fleetview.config import NodeConfig


async def visit(app: App[None], node: NodeConfig) -> str | None:
    """Run a shell on the node until it ends; what is to be said of that. The fleet is heard of meanwhile."""
    command = shell.command_of(node, os.environ)
    try:
        with app.suspend(), app.batch_update():  # nothing is drawn over the shell
            status = await shell.run(command)
        if not shell.has_terminal():
            app.exit()
    except SuspendNotSupported:
        return "a shell needs a terminal of its own, which this is not"
    except OSError as problem:
        return f"{command[0]} cannot be started: {problem.strerror}"
    return shell.parting(command, status)
