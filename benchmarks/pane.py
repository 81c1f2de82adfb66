"""The real dashboard in a terminal of its own, and what stands on that terminal."""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

COLUMNS, ROWS = 120, 30
CHUNK = 1 << 16
STOP_SECONDS = 10.0
SEQUENCE = re.compile(
    r"\x1b\[(?P<given>[0-9;:?<>=]*)[ -/]*(?P<final>[@-~])"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC, DCS and their like
    r"|\x1b[ -/]*[0-Z\\`-~]",
    re.DOTALL,
)


class Cells:
    """What bytes for a terminal put where: moves and text, which is all that the dashboard draws by."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.columns = columns
        self.rows = [[" "] * columns for _ in range(rows)]
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        """The beginning of a sequence whose end has not come yet."""
        self._row = self._column = 0

    def feed(self, data: bytes) -> None:
        """Draw."""
        text, self._held = self._held + self._decoder.decode(data), ""
        place = 0
        while place < len(text):
            if text[place] != "\x1b":
                self._put(text[place])
                place += 1
            elif found := SEQUENCE.match(text, place):
                self._obey(found)
                place = found.end()
            else:
                self._held = text[place:]
                return

    def line(self, name: str) -> str:
        """The row that begins with a symbol and the name of a node; empty where there is none."""
        return next((text for cells in self.rows if (text := "".join(cells))[2:].lstrip().startswith(f"{name} ")), "")

    def text(self) -> str:
        """All rows."""
        return "\n".join("".join(cells).rstrip() for cells in self.rows)

    def _put(self, char: str) -> None:
        if char == "\r":
            self._column = 0
        elif char == "\n":
            self._row += 1
        elif char >= " " and self._row < len(self.rows) and self._column < self.columns:
            self.rows[self._row][self._column] = char
            self._column += 1

    def _obey(self, found: re.Match[str]) -> None:
        if found["final"] == "H":
            row, _, column = found["given"].partition(";")
            self._row, self._column = int(row or 1) - 1, int(column or 1) - 1


class Pane:
    """A terminal with the dashboard in it."""

    def __init__(self, terminal: int, process: psutil.Popen, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.cells = Cells(columns, rows)
        self.process = process
        self.written = 0
        """Bytes so far."""
        self._terminal = terminal

    def read(self, seconds: float) -> float | None:
        """Draw the next bytes; when they came, by the wall clock. None: nothing came for so long."""
        if not select.select((self._terminal,), (), (), seconds)[0]:
            return None
        data = os.read(self._terminal, CHUNK)
        now = time.time()
        self.written += len(data)
        self.cells.feed(data)
        return now

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._terminal, keys.encode())

    def follow(self, seconds: float) -> None:
        """Draw whatever comes for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def wait(self, held: Callable[[Cells], bool], what: str, seconds: float = 60.0) -> float:
        """Seconds until it holds of what is shown."""
        began = time.monotonic()
        while not held(self.cells):
            if (waited := time.monotonic() - began) > seconds:
                raise AssertionError(f"waited {seconds:g} s for {what}; the terminal shows\n{self.cells.text()}")
            self.read(seconds - waited)
        return time.monotonic() - began


def a_dashboard(fleet: Path, columns: int = COLUMNS, rows: int = ROWS) -> AbstractContextManager[Pane]:
    """The program `fleetview`, which sees this process's home; ended afterwards."""
    return in_a_pane((str(Path(sys.executable).with_name("fleetview")), "--fleet", str(fleet)), columns, rows)


@contextmanager
def in_a_pane(command: Sequence[str], columns: int, rows: int) -> Iterator[Pane]:
    """A program in a terminal of its own; ended afterwards."""
    terminal, its_side = os.openpty()
    fcntl.ioctl(its_side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "TMUX"):
        environment.pop(name, None)
    process = psutil.Popen(
        command, env=environment, stdin=its_side, stdout=its_side, stderr=its_side, start_new_session=True
    )
    os.close(its_side)
    try:
        yield Pane(terminal, process, columns, rows)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            process.kill()
            process.wait()
        os.close(terminal)
