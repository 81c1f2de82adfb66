"""The dashboard: holds the fleet, owns the links, answers what screens ask for; draws nothing."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

from textual import on, work
from textual.events import Event, Key, Paste
from textual.screen import Screen
from textual.worker import Worker

from fleetview.acting_app import ActingApp
from fleetview.asking import Asking
from fleetview.author import author as operator
from fleetview.commands.history import Typed
from fleetview.config import ConfigError, FleetConfig
from fleetview.connections import Connections, Run
from fleetview.copying.copies import Copies
from fleetview.fleet import Change, Fleet, alerted, apply, described
from fleetview.frames import Frames
from fleetview.keymap import textual_keymap
from fleetview.last_known import LastKnown
from fleetview.links import OpenLink, kept_logins, real_links
from fleetview.messages import (
    CancelRequested,
    ChangeRequested,
    ChatRequested,
    LogsRequested,
    NodeRequested,
    RequestFailed,
    RetryRequested,
)
from fleetview.present import plain
from fleetview.present.farewell import farewell
from fleetview.present.fleet_file import news
from fleetview.present.operations.progress import told
from fleetview.present.text import visible
from fleetview.screens.desk import Desk
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.following import FollowingScreen
from fleetview.talk import Talk
from fleetview.views import Views
from fleetview.watching import LOOK_SECONDS, FleetFile

if TYPE_CHECKING:
    from fleetview.chats.store import ChatStore

TICK_SECONDS = 1.0
"""How often ages move on."""
APART_SECONDS = 0.02
"""Between those who are told that they have."""
Follower = Callable[[FleetConfig, Fleet, float], None]
"""Is called once a second with the fleet as it is; what it finds there is its own business."""


class FleetApp(ActingApp):
    """The dashboard of a fleet."""

    TITLE = "fleetview"
    CSS_PATH = "fleetview.tcss"

    def __init__(  # noqa: PLR0913 -- one for each of its surroundings, which only tests leave out
        self,
        config: FleetConfig,
        links: OpenLink | None = None,
        *,
        author: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        readonly: bool = False,
        memory: LastKnown | None = None,
        fleet_file: FleetFile | None = None,
        chats: Callable[[], ChatStore] | None = None,
    ) -> None:
        super().__init__(config.ui)
        self.config = config
        self._author = author or operator()
        self.clock = clock
        self._readonly = readonly
        logins = kept_logins(Asking(self, self.idle_seconds))
        self._connections = Connections(links or real_links(logins), self.receive, self._follow)
        self._talk = Talk(self._connections, self._author, readonly=readonly)
        self._copies = Copies(lambda: self.config, logins, self._author, self._follow, self.tell)
        self._memory = memory or LastKnown()
        self._fleet_file = fleet_file
        self._open_chats = chats
        self.views = Views(self, self.desk, self.following)
        self.followers: list[Follower] = [self.views.follow]
        self.typed = Typed()
        self._pressed_at = -math.inf
        self._frames = Frames(partial(self.mutate_reactive, FleetApp.fleet), self.set_timer)
        self.set_reactive(FleetApp.fleet, described(config))
        self.set_reactive(FleetApp.now, clock())
        self.set_keymap(textual_keymap(config.keys))

    @property
    def farewell(self) -> str | None:
        """What stays on the agents that were started here; None when nothing does."""
        own = (node.name for node in self.config.nodes if node.local and node.socket is None)
        return farewell(self.fleet[name] for name in own)

    def get_default_screen(self) -> Screen[None]:
        """The fleet."""
        return self.following(FleetScreen(self.desk()))

    def following(self, screen: FollowingScreen) -> FollowingScreen:
        """The screen, which shows the fleet of the app from now on."""
        return screen.data_bind(FleetApp.fleet, FleetApp.now, FleetApp.paused)

    def desk(self) -> Desk:
        """What screens get of the app."""
        talk = self._talk
        return Desk(
            talk.plan,
            talk.operate,
            talk.history,
            talk.journal,
            talk.logs,
            talk.processes,
            talk.chat,
            talk.measure,
            self._copies,
            lambda: self.fleet,
            self._author,
            self.config,
            self._readonly,
            lambda: self._chats,
        )

    def on_mount(self) -> None:
        """Connect once the first picture is out."""
        self.set_interval(TICK_SECONDS, self._go_on)
        self.set_interval(LOOK_SECONDS, self._look)
        self.call_after_refresh(self._begin)

    async def on_event(self, event: Event) -> None:
        """Where text is pasted, nothing in it commands the terminal that shows it; keys and pastes are no idleness."""
        if isinstance(event, Key | Paste):
            self._pressed_at = self.clock()
        if isinstance(event, Paste):
            event.text = visible(event.text)
        await super().on_event(event)

    @cached_property
    def _chats(self) -> ChatStore:
        """Where chats are kept; in memory where nobody says."""
        from fleetview.chats.store import ChatStore  # the first paint does not wait for it

        store = self._open_chats() if self._open_chats else ChatStore()
        store.listen(partial(self.tell, severity="warning"))
        return store

    def close_chats(self) -> None:
        """Write down what is left to be written of chats."""
        if "_chats" in self.__dict__:
            self._chats.close()

    def parting(self) -> str:
        """What leaving means for what is in hand."""
        return self._copies.parting

    def idle_seconds(self) -> float:
        """Since the operator pressed a key or pasted something."""
        return self.clock() - self._pressed_at

    def _tick(self) -> None:
        """Time goes on."""
        self.now = self.clock()
        self._memory.note(self.config.nodes, self.fleet, self.now)

    async def _go_on(self) -> None:
        """Time goes on, and who follows it does one by one: with hundreds of nodes a key would wait for all at once."""
        self._tick()
        for follow in tuple(self.followers):
            await asyncio.sleep(APART_SECONDS)
            follow(self.config, self.fleet, self.now)

    def _begin(self) -> None:
        """Watch for alerts, and connect."""
        from fleetview.alerts.notifying import Notifier  # the first paint does not wait for it

        self.followers.append(Notifier(self).note)
        self._connect()

    def _connect(self) -> None:
        """Show what was last heard of every node, and follow it."""
        self.fleet = self._memory.recall(self.config.nodes, self.fleet, self.clock())
        self._connections.follow(self.config.nodes, self.config.fleet.interval_seconds)

    def _look(self) -> None:
        """See whether the fleet file has changed."""
        try:
            config = self._fleet_file.look() if self._fleet_file else None
        except ConfigError as problem:
            self.tell(f"{problem}; the fleet stays as it was", severity="warning")
        else:
            if config is not None:
                self.change_fleet(config)

    def change_fleet(self, config: FleetConfig) -> None:
        """Show the fleet as its file has it now; nodes that are the same keep their links."""
        old, self.config = self.config, config
        self.views.renew(self.desk())
        self.fleet = described(config, self.fleet, old)
        self._connect()
        if config.ui.theme != old.ui.theme:  # otherwise one that was chosen meanwhile stays
            self.choose_theme(config.ui.theme)
        if config.ui.mouse != old.ui.mouse:
            self.use_mouse(config.ui.mouse)
        if config.ui.ascii != old.ui.ascii:
            self.tell("ascii is heeded when the dashboard starts next")
        self.set_keymap(textual_keymap(config.keys))
        for screen in self.screen_stack:
            screen.refresh_bindings()
        self.tell(news(old.nodes, config.nodes))

    def _follow(self, following: Run, node: str) -> Worker[None]:
        """Run what follows a node in a worker: a bug there ends the program with its trace."""
        return self.run_worker(following, name=node, group="links")

    def receive(self, name: str, change: Change) -> None:
        """Something is no longer what it was on the node `name`."""
        from fleetview_agent.wire import OperationChanged  # the first paint does not wait for the wire models

        self.set_reactive(FleetApp.fleet, apply(self.fleet, name, change, self.clock()))  # screens follow by frames
        self._frames.changed()
        if isinstance(change, OperationChanged) and (ended := told(change.operation, self._author)):
            self.tell(ended[0], node=name, severity=ended[1])

    def tell(
        self, text: str, node: str = "", severity: Literal["information", "warning", "error"] = "information"
    ) -> None:
        """Say something for a moment; nothing in it is markup."""
        self.notify(plain(text), title=plain(node), severity=severity, markup=False)

    def alert(self, node: str, text: str) -> None:
        """Say what is the matter with a node."""
        self.tell(text, node=node, severity="warning")

    def alerting(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        """Show which nodes have an alert by the rules of the fleet file."""
        if (fleet := alerted(self.fleet, texts)) is not self.fleet:
            self.fleet = fleet

    @on(ChangeRequested)
    @work(group="requests")
    async def change(self, wish: ChangeRequested) -> None:
        """Ask a node for an operation, which comes back as events; say why where it does not take it."""
        try:
            await self._talk.operate(wish.node, wish.request)
        except RequestFailed as problem:
            self.tell(str(problem), node=wish.node, severity="error")

    @on(CancelRequested)
    @work(group="requests")
    async def cancel(self, wish: CancelRequested) -> None:
        """Ask a node to cancel an operation."""
        try:
            await self._talk.cancel(wish.node, wish.operation)
        except RequestFailed as problem:
            self.tell(str(problem), node=wish.node, severity="error")

    @on(RetryRequested)
    def retry(self, wish: RetryRequested) -> None:
        """Connect now."""
        self._connections.retry(wish.node)

    @on(NodeRequested)
    async def open_node(self, wish: NodeRequested) -> None:
        """Show everything about a node, over the fleet."""
        await self.views.node(wish.node)

    @on(ChatRequested)
    async def open_chat(self, wish: ChatRequested) -> None:
        """Talk to a model; a chat that was left goes on where it was."""
        await self.views.chat(wish)

    @on(LogsRequested)
    async def open_logs(self, wish: LogsRequested) -> None:
        """Follow the logs of a node, or of one of its engines."""
        await self.views.logs(wish)
