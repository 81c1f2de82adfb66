"""What was last heard of every node, kept on disk, so that a dashboard begins with old figures rather than none.

A file of lines: what kind of file it is, then one node in each. Whatever is damaged, foreign or too large is left out.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleetview.config import NodeConfig
from fleetview.fleet import Fleet, NodeState
from fleetview.paths import state_folder

if TYPE_CHECKING:
    from fleetview.last_known_lines import Identity, Record

FORMAT = b'{"file":"fleetview last known","version":1}'
SAVE_SECONDS = 60.0
"""How often a running dashboard writes."""
NODE_BYTES = 256 << 10
"""A node of which more is to be said is left out."""
FILE_BYTES = 16 << 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Kept:
    """A line of the file."""

    heard: float
    """As in the record."""
    heard_at: float | None
    """What the node's state said when the line was chosen: as long as it says so, nothing was heard since."""
    line: bytes


def last_known_file() -> Path:
    """Where the dashboards of this account keep it."""
    return state_folder() / "last-known.json"


class LastKnown:
    """Gives nodes what was last heard of them, and writes it down; several dashboards may share the file.

    Without a file it knows nothing and keeps nothing.
    """

    def __init__(self, file: Path | None = None, wall_clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._wall_clock = wall_clock
        self._kept: dict[Identity, _Kept] = {}
        self._seen: tuple[int, ...] | None = None
        """Marks of the file that we have read or written."""
        self._saved_at: float | None = None

    def recall(self, nodes: tuple[NodeConfig, ...], fleet: Fleet, at: float) -> Fleet:
        """The fleet at the monotonic time `at`, with what is known of nodes that were not heard of yet."""
        wanted = {identity(node): node.name for node in nodes}
        now = self._wall_clock()
        recalled: dict[str, NodeState] = {}
        for record, line in self._read(wanted.keys()):
            name = wanted[record.identity]
            if (node := fleet.get(name)) is None or node.heard_at is not None:
                continue
            heard_at = at - max(0.0, now - record.heard)  # after a clock that was put back it is of just now
            recalled[name] = record.restored(node, heard_at)
            self._kept[record.identity] = _Kept(record.heard, heard_at, line)
        self._saved_at = at if self._saved_at is None else self._saved_at
        return {**fleet, **recalled} if recalled else fleet

    def note(self, nodes: tuple[NodeConfig, ...], fleet: Fleet, at: float) -> None:
        """Save, if that was not done for a while."""
        if self._saved_at is None or at - self._saved_at >= SAVE_SECONDS:
            self.save(nodes, fleet, at)

    def save(self, nodes: tuple[NodeConfig, ...], fleet: Fleet, at: float) -> None:
        """Write down what is known of these nodes at the monotonic time `at`, unless there is nothing new."""
        self._saved_at = at
        if self._file is None:
            return
        now = self._wall_clock()
        before = self._kept
        self._kept = {}
        for node in nodes:
            who, state = identity(node), fleet.get(node.name)
            if (kept := _renewed(before.get(who), who, state, now - at)) is not None:
                self._kept[who] = kept
        if foreign := _marks_of(self._file) != self._seen:
            self._merge(nodes, fleet, now)
        if foreign or self._kept != before:
            self._write(self._file)

    def _merge(self, nodes: tuple[NodeConfig, ...], fleet: Fleet, now: float) -> None:
        """Take over what another dashboard has heard later than we have."""
        wanted = {identity(node): fleet.get(node.name) for node in nodes}
        for record, line in self._read(wanted.keys()):
            kept, state = self._kept.get(record.identity), wanted[record.identity]
            if kept is None or kept.heard < record.heard <= now:  # what is of tomorrow is by a wrong clock
                self._kept[record.identity] = _Kept(record.heard, None if state is None else state.heard_at, line)

    def _read(self, wanted: Iterable[Identity]) -> Iterator[tuple[Record, bytes]]:
        """The nodes of the file that are wanted, each with its line."""
        if self._file is None:
            return
        try:
            with self._file.open("rb") as file:
                content = file.read(FILE_BYTES + 1)
                self._seen = _marks(os.fstat(file.fileno()))
        except OSError as problem:
            logger.info("%s cannot be read: %s", self._file, problem)
            return
        first, *lines = content.split(b"\n")
        if first != FORMAT or len(content) > FILE_BYTES:
            return
        from fleetview.last_known_lines import record_of  # the first paint does not wait for the wire models

        names = frozenset(wanted)
        for line in lines:
            record = record_of(line)
            if record is not None and record.identity in names:
                yield record, line

    def _write(self, file: Path) -> None:
        """Replace the file; a disk that cannot be written must not keep anyone from looking."""
        content = bytearray(FORMAT + b"\n")
        for kept in self._kept.values():
            if len(content) + len(kept.line) < FILE_BYTES:
                content += kept.line + b"\n"
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._seen = _replace(file, bytes(content))
        except OSError as problem:
            logger.info("%s cannot be written: %s", file, problem)


def identity(node: NodeConfig) -> Identity:
    """What makes a node the same one: another name or another address is another node."""
    return (node.name, *(str(part) for part in (node.local, node.host, node.user, node.port, node.socket)))


def _renewed(kept: _Kept | None, who: Identity, node: NodeState | None, ahead: float) -> _Kept | None:
    """The line of a node: the one that is there unless something was heard since; `ahead` is wall clock's lead."""
    if node is None or node.machine is None or node.heard_at is None:
        return kept
    if kept is not None and kept.heard_at == node.heard_at:
        return kept
    from fleetview.last_known_lines import line_of  # as in _read

    heard = node.heard_at + ahead
    try:
        line = line_of(who, heard, node.machine, node)
    except ValueError:
        return kept
    return _Kept(heard, node.heard_at, line) if len(line) <= NODE_BYTES else None


def _marks_of(file: Path) -> tuple[int, ...] | None:
    """The marks of the file as it is; None where there is none."""
    try:
        return _marks(file.stat())
    except OSError:
        return None


def _marks(status: os.stat_result) -> tuple[int, ...]:
    """What is never the same again once somebody has written the file."""
    return (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)


def _replace(file: Path, content: bytes) -> tuple[int, ...]:
    """Put `content` in place of a file at once, for its owner alone; its marks. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            marks = _marks(os.fstat(descriptor))
        Path(temporary).replace(file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return marks
