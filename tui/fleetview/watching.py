"""The fleet file while the dashboard runs: whoever changes it sees the change."""

from __future__ import annotations

from pathlib import Path

from fleetview.config import FleetConfig, find_config, read_config
from fleetview.config_errors import unreadable
from fleetview.keymap import wrong_keys
from fleetview.present.table.wrong_columns import wrong_columns
from fleetview.themes import wrong_theme

LOOK_SECONDS = 0.5
"""How often the file is looked at; two looks that agree are a change, so that no half-written file is read."""

Stamp = tuple[int, int, int, int]
"""What tells one state of a file from another: time, size, inode, device."""


class FleetFile:
    """The file that was read, or the one that may appear where none was."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._read: Stamp | None = None
        """The state that was read."""
        self._seen: Stamp | None = None
        """The state at the last look."""

    @property
    def path(self) -> Path | None:
        """Where it is; None where there is none."""
        return self._file

    def read(self) -> FleetConfig:
        """What the file says. Raises ConfigError."""
        self._read = self._seen = _stamp(self._file)  # before reading, so that no change falls between the two
        return read_config(self._file, wrong_theme, wrong_keys, wrong_columns)

    def look(self) -> FleetConfig | None:
        """What the file says, once for each change; None otherwise. Raises ConfigError, which is once for each too."""
        file = self._file or find_config(None)
        stamp = _stamp(file)
        settled, self._seen = stamp == self._seen, stamp
        if not settled or stamp == self._read:
            return None
        self._file = file
        if stamp is None and file is not None:
            self._read = None
            raise unreadable(file, "it is not there any more")
        return self.read()


def _stamp(file: Path | None) -> Stamp | None:
    """The state of the file; None when it is not there."""
    try:
        state = file.stat() if file else None
    except OSError:
        return None
    return state and (state.st_mtime_ns, state.st_size, state.st_ino, state.st_dev)
