"""What the keys do that work on every screen, and what is typed into the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.command import Provider
from textual.reactive import var

from fleetview.app_keys import APP_KEYS
from fleetview.commands.history import Typed
from fleetview.commands.palette import FleetCommands
from fleetview.fleet import Fleet
from fleetview.screens.desk import Desk
from fleetview.themed_app import ThemedApp
from fleetview.views import Views

SECOND_THOUGHT_SECONDS = 3.0
"""How long a first `q` waits for the second one."""


class ActingApp(ThemedApp, inherit_bindings=False):
    """An app with the keys of every screen."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {FleetCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS]

    fleet: var[Fleet] = var(dict, init=False, always_update=True)
    """What is true; made anew by `receive`, and by what changes the fleet itself."""
    now: var[float] = var(0.0, init=False)
    """The clock, once a second."""
    paused: var[bool] = var(False, init=False)
    """True while the picture is to stay as it is."""
    views: Views
    typed: Typed
    """What was typed into the command line."""
    clock: Callable[[], float]
    """The monotonic time."""
    desk: Callable[[], Desk]
    """What screens get of the app."""
    parting: Callable[[], str]
    """What leaving means for what is in hand."""
    _asked_to_quit_at: float | None = None

    async def action_fleet(self) -> None:
        """Back to the fleet."""
        await self.views.fleet()

    async def action_view(self, name: str) -> None:
        """One of the other views, as it was left."""
        await self.views.show(name)

    async def action_last_chat(self) -> None:
        """Back to the chat that was open last."""
        if not await self.views.last_chat():
            self.notify("no model is ready to chat with; s on a node loads one", markup=False)

    def action_pause(self) -> None:
        """Let the picture stay as it is, or go on."""
        self.paused = not self.paused

    async def action_back(self) -> None:
        """One step back; never out of the program."""
        if len(self.screen_stack) > 1:
            await self.pop_screen()

    async def action_back_or_quit(self) -> None:
        """One step back; at the fleet, out of the program when pressed twice."""
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        else:
            self.action_ask_to_quit("q")

    def action_ask_to_quit(self, key: str) -> None:
        """Quit when asked twice."""
        now = self.clock()
        if self._asked_to_quit_at is not None and now - self._asked_to_quit_at <= SECOND_THOUGHT_SECONDS:
            self.exit()
            return
        self._asked_to_quit_at = now
        self.notify(f"{key} again to quit; {self.parting()}", timeout=SECOND_THOUGHT_SECONDS, markup=False)

    def action_help(self) -> None:
        """What the keys of this screen do."""
        from fleetview.screens.help import Help, keys_of  # the first paint does not wait for it

        self.push_screen(Help(keys_of(self.screen)))

    @work(exclusive=True, group="command")
    async def run_line(self, line: str) -> None:
        """Carry out what could be typed into the command line."""
        from fleetview.commands.asking import carried_out  # as below

        await carried_out(line, self, self, self.desk(), self.now)

    async def action_command_line(self) -> None:
        """Take a line of verbs and names, and carry it out."""
        from fleetview.commands.asking import line_of  # brings every dialog, for which the first paint does not wait

        def taken(line: str | None) -> None:
            if line is not None:
                self.typed.note(line)
                self.run_line(line)

        await self.push_screen(line_of(self.desk(), self.typed), taken)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where one types, the key of the command line is a letter."""
        if action == "command_line" and self.focused and self.focused.check_consume_key("colon", ":"):
            return False
        return super().check_action(action, parameters)
