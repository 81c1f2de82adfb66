"""What to do about an engine, in words that can be typed here."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetview_agent.wire import BackendState


def hint(backend: BackendState, node: str) -> str | None:
    """The hint of an engine; its agent does not know what the operator calls the node, and writes NODE."""
    return backend.hint and backend.hint.replace(" NODE ", f" {shlex.quote(node)} ")
