"""A fleet whose nodes have roles."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import a_snapshot
from tests.tui.fake_fleet import FakeFleet

ROLES = {"a": "head", "b": "worker", "c": "worker"}


def with_roles() -> FakeFleet:
    """A head and two workers."""
    fleet = FakeFleet({name: (a_snapshot(),) for name in ROLES})
    nodes = tuple(replace(node, role=ROLES[node.name]) for node in fleet.config.nodes)
    fleet.config = replace(fleet.config, nodes=nodes)
    return fleet
