"""The palette: every action by name, read off the active bindings, and every node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.fuzzy import Matcher

from fleetview.messages import NodeRequested
from fleetview.present import plain
from fleetview.screens.node_actions import NodeActions


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
            for name in self.screen.fleet:
                yield plain(name), "Show everything about this node.", partial(self._open, name)

    def _open(self, name: str) -> None:
        """Show a node."""
        self.screen.post_message(NodeRequested(name))

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
