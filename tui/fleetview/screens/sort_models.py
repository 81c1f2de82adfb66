"""One line that asks by what the models are put in order."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from fleetview.screens.sort_by import SortBy


def _letter(key: str, order: str, label: str, tooltip: str) -> Binding:
    """A letter for an order."""
    return Binding(key, f"take('{order}')", label, id=f"sort_models.{order}", tooltip=tooltip)


class SortModels(SortBy, inherit_bindings=False):
    """Hands back one of the orders of models; None: it stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _letter("n", "name", "name", "By name; again: the other way round."),
        _letter("s", "size", "size", "By size, the largest first."),
        _letter("m", "resident", "in memory", "By the nodes that have it in memory, the most first."),
        _letter("d", "nodes", "on disk", "By the nodes that have it, the most first."),
        Binding("escape,q,o", "cancel", "cancel", id="sort_models.cancel", tooltip="Leave the order as it is."),
    ]
