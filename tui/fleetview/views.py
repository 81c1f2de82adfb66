"""Which screens there are beside the fleet, and which of them is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from textual.app import App
from textual.screen import Screen

from fleetview.messages import ChatRequested, LogsRequested
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.screens.node import NodeScreen

Build = Callable[[Desk], Screen[None]]


class Views:
    """Shows one screen over the fleet at a time; those with a digit stay as they were left."""

    def __init__(
        self, app: App[None], desk: Callable[[], Desk], follow: Callable[[FollowingScreen], Screen[None]]
    ) -> None:
        self._app = app
        self._desk = desk
        self._follow = follow
        self._last_chat: str | None = None

    async def fleet(self) -> None:
        """Back to the fleet."""
        while len(self._app.screen_stack) > 1:
            await self._app.pop_screen()

    async def show(self, name: str) -> None:
        """One of `VIEWS`, as it was left."""
        if not self._app.is_screen_installed(name):
            self._app.install_screen(self._followed(VIEWS[name](self._desk())), name)
        await self._over_the_fleet(name)

    async def node(self, name: str) -> None:
        """Everything about a node."""
        await self._over_the_fleet(self._followed(NodeScreen(self._desk(), name)))

    async def chat(self, wish: ChatRequested) -> None:
        """A chat with a model; one that was left goes on where it was."""
        from fleetview.screens.chat import ChatScreen  # brings Markdown, for which the first paint does not wait

        name = f"{wish.node} {wish.backend}/{wish.model}"
        if not self._app.is_screen_installed(name):
            ask = partial(self._desk().chat, wish.node)
            self._app.install_screen(ChatScreen(wish.node, wish.backend, wish.model, ask), name)
        self._last_chat = name
        await self._app.push_screen(name)

    async def last_chat(self) -> bool:
        """The chat that was open last; False where none was."""
        if self._last_chat is None:
            return False
        if self._app.get_screen(self._last_chat) not in self._app.screen_stack:
            await self._app.push_screen(self._last_chat)
        return True

    async def logs(self, wish: LogsRequested) -> None:  # noqa: ARG002 -- what of them is the screen's business
        """The logs of a node, or of one of its engines."""
        await self.show("logs")

    async def _over_the_fleet(self, screen: str | Screen[None]) -> None:
        """Show a screen from which one step back leads to the fleet."""
        if self._app.screen is (self._app.get_screen(screen) if isinstance(screen, str) else screen):
            return
        await self.fleet()
        await self._app.push_screen(screen)

    def _followed(self, screen: Screen[None]) -> Screen[None]:
        """The screen, which follows the fleet where it shows it."""
        if isinstance(screen, FollowingScreen):
            return self._follow(screen)
        return screen


VIEWS: Mapping[str, Build] = {}
"""Names of the views with a digit, beside fleet and chat → what makes their screens."""
