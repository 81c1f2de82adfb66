"""The log of dashboard and command line: a rotated file that nobody else can read."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from fleetview.present.text import visible

MAX_BYTES = 1 << 20
FILES = 3
"""Older ones that are kept."""


class PrivateLog(RotatingFileHandler):
    """A rotated file of mode 0600."""

    def _open(self) -> TextIOWrapper:
        """Open the file, made so that its owner alone can read it."""
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Give up on a record that cannot be written: a full disk must not fill the screen."""


class _Visible(logging.Formatter):
    """Writes what nodes have said so that a terminal, on which the log is read, does not obey it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return visible(super().format(record))


def start_log(file: Path, level: str) -> PrivateLog:
    """Write what is logged from `level` on to `file`. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = PrivateLog(file, maxBytes=MAX_BYTES, backupCount=FILES, encoding="utf-8", errors="backslashreplace")
    log.setFormatter(_Visible("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.addHandler(log)
    return log
