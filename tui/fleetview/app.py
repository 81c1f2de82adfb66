"""The dashboard: holds the fleet, owns the links, answers what screens ask for; draws nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Literal

from textual import on, work
from textual.binding import BindingType
from textual.command import Provider
from textual.events import Event, Key, Paste
from textual.reactive import var
from textual.screen import Screen
from textual.worker import Worker

from fleetview.alerts.notifying import Notifier
from fleetview.app_keys import APP_KEYS
from fleetview.asking import Asking
from fleetview.author import author as operator
from fleetview.chats.store import ChatStore
from fleetview.commands import FleetCommands
from fleetview.config import ConfigError, FleetConfig
from fleetview.connections import Connections, Run
from fleetview.copying.copies import Copies
from fleetview.fleet import Change, Fleet, alerted, apply, described
from fleetview.keymap import textual_keymap
from fleetview.last_known import LastKnown
from fleetview.links import OpenLink, kept_logins, real_links
from fleetview.messages import (
    CancelRequested,
    ChangeRequested,
    ChatRequested,
    LogsRequested,
    NodeRequested,
    RetryRequested,
)
from fleetview.present import plain
from fleetview.present.farewell import farewell
from fleetview.present.fleet_file import news
from fleetview.present.operations import told
from fleetview.present.text import visible
from fleetview.remote.errors import RemoteError
from fleetview.screens.desk import Desk
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.following import FollowingScreen
from fleetview.screens.help import Help, keys_of
from fleetview.talk import Talk
from fleetview.themed_app import ThemedApp
from fleetview.views import Views
from fleetview.watching import LOOK_SECONDS, FleetFile
from fleetview_agent.wire import OperationChanged

TICK_SECONDS = 1.0
"""How often ages move on."""
Follower = Callable[[FleetConfig, Fleet, float], None]
"""Is called once a second with the fleet as it is; what it finds there is its own business."""
SECOND_THOUGHT_SECONDS = 3.0
"""How long a first `q` waits for the second one."""


class FleetApp(ThemedApp, inherit_bindings=False):
    """The dashboard of a fleet."""

    TITLE = "fleetview"
    CSS_PATH = "fleetview.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {FleetCommands}
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS]

    fleet: var[Fleet] = var(dict, init=False, always_update=True)
    """What is true; made anew by `receive`, and by what changes the fleet itself."""
    now: var[float] = var(0.0, init=False)
    """The clock, once a second."""
    paused: var[bool] = var(False, init=False)
    """True while the picture is to stay as it is."""

    def __init__(
        self,
        config: FleetConfig,
        links: OpenLink | None = None,
        *,
        author: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        readonly: bool = False,
        memory: LastKnown | None = None,
        fleet_file: FleetFile | None = None,
        chats: ChatStore | None = None,
    ) -> None:
        super().__init__(config.ui)
        self.config = config
        self._author = author or operator()
        self._clock = clock
        self._readonly = readonly
        logins = kept_logins(Asking(self, self.idle_seconds))
        self._connections = Connections(links or real_links(logins), self.receive, self._follow)
        self._talk = Talk(self._connections, self._author)
        self._copies = Copies(lambda: self.config, logins, self._author, self._follow, self.tell)
        self._memory = memory or LastKnown()
        self._fleet_file = fleet_file
        self._chats = chats or ChatStore()
        self._chats.listen(partial(self.tell, severity="warning"))
        self._views = Views(self, self._desk, self.following)
        self.followers: list[Follower] = [self._views.follow, Notifier(self).note]
        self._asked_to_quit_at: float | None = None
        self._pressed_at = -math.inf
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
        return self.following(FleetScreen(self._desk()))

    def following(self, screen: FollowingScreen) -> FollowingScreen:
        """The screen, which shows the fleet of the app from now on."""
        return screen.data_bind(FleetApp.fleet, FleetApp.now, FleetApp.paused)

    def _desk(self) -> Desk:
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
            self._chats,
        )

    def on_mount(self) -> None:
        """Connect once the first picture is out."""
        self.set_interval(TICK_SECONDS, self._tick)
        self.set_interval(LOOK_SECONDS, self._look)
        self.call_after_refresh(self._connect)

    async def on_event(self, event: Event) -> None:
        """Where text is pasted, nothing in it commands the terminal that shows it; keys and pastes are no idleness."""
        if isinstance(event, Key | Paste):
            self._pressed_at = self._clock()
        if isinstance(event, Paste):
            event.text = visible(event.text)
        await super().on_event(event)

    def idle_seconds(self) -> float:
        """Since the operator pressed a key or pasted something."""
        return self._clock() - self._pressed_at

    def _tick(self) -> None:
        """Time goes on."""
        self.now = self._clock()
        self._memory.note(self.config.nodes, self.fleet, self.now)
        for follow in self.followers:
            follow(self.config, self.fleet, self.now)

    def _connect(self) -> None:
        """Show what was last heard of every node, and follow it."""
        self.fleet = self._memory.recall(self.config.nodes, self.fleet, self._clock())
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
        for screen in self.screen_stack:
            if isinstance(screen, FollowingScreen):
                screen.desk = self._desk()
        self.fleet = described(config, self.fleet, old)
        self._connect()
        if config.ui.theme != old.ui.theme:  # otherwise one that was chosen meanwhile stays
            self.choose_theme(config.ui.theme)
        self.set_keymap(textual_keymap(config.keys))
        for screen in self.screen_stack:
            screen.refresh_bindings()
        self.tell(news(old.nodes, config.nodes))

    def _follow(self, following: Run, node: str) -> Worker[None]:
        """Run what follows a node in a worker: a bug there ends the program with its trace."""
        return self.run_worker(following, name=node, group="links")

    def receive(self, name: str, change: Change) -> None:
        """Something is no longer what it was on the node `name`."""
        self.fleet = apply(self.fleet, name, change, self._clock())
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

    # What screens ask for

    @on(ChangeRequested)
    @work(group="requests")
    async def change(self, wish: ChangeRequested) -> None:
        """Ask a node for an operation, which comes back as events; say why where it does not take it."""
        try:
            await self._connections.client(wish.node).operate(wish.request)
        except RemoteError as problem:
            self.tell(str(problem), node=wish.node, severity="error")

    @on(CancelRequested)
    @work(group="requests")
    async def cancel(self, wish: CancelRequested) -> None:
        """Ask a node to cancel an operation."""
        try:
            await self._connections.client(wish.node).cancel(wish.operation)
        except RemoteError as problem:
            self.tell(str(problem), node=wish.node, severity="error")

    @on(RetryRequested)
    def retry(self, wish: RetryRequested) -> None:
        """Connect now."""
        self._connections.retry(wish.node)

    @on(NodeRequested)
    async def open_node(self, wish: NodeRequested) -> None:
        """Show everything about a node, over the fleet."""
        await self._views.node(wish.node)

    @on(ChatRequested)
    async def open_chat(self, wish: ChatRequested) -> None:
        """Talk to a model; a chat that was left goes on where it was."""
        await self._views.chat(wish)

    @on(LogsRequested)
    async def open_logs(self, wish: LogsRequested) -> None:
        """Follow the logs of a node, or of one of its engines."""
        await self._views.logs(wish)

    # Keys that work on every screen

    async def action_fleet(self) -> None:
        """Back to the fleet."""
        await self._views.fleet()

    async def action_view(self, name: str) -> None:
        """One of the other views, as it was left."""
        await self._views.show(name)

    async def action_last_chat(self) -> None:
        """Back to the chat that was open last."""
        if not await self._views.last_chat():
            self.tell("no model is ready to chat with; s on a node loads one")

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
        now = self._clock()
        if self._asked_to_quit_at is not None and now - self._asked_to_quit_at <= SECOND_THOUGHT_SECONDS:
            self.exit()
            return
        self._asked_to_quit_at = now
        text = f"{key} again to quit; {self._copies.parting}"
        self.notify(text, timeout=SECOND_THOUGHT_SECONDS, markup=False)

    def action_help(self) -> None:
        """What the keys of this screen do."""
        self.push_screen(Help(keys_of(self.screen)))
