"""What taking in a model from another node would do to this one as it is now."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path

from fleetview_agent.backends import Backend, Receiving
from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.errors import AgentError, NotFound
from fleetview_agent.planning.naming import find_backend, is_same, not_ready
from fleetview_agent.planning.occupancy import gib
from fleetview_agent.wire import CopyRequest, Operation, Plan, Snapshot, target

MARGIN_BYTES = 1 << 30
"""Of a disk, left free whatever comes."""
_ABOUT = frozenset({"pull", "create", "delete", "copy", "load", "swap"})
"""Verbs that change a model on the disk, or read it."""


async def plan_copy(
    request: CopyRequest, node: Snapshot, backend: Backend | None, incoming: Incoming, earlier: Iterable[Operation]
) -> Plan:
    """What the copy would do; `earlier` are the operations that come before it. Raises NotFound."""
    state = find_backend(request.backend, node)
    refusal = not_ready(state) or _in_hand(request, earlier) or _twice(request)
    if refusal is None and isinstance(backend, Receiving):
        try:
            refusal = await _taken(request, backend) or await _no_room(request, backend, incoming)
        except OSError as problem:
            refusal = f"the place for {target(request)} cannot be looked at: {problem.strerror or problem}"
    elif refusal is None:
        refusal = f"{request.backend} cannot take in models from another node"
    return Plan(request=request, verdict="unknown", confidence="unknown", refusal=refusal)


def _in_hand(request: CopyRequest, earlier: Iterable[Operation]) -> str | None:
    """That something is being done with the same model, or with one of its files."""
    sums = {part.sha256 for part in request.parts}
    for other in (one.request for one in earlier):
        shares = isinstance(other, CopyRequest) and any(part.sha256 in sums for part in other.parts)
        if shares or (other.verb in _ABOUT and is_same(target(other), target(request))):
            return f"a {other.verb} of {target(other)} is in hand already; wait for its end, or cancel it"
    return None


def _twice(request: CopyRequest) -> str | None:
    """That a file is named more than once, as no model of ours does."""
    several = len({part.sha256 for part in request.parts}) < len(request.parts)
    return f"{target(request)} names the same file twice, and cannot be copied" if several else None


async def _taken(request: CopyRequest, backend: Receiving) -> str | None:
    """That there is a model of that name already, and what is known of its content."""
    try:
        there = await backend.parts(request.model)
        sizes = [await asyncio.to_thread(_size, path) for path, _ in there]
    except NotFound:
        return None
    except AgentError as problem:
        return f"{target(request)} is there already: {problem}; delete it first"
    known = [part.sha256 for _, part in there if part is not None]
    if len(known) == len(there) and sorted(known) == sorted(part.sha256 for part in request.parts):
        return f"{target(request)} is there already, with the same content; there is nothing to copy"
    if not known and sorted(sizes) == sorted(part.size_bytes for part in request.parts):
        return f"{target(request)} is there already, and as large; delete it first if it should come again"
    return f"another {target(request)} is there already; delete it first"


async def _no_room(request: CopyRequest, backend: Receiving, incoming: Incoming) -> str | None:
    """That the model cannot be put where it would have to go, or that a disk is too full for it."""
    try:
        home = await backend.room_for(request.model, request.parts)
    except AgentError as problem:
        return f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    came = {part.sha256: incoming.came(part) for part in request.parts}
    total = sum(part.size_bytes for part in request.parts)
    needs = [(incoming.folder, total - sum(came.values()))]
    if await asyncio.to_thread(_disk, home) != await asyncio.to_thread(_disk, incoming.folder):
        needs.append((home, total))
    for folder, need_bytes in needs:
        free = (await asyncio.to_thread(shutil.disk_usage, _existing(folder))).free
        if need_bytes + MARGIN_BYTES > free:
            return (
                f"the disk of {folder} has {gib(free)} free; {gib(need_bytes)} would come, and "
                f"{gib(MARGIN_BYTES)} must stay free, so delete something there first"
            )
    return None


def _size(file: Path) -> int:
    """How long a file is; a negative number, like no file's, where it cannot be seen."""
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _disk(folder: Path) -> int:
    """The same for folders on the same disk."""
    return _existing(folder).stat().st_dev


def _existing(folder: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
