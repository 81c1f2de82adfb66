"""Dialogs that bring a model somewhere: into memory where it fits, or onto other disks."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import App

from fleetview.fleet import Fleet, NodeState
from fleetview.messages import ChangeRequested
from fleetview.models import inventory
from fleetview.models.inventory import Entry, Inventory
from fleetview.screens.choose import Choose
from fleetview.screens.desk import Desk
from fleetview.screens.models.copy import CopyModel, Source
from fleetview.screens.models.places import Places


@dataclass(frozen=True)
class Moving:
    """A model that is to be brought somewhere, and where it lies."""

    entry: Entry
    inventory: Inventory
    fleet: Fleet
    desk: Desk
    now: float
    """For ages."""
    first: str | None = None
    """The node that it is copied from, where that has it."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The connected nodes that have the file, the first one first."""
        holders = self.inventory.holders(self.entry.key) if self.entry.size_bytes else ()
        living = [name for name in holders if name in self.fleet and self.fleet[name].current]
        return tuple(sorted(living, key=lambda name: name != self.first))

    @property
    def no_copy(self) -> str | None:
        """Why it cannot be copied; None where it can."""
        if not self.sources:
            return f"no node that is connected has the file of {self.entry.name}"
        return None if len(self.fleet) > 1 else "there is no other node to copy it to"


async def fit(app: App[None], moving: Moving) -> ChangeRequested | None:
    """Show where it fits; what was agreed to, unless that is a copy, which begins at once."""
    dialog = Places(moving.entry, moving.inventory, moving.fleet, moving.desk, moving.now)
    chosen = await app.push_screen_wait(dialog)
    if chosen is None:
        return None
    if chosen.request is None:
        await copy(app, moving, (chosen.node,))
        return None
    return ChangeRequested(chosen.node, chosen.request)


async def copy_from(app: App[None], node: NodeState, fleet: Fleet, desk: Desk) -> None:
    """Choose a model of the node, then where it goes."""
    models = Inventory().renewed({node.name: node})
    found = (inventory.chosen(models.held(node.name, key), node) for key in models.entries)
    held = [way for way in found if way is not None and way.file.size_bytes]
    place = await app.push_screen_wait(Choose(f"Copy from {node.name}", tuple(way.name for way in held)))
    if place is not None:
        await _choose_targets(app, Source(node.name, held[place].backend, held[place].file), fleet, desk)


async def copy(app: App[None], moving: Moving, targets: tuple[str, ...] = ()) -> None:
    """Choose where it goes, to `targets` at first; see the plans, agree, and begin."""
    if not moving.sources:
        return
    source = moving.fleet[moving.sources[0]]
    held = inventory.chosen(moving.inventory.held(source.name, moving.entry.key), source)
    if held is None:
        return
    await _choose_targets(app, Source(source.name, held.backend, held.file), moving.fleet, moving.desk, targets)


async def _choose_targets(
    app: App[None], source: Source, fleet: Fleet, desk: Desk, targets: tuple[str, ...] = ()
) -> None:
    """Choose where it goes, see the plans, agree, and begin."""
    if (agreed := await app.push_screen_wait(CopyModel(source, fleet, desk, targets))) is not None:
        desk.copies.start(*agreed)
