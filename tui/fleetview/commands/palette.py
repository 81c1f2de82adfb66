"""The palette: every action by name, read off the active bindings, and every node."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from fleetview.fleet import NodeState
from fleetview.messages import NodeRequested
from fleetview.present import plain
from fleetview.screens.node_actions import NodeActions
from fleetview.verbs import CHAT, DOCTOR, LOGS, SWAP, UNDO, UNLOAD


@runtime_checkable
class Commanded(Protocol):
    """An app with a command line."""

    def run_line(self, line: str) -> object:
        """Carry out what could be typed there."""


def pairs(node: NodeState, *, readonly: bool) -> Iterator[tuple[str, str]]:
    """What can be done to a node and to its models, as lines of the command line."""
    for verb in (DOCTOR, LOGS):
        yield shlex.join((verb.name, node.name)), verb.summary
    for backend, model in node.ready:
        yield shlex.join((CHAT.name, node.name, f"{backend}/{model.name}")), CHAT.summary
    if readonly:
        return
    yield shlex.join((UNDO.name, node.name)), UNDO.summary
    resident = tuple((backend, model.name) for backend, model in node.resident)
    for backend, name in resident:
        yield shlex.join((UNLOAD.name, node.name, f"{backend}/{name}")), UNLOAD.summary
    for state in node.backends.values():
        for file in state.models:
            if (state.backend, file.name) not in resident and file.refusal is None:
                yield shlex.join((SWAP.name, node.name, f"{state.backend}/{file.name}")), SWAP.summary


class FleetCommands(Provider):
    """What can be done now: actions of the screen, themes, nodes."""

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Name, explanation and callback of each."""
        seen: set[str] = set()
        for node, binding, enabled, tooltip in self.screen.active_bindings.values():
            everywhere = node is self.screen or node is self.app
            if everywhere and enabled and tooltip and binding.action not in seen:
                seen.add(binding.action)
                yield binding.description, tooltip, partial(self.app.run_action, binding.action, node)
        yield "theme", "Choose other colours.", self.app.action_change_theme
        if isinstance(self.screen, NodeActions):
            for name, state in self.screen.fleet.items():
                yield plain(name), "Show everything about this node.", partial(self._open, name)
                for line, told in pairs(state, readonly=self.screen.desk.readonly):
                    yield plain(line), told, partial(self._run, line)

    def _open(self, name: str) -> None:
        """Show a node."""
        self.screen.post_message(NodeRequested(name))

    def _run(self, line: str) -> None:
        """Carry out a line of the command line."""
        if isinstance(self.app, Commanded):
            self.app.run_line(line)

    async def discover(self) -> Hits:
        """Everything, before a letter is typed."""
        for name, explanation, callback in self._commands():
            yield DiscoveryHit(Content(name), callback, text=name, help=explanation)

    async def search(self, query: str) -> Hits:
        """What matches the letters."""
        matcher = self.matcher(query)
        for name, explanation, callback in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, _highlighted(name, matcher), callback, text=name, help=explanation)


def _highlighted(name: str, matcher: Matcher) -> Content:
    """The name with the letters that match; unlike the matcher's own, never read as markup."""
    content = Content(name)
    for place in matcher.fuzzy_search.match(matcher.query, name)[1]:
        content = content.stylize(matcher.match_style, place, place + 1)
    return content
