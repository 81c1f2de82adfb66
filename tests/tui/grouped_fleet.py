"""A fleet whose nodes have roles."""

from __future__ import annotations

from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet

ROLES = {"a": "head", "b": "worker", "c": "worker"}


def with_roles() -> FakeFleet:
    """A head and two workers."""
    fleet = FakeFleet({name: (a_snapshot(),) for name in ROLES})
    nodes = tuple(node.model_copy(update={"role": ROLES[node.name]}) for node in fleet.config.nodes)
    fleet.config = fleet.config.model_copy(update={"nodes": nodes})
    return fleet
