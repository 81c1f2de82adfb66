"""The dashboard: holds the fleet, owns the links, answers what screens ask for; draws nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import ClassVar, Literal

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.reactive import var
from textual.screen import Screen

from fleetview.author import author as operator
from fleetview.commands import FleetCommands
from fleetview.config import FleetConfig
from fleetview.fleet import Change, Fleet, NodeState, apply
from fleetview.links import LinkLike, OpenLink, real_links
from fleetview.messages import (
    CancelRequested,
    ChatRequested,
    NodeRequested,
    RequestFailed,
    RetryRequested,
    SwapRequested,
    UnloadRequested,
)
from fleetview.present import plain
from fleetview.present.farewell import farewell
from fleetview.present.models import outcome
from fleetview.remote.errors import NotConnected, RemoteError
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.help import Help, keys_of
from fleetview.screens.node import NodeScreen
from fleetview.screens.node_actions import Desk
from fleetview.themes import DARK, THEMES
from fleetview_agent.wire import ChatChunk, ChatRequest, OperationChanged, Plan, Request, SwapRequest, UnloadRequest

TICK_SECONDS = 1.0
"""How often ages move on."""
SECOND_THOUGHT_SECONDS = 3.0
"""How long a first `q` waits for the second one."""


def _own(key: str, action: str, label: str, action_id: str, tooltip: str, *, show: bool = False) -> Binding:
    """A key that works on every screen."""
    return Binding(key, action, label, id=action_id, tooltip=tooltip, show=show)


class FleetApp(App[None], inherit_bindings=False):
    """The dashboard of a fleet."""

    TITLE = "fleetview"
    CSS_PATH = "fleetview.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {FleetCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        _own("1", "fleet", "fleet", "view.fleet", "The fleet."),
        _own("3", "last_chat", "last chat", "view.chat", "The chat that was open last."),
        _own("p", "pause", "pause", "view.pause", "Let the picture stay as it is, or go on."),
        _own("q", "back_or_quit", "back", "app.back", "Back; at the fleet, twice: quit."),
        _own("ctrl+c", "ask_to_quit('ctrl+c')", "quit", "app.quit", "Twice: quit."),
        _own("ctrl+z", "suspend_process", "suspend", "app.suspend", "To the shell; fg comes back."),
        _own("colon,ctrl+p", "command_palette", "command", "app.command", "Everything by name.", show=True),
        _own("question_mark", "help", "help", "app.help", "What the keys do.", show=True),
    ]

    fleet: var[Fleet] = var(dict, init=False)
    """What is true; made anew by `receive` alone."""
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
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.config = config
        self._open_link = links or real_links(config.fleet.interval_seconds)
        self._author = author or operator()
        self._clock = clock
        self._readonly = readonly
        self._links: dict[str, LinkLike] = {}
        self._last_chat: str | None = None
        self._asked_to_quit_at: float | None = None
        interval = config.fleet.interval_seconds
        nodes = {node.name: NodeState(node.name, interval_seconds=interval) for node in config.nodes}
        self.set_reactive(FleetApp.fleet, nodes)
        self.set_reactive(FleetApp.now, clock())
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = config.ui.theme if config.ui.theme in self.available_themes else DARK.name
        self.set_keymap({name: keys if isinstance(keys, str) else ",".join(keys) for name, keys in config.keys.items()})

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that are not ours."""
        theme = self.current_theme
        return {"row-selected": theme.surface or theme.primary, "spark": theme.accent or theme.primary}

    @property
    def farewell(self) -> str | None:
        """What stays on the agents that were started here; None when nothing does."""
        own = (node.name for node in self.config.nodes if node.local and node.socket is None)
        return farewell(self.fleet[name] for name in own)

    def get_default_screen(self) -> Screen[None]:
        """The fleet."""
        return FleetScreen(self._desk()).data_bind(FleetApp.fleet, FleetApp.now, FleetApp.paused)

    def _desk(self) -> Desk:
        """What screens get of the app."""
        return Desk(self.plan, self._author, self.config.fleet.name, self._readonly)

    def on_mount(self) -> None:
        """Connect once the first picture is out."""
        if (theme := self.config.ui.theme) and theme != self.theme:
            known = " and ".join(theme.name for theme in THEMES)
            self.tell(f"there is no theme {theme}; {known} are there", severity="warning")
        self.set_interval(TICK_SECONDS, self._tick)
        self.call_after_refresh(self._connect)

    def _tick(self) -> None:
        """Time goes on."""
        self.now = self._clock()

    def _connect(self) -> None:
        """Follow every node, each in a worker."""
        for node in self.config.nodes:
            link = self._links[node.name] = self._open_link(node, self.receive)
            self.run_worker(link.run(), name=node.name, group="links")

    def receive(self, name: str, change: Change) -> None:
        """Something is no longer what it was on the node `name`."""
        self.fleet = apply(self.fleet, name, change, self._clock())
        if isinstance(change, OperationChanged) and change.operation.result not in {None, "done"}:
            request = change.operation.request
            self.tell(f"{request.verb} of {request.model} {outcome(change.operation)}", node=name, severity="error")

    def tell(
        self, text: str, node: str = "", severity: Literal["information", "warning", "error"] = "information"
    ) -> None:
        """Say something for a moment; nothing in it is markup."""
        self.notify(plain(text), title=plain(node), severity=severity, markup=False)

    # What screens ask for

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        """Failures of the network as screens know them."""
        try:
            yield
        except RemoteError as problem:
            raise RequestFailed(problem.message, problem.hint) from problem

    def _link(self, node: str) -> LinkLike:
        """The connection to a node. Raises NotConnected."""
        if (link := self._links.get(node)) is None:
            raise NotConnected(f"{node} is not connected")
        return link

    async def plan(self, node: str, request: SwapRequest) -> Plan:
        """What a swap would do. Raises RequestFailed."""
        with self._plainly():
            return await self._link(node).client.plan(request)

    async def chat(self, node: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        """The answer of a model as it is made. Raises RequestFailed."""
        with self._plainly():
            asked = request.model_copy(update={"user": self._author})
            async with aclosing(self._link(node).client.chat(asked)) as chunks:
                async for chunk in chunks:
                    yield chunk

    @on(SwapRequested)
    def swap(self, wish: SwapRequested) -> None:
        """Ask a node to swap; how it goes comes back as events."""
        self.operate(wish.node, wish.request)

    @on(UnloadRequested)
    def unload(self, wish: UnloadRequested) -> None:
        """Ask a node to take a model out of memory."""
        self.operate(wish.node, UnloadRequest(author=self._author, backend=wish.backend, model=wish.model))

    @work(group="requests")
    async def operate(self, node: str, request: Request) -> None:
        """Ask a node for an operation; say why where it does not take it."""
        try:
            await self._link(node).client.operate(request)
        except RemoteError as problem:
            self.tell(str(problem), node=node, severity="error")

    @on(CancelRequested)
    @work(group="requests")
    async def cancel(self, wish: CancelRequested) -> None:
        """Ask a node to cancel an operation."""
        try:
            await self._link(wish.node).client.cancel(wish.operation)
        except RemoteError as problem:
            self.tell(str(problem), node=wish.node, severity="error")

    @on(RetryRequested)
    def retry(self, wish: RetryRequested) -> None:
        """Connect now."""
        if link := self._links.get(wish.node):
            link.retry_now()

    @on(NodeRequested)
    async def open_node(self, wish: NodeRequested) -> None:
        """Show everything about a node, over the fleet."""
        await self.action_fleet()
        screen = NodeScreen(self._desk(), wish.node)
        await self.push_screen(screen.data_bind(FleetApp.fleet, FleetApp.now, FleetApp.paused))

    @on(ChatRequested)
    async def open_chat(self, wish: ChatRequested) -> None:
        """Talk to a model; a chat that was left goes on where it was."""
        from fleetview.screens.chat import (
            ChatScreen,  # brings Markdown and code highlighting, for which the first paint does not wait
        )

        name = f"{wish.node} {wish.backend}/{wish.model}"
        if not self.is_screen_installed(name):
            self.install_screen(ChatScreen(wish.node, wish.backend, wish.model, partial(self.chat, wish.node)), name)
        self._last_chat = name
        await self.push_screen(name)

    # Keys that work on every screen

    async def action_fleet(self) -> None:
        """Back to the fleet."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    async def action_last_chat(self) -> None:
        """Back to the chat that was open last."""
        if self._last_chat is None:
            self.tell("no chat is open; c opens one with the selected node's model")
        elif self.get_screen(self._last_chat) not in self.screen_stack:
            await self.push_screen(self._last_chat)

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
        text = f"{key} again to quit; operations go on on the nodes"
        self.notify(text, timeout=SECOND_THOUGHT_SECONDS, markup=False)

    def action_help(self) -> None:
        """What the keys of this screen do."""
        self.push_screen(Help(keys_of(self.screen)))
