"""One life of a program that prints lines, followed by a thread of its own."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from fleetview_agent.samplers.probing import Unreadable

UNREAD_SECONDS = 150.0
"""A program that nobody reads for so long is ended."""
PATIENCE_SECONDS = 1.0
"""How long a program may take to end that was asked to."""
LONGEST_LINE = 1 << 20
CHUNK = 1 << 14
FLOOD_REST_SECONDS = 0.05
"""How long to leave a program alone that prints as fast as it can: the full pipe then holds it up."""
LAST_WORDS_LENGTH = 200


@dataclass(frozen=True)
class Line:
    """What a program printed, and when it came."""

    text: str
    at: float


class Run:
    """A program from its start to its end. `command`: see `LineProgram`."""

    def __init__(
        self, name: str, command: Callable[[float], Sequence[str]], interval: float, clock: Callable[[], float]
    ) -> None:
        self._name, self._command, self._interval, self._clock = name, command, interval, clock
        self.started_at = self.read_at = clock()
        self.line: Line | None = None
        self.over = threading.Event()
        self.why: str | None = None
        """Why it is over; None where it was we who ended it."""
        self._last_words = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_to_end_at: float | None = None
        self._signals = threading.Lock()
        """Held to send a signal and to take the exit status, so that no signal goes to whoever has the id next."""
        self._thread = threading.Thread(target=self._live, name=f"{name}, its lines", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask the program to end; the thread insists."""
        with self._signals:
            if self._asked_to_end_at is None:
                self._asked_to_end_at = time.monotonic()
                self._signal(signal.SIGTERM)

    def join(self) -> None:
        """Wait until it is over."""
        self._thread.join(6 * PATIENCE_SECONDS)

    def _live(self) -> None:
        """From the start to the end."""
        why = f"{self._name} could not be started"
        try:
            why = self._serve(self._command(self._interval))
        except Unreadable as problem:
            why = str(problem)
        except OSError as problem:
            why = f"{self._name} could not be started: {problem.strerror or problem}"
        finally:
            if self._asked_to_end_at is None:
                self.why = why
            self.over.set()

    def _serve(self, command: Sequence[str]) -> str:
        """Start the program, and take what it prints until it is gone; the answer says how it ended."""
        with self._signals:
            if self._asked_to_end_at is not None:
                return ""
            # Out of reach of the terminal's signals. Should we be killed, its next line finds nobody, and it ends.
            self._process = process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
        try:
            self._listen(process)
        finally:
            self._finish(process)
        return f"{self._name} {_how(process.returncode)}{self._last_words} and is started again"

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Take what the program prints until it closes its pipes, or is gone while another holds them."""
        assert process.stdout is not None
        assert process.stderr is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, (Lines(), self._take))
            selector.register(process.stderr, selectors.EVENT_READ, (Lines(), self._take_words))
            while selector.get_map():
                ready = selector.select(PATIENCE_SECONDS)
                if (not ready or self._asked_to_end_at is not None) and self._gone(process):
                    return
                for key, _ in ready:
                    lines, take = key.data
                    if not (chunk := os.read(key.fd, CHUNK)):
                        selector.unregister(key.fileobj)
                    elif (line := lines.newest(chunk)) is not None:
                        take(line)
                    if len(chunk) == CHUNK:
                        time.sleep(FLOOD_REST_SECONDS)
                self._look_after()

    def _take(self, line: str) -> None:
        self.line = Line(line, self._clock())

    def _take_words(self, line: str) -> None:
        printable = "".join(filter(str.isprintable, line))
        self._last_words = f" ({printable[:LAST_WORDS_LENGTH]})"

    def _look_after(self) -> None:
        """End what nobody reads, and kill what does not end."""
        if self._clock() - self.read_at > UNREAD_SECONDS:
            self.end()
        if self._asked_to_end_at is not None and time.monotonic() - self._asked_to_end_at > PATIENCE_SECONDS:
            with self._signals:
                self._signal(signal.SIGKILL)

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        """Make sure that the program is gone, now that nobody listens to it any more."""
        for insist in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not self._gone(process) and time.monotonic() < deadline:
                time.sleep(0.01)
            with self._signals:
                self._signal(insist)
        while not self._gone(process):
            time.sleep(0.01)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()

    def _gone(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether the program has ended; takes its exit status."""
        with self._signals:
            return process.poll() is not None

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and to whatever it started, unless it is gone. `_signals` is held."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):  # macOS forbids what comes too late
                os.killpg(self._process.pid, number)


class Lines:
    """Cuts what comes out of a pipe into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._too_long = False
        """Whether what comes now belongs to a line of which the beginning was dropped."""

    def newest(self, chunk: bytes) -> str | None:
        """The last line that `chunk` completes; None where it completes none."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if lines and self._too_long:
            del lines[0]
            self._too_long = False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._too_long = b"", True
        told = (line.decode(errors="replace").strip() for line in reversed(lines) if len(line) <= LONGEST_LINE)
        return next(filter(None, told), None)


def _how(status: int) -> str:
    """How a program ended."""
    if status >= 0:
        return f"ended with exit status {status}"
    with suppress(ValueError):  # real-time signals have no name
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"
