"""What deserves a sentence about the agent of a node, besides what it says of the node."""

from __future__ import annotations

from fleetview.fleet import NodeState
from fleetview.present.numbers import count


def remarks(node: NodeState) -> tuple[str, ...]:
    """One sentence each."""
    said: list[str] = []
    if node.protocol is not None and node.protocol > (ours := _protocol()):
        said.append(
            f"the agent of {node.name} is newer: it speaks protocol {node.protocol}, and this fleetview {ours}; "
            "upgrade fleetview to see all of it"
        )
    if node.dropped:
        said.append(nonsense(node))
    return tuple(said)


def nonsense(node: NodeState) -> str:
    """How much of what its agent said was none of ours."""
    were = "was" if node.dropped == 1 else "were"
    return f"{count(node.dropped, 'line')} of {node.name} made no sense and {were} skipped"


def _protocol() -> int:
    """What this fleetview speaks."""
    from fleetview_agent.wire import PROTOCOL  # the first paint does not wait for the wire models

    return PROTOCOL
