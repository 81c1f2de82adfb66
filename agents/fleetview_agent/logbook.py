"""The newest lines that agent and engines wrote: kept for who asks, and told to who follows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from fleetview_agent.log_forms import level_of, time_of
from fleetview_agent.wire import Logged, LogLevel, LogLine

AGENT = "agent"
"""The source of what this program itself writes."""
KEPT_LINES = 1000
"""Of each source."""
KEPT_CHARACTERS = 512 << 10
"""Of each source; an engine that prints pages in a line keeps fewer of them."""
LONGEST_LINE = 2000
BATCH_SECONDS = 0.25
"""Lines that come within this time are told together."""
BURST_LINES = 500
"""Told at once at most, which is more than a load prints; of the others it is said how many they were."""
LINES_PER_SECOND = 400
"""Told in the long run at most."""
_LEVELS: tuple[tuple[int, LogLevel], ...] = (
    (logging.ERROR, "error"),
    (logging.WARNING, "warning"),
    (logging.INFO, "info"),
)
_HARMLESS = {**dict.fromkeys((*range(32), *range(0x7F, 0xA0)), "\ufffd"), ord("\t"): " "}
"""What a terminal might obey."""


class Logbook:
    """Keeps a bounded number of lines for each source; writing costs little however much an engine prints."""

    def __init__(self, publish: Callable[[Logged], None]) -> None:
        self._publish = publish
        self._kept: dict[str, deque[LogLine]] = {}
        self._characters: Counter[str] = Counter()
        self._untold: deque[LogLine] = deque()
        self._left_out: Counter[str] = Counter()
        self._room = float(BURST_LINES)
        """Lines that may be told just now."""
        self._told_at = 0.0

    def heard(self, source: str, model: str | None, text: str) -> None:
        """An engine printed a line; what it says of itself is read from it."""
        if shown := _harmless(text):
            at = time_of(shown) or time.time()
            self.write(LogLine(at=at, source=source, text=shown, level=level_of(shown), model=model))

    def write(self, line: LogLine) -> None:
        """Keep a line, and tell it soon. Only from the event loop."""
        self._keep(line)
        if not self._untold:
            loop = asyncio.get_running_loop()
            since = loop.time() + BATCH_SECONDS - self._told_at
            self._room = min(BURST_LINES, self._room + since * LINES_PER_SECOND)
            loop.call_later(BATCH_SECONDS, self._tell)
        self._untold.append(line)
        if len(self._untold) > self._room:
            self._left_out[self._untold.popleft().source] += 1

    def lines(self, sources: Iterable[str] | None = None) -> tuple[LogLine, ...]:
        """The newest lines of these sources or of all, oldest first."""
        wanted = self._kept if sources is None else set(sources)
        rows = [line for source, lines in self._kept.items() if source in wanted for line in lines]
        return tuple(sorted(rows, key=lambda line: line.at)[-KEPT_LINES:])

    @contextmanager
    def hearing(self, logger: logging.Logger) -> Iterator[None]:
        """While held, what this program writes to its log is kept as well, but for what only helps to debug it."""
        handler = _Handler(self, asyncio.get_running_loop())
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)

    def _keep(self, line: LogLine) -> None:
        """The oldest lines of the same source make room."""
        lines = self._kept.setdefault(line.source, deque())
        lines.append(line)
        self._characters[line.source] += len(line.text)
        while len(lines) > KEPT_LINES or self._characters[line.source] > KEPT_CHARACTERS:
            self._characters[line.source] -= len(lines.popleft().text)

    def _tell(self) -> None:
        """Tell what was written since this was done last."""
        now = time.time()
        missing = (
            LogLine(at=now, source=source, text=f"{count} lines left out here; the log of the node has them")
            for source, count in self._left_out.items()
        )
        lines = (*missing, *self._untold)
        self._told_at = asyncio.get_running_loop().time()
        self._room -= len(self._untold)
        self._untold.clear()
        self._left_out.clear()
        self._publish(Logged(lines=lines))


class _Handler(logging.Handler):
    """Hands what is logged, in whatever thread, to a logbook; traces stay in the log file."""

    def __init__(self, logbook: Logbook, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.INFO)
        self._logbook = logbook
        self._loop = loop

    def emit(self, record: logging.LogRecord) -> None:
        """Called by the logger."""
        text = record.getMessage()
        if record.exc_info and (problem := record.exc_info[1]) is not None:
            text = f"{text}: {type(problem).__name__}: {problem}"
        level = next((name for number, name in _LEVELS if record.levelno >= number), None)
        line = LogLine(at=record.created, source=AGENT, text=_harmless(f"{record.name}: {text}"), level=level)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._logbook.write, line)


def _harmless(text: str) -> str:
    """One line of bounded length, in which a terminal finds no command."""
    line = text.rstrip()
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 1]}…"
    return line if line.isprintable() else line.translate(_HARMLESS)
