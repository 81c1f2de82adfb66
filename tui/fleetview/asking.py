"""What only the operator can answer, asked for in a dialog that takes no key meant for something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textual.app import App
from textual.screen import Screen
from textual.widgets import Input

from fleetview.paths import tilde
from fleetview.present import plain
from fleetview.screens.node_actions import NodeActions

if TYPE_CHECKING:
    from fleetview.remote.host_key import HostKey

QUIET_SECONDS = 1.0
"""How long no key may have been pressed before a dialog appears under the operator's hands."""
LOOK_SECONDS = 0.1
"""How often to look whether a dialog may appear, or has been left."""
NOTICE_SECONDS = 10.0

Answer = TypeVar("Answer")


class Asking:
    """Shows the questions of the network on the screen; called from workers of the app alone.

    The rule: a dialog appears over the fleet or a node, where nothing is being typed, and only when no key was pressed
    for a second. Until then the question waits, and a notice says so where the operator is busy elsewhere. Whoever
    asked is answered in every case: with no where the dialog is left in another way than by its keys.
    """

    def __init__(self, app: App[None], idle_seconds: Callable[[], float]) -> None:
        self._app = app
        self._idle_seconds = idle_seconds
        """Since the last key."""

    async def trust(self, node: str, key: HostKey) -> bool:
        """Whether this is the machine that is meant."""
        from fleetview.screens.trust_host import TrustHost  # the first paint does not wait for dialogs

        await self._turn(node, "asks whether its host key may be trusted: the question waits on the fleet screen")
        dialog = TrustHost(node, key.host, key.algorithm, key.fingerprint, tilde(key.file))
        return await self._answer(dialog) is True

    async def passphrase(self, node: str, file: Path, *, wrong: bool) -> str | None:
        """What opens the private key; None: the operator will not say."""
        from fleetview.screens.passphrase import Passphrase  # as above

        if not wrong:  # otherwise the operator is at it
            await self._turn(node, f"needs the passphrase of {tilde(file)}: the question waits on the fleet screen")
        return await self._answer(Passphrase(node, tilde(file), wrong=wrong))

    async def _turn(self, node: str, notice: str) -> None:
        """Return when a dialog steals no key."""
        told = False
        while not (free := self._free()) or self._idle_seconds() < QUIET_SECONDS:
            if not free and not told:
                told = True
                self._app.notify(plain(notice), title=plain(node), timeout=NOTICE_SECONDS, markup=False)
            await asyncio.sleep(LOOK_SECONDS)

    def _free(self) -> bool:
        """Whether the operator looks at the fleet or a node, and types nothing."""
        return isinstance(self._app.screen, NodeActions) and not isinstance(self._app.focused, Input)

    async def _answer(self, dialog: Screen[Answer]) -> Answer | None:
        """What the operator says; None where the dialog was taken away. Ends the dialog when nobody waits any more."""
        answer = self._app.push_screen(dialog, wait_for_dismiss=True)
        try:
            while not answer.done() and dialog in self._app.screen_stack:
                await asyncio.wait({answer}, timeout=LOOK_SECONDS)
        finally:
            if self._app.is_running and dialog.is_current:
                dialog.dismiss()
        return answer.result() if answer.done() else None
