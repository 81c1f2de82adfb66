"""Which screens there are beside the fleet, and which of them is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual.app import App
from textual.screen import Screen

from fleetview.config import FleetConfig
from fleetview.fleet import Fleet
from fleetview.messages import ChatRequested, LogsRequested
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen

if TYPE_CHECKING:
    from fleetview.chats.records import Target
    from fleetview.conversation.dialogue import Dialogue
    from fleetview.conversation.dialogues import Dialogues
    from fleetview.screens.chat.targets import ChatTargets

Build = Callable[[Desk], Screen[None]]
CHATS_AS_LEFT = 8
"""Chats that are still as they were left when they are shown again; others begin at their end, with nothing typed."""


class Views:
    """Shows one screen over the fleet at a time; those with a digit stay as they were left."""

    def __init__(
        self, app: App[None], desk: Callable[[], Desk], follow: Callable[[FollowingScreen], Screen[None]]
    ) -> None:
        self._app = app
        self._desk = desk
        self._follow = follow
        self._kept: list[FollowingScreen] = []
        """Those that live on while they are not shown."""
        self._aiming: ChatTargets | None = None
        """The dialog that chooses whom the first chat is with, which follows the fleet."""
        self._chat_screens: tuple[str, ...] = ()
        """Names of the screens of chats, the one that was shown last being the last."""

    async def fleet(self) -> None:
        """Back to the fleet."""
        while len(self._app.screen_stack) > 1:
            await self._app.pop_screen()

    async def show(self, name: str) -> None:
        """One of `VIEWS`, as it was left."""
        if not self._app.is_screen_installed(name):
            self._keep(self._followed(VIEWS[name](self._desk())), name)
        await self._over_the_fleet(name)

    async def node(self, name: str) -> None:
        """Everything about a node."""
        from fleetview.screens.node import NodeScreen  # the first paint does not wait for it

        await self._over_the_fleet(self._followed(NodeScreen(self._desk(), name)))

    async def chat(self, wish: ChatRequested) -> None:
        """A chat with a model, or with several; one that was left goes on where it was, ready to be typed into."""
        await self._show_chat(self._chats.with_targets(wish.targets))
        await self._app.screen.run_action("type")

    async def last_chat(self) -> bool:
        """The chat that was open last, in an earlier run too, or else a choice; False where nobody can be asked."""
        if (last := self._chats.last) is not None:
            await self._show_chat(last)
            return True
        fleet = next((one.fleet for one in self._app.screen_stack if isinstance(one, FollowingScreen)), {})
        if not any(node.ready for node in fleet.values()):
            return False
        from fleetview.screens.chat.targets import ChatTargets  # the first paint does not wait for dialogs

        def chosen(targets: tuple[Target, ...] | None) -> None:
            self._aiming = None
            if targets:
                self._app.call_later(self._show_chat, self._chats.with_targets(targets))

        self._aiming = ChatTargets(fleet)
        await self._app.push_screen(self._aiming, chosen)
        return True

    async def _show_chat(self, dialogue: Dialogue) -> None:
        """Show a chat as it was left."""
        from fleetview.screens.chat.screen import ChatScreen  # brings Markdown, for which the first paint does not wait

        name = f"chat {id(dialogue)}"  # its screen has it, and so has the name no longer than it lives
        if not self._app.is_screen_installed(name):
            self._keep(self._followed(ChatScreen(self._desk(), dialogue, self._chats, self._show_chat)), name)
        await self._over_the_fleet(name)
        self._chat_screens = (*(one for one in self._chat_screens if one != name), name)
        await self._forget_chat_screens()

    async def _forget_chat_screens(self) -> None:
        """Take the oldest screens of chats down, since each holds all that it shows; chats themselves go on."""
        for name in self._chat_screens[:-CHATS_AS_LEFT]:
            screen = self._app.get_screen(name)
            self._app.uninstall_screen(name)
            await screen.remove()
        self._chat_screens = self._chat_screens[-CHATS_AS_LEFT:]

    @cached_property
    def _chats(self) -> Dialogues:
        """The chats of this run; what they ask goes on when their screens are left."""
        from fleetview.conversation.dialogues import Dialogues  # the first paint does not wait for chats

        desk = self._desk()
        return Dialogues(desk.chat, desk.chats, partial(self._app.run_worker, group="answers", exit_on_error=True))

    def follow(self, config: FleetConfig, fleet: Fleet, now: float) -> None:
        """Time has gone on."""
        if self._aiming is not None:
            self._aiming.fleet = fleet
        if "_chats" in self.__dict__:
            self._chats.follow(config, fleet, now)

    def renew(self, desk: Desk) -> None:
        """Give every screen what it now gets of the app, also those that are not shown."""
        shown = (screen for screen in self._app.screen_stack if isinstance(screen, FollowingScreen))
        for screen in (*shown, *self._kept):
            screen.desk = desk

    async def logs(self, wish: LogsRequested) -> None:
        """The logs of a node, or of one of its engines."""
        from fleetview.screens.logs import LogsScreen  # the first paint does not wait for it

        await self.show("logs")
        screen = self._app.get_screen("logs")
        assert isinstance(screen, LogsScreen)
        screen.choose(wish.node, wish.backend)

    async def _over_the_fleet(self, screen: str | Screen[None]) -> None:
        """Show a screen from which one step back leads to the fleet."""
        if self._app.screen is (self._app.get_screen(screen) if isinstance(screen, str) else screen):
            return
        await self.fleet()
        await self._app.push_screen(screen)

    def _keep(self, screen: Screen[None], name: str) -> None:
        """Let a screen live as long as the program."""
        self._app.install_screen(screen, name)
        if isinstance(screen, FollowingScreen):
            self._kept.append(screen)

    def _followed(self, screen: Screen[None]) -> Screen[None]:
        """The screen, which follows the fleet where it shows it."""
        if isinstance(screen, FollowingScreen):
            return self._follow(screen)
        return screen


def _logs(desk: Desk) -> Screen[None]:
    """What agents and engines write."""
    from fleetview.screens.logs import LogsScreen  # the first paint does not wait for it

    return LogsScreen(desk)


def _models(desk: Desk) -> Screen[None]:
    """Every model on every node."""
    from fleetview.screens.models.screen import ModelsScreen  # the first paint does not wait for it

    return ModelsScreen(desk)


def _journal(desk: Desk) -> Screen[None]:
    """What was done to the nodes."""
    from fleetview.screens.journal import JournalScreen  # the first paint does not wait for it

    return JournalScreen(desk)


VIEWS: Mapping[str, Build] = {
    "journal": _journal,
    "models": _models,
    "logs": _logs,
}
"""Names of the views with a digit, beside fleet and chat → what makes their screens."""
