"""Programs that print a line for each reading and go on for ever, such as `macmon pipe`.

Such a program costs something for as long as it runs, so it runs at the pace of who reads: a line each second while
readings come seconds apart; else, as with the one reading a minute that is kept for the history, a line every ten
seconds, which then is a mean over these. A reading never waits: it takes the newest line, or says why there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fleetview_agent.samplers.probing import LONGEST_REST_SECONDS, Moment, Unreadable
from fleetview_agent.samplers.running import Line, Run

FAST_SECONDS = 1.0
"""Between two lines, while somebody watches."""
SLOW_SECONDS = 10.0
"""Between two lines, while nobody does."""
WATCHED_SECONDS = 4.0
UNWATCHED_SECONDS = 8.0
"""Readings that come so much apart change the pace; what lies between the two changes nothing, so that it is steady."""
STALE_INTERVALS = 3
"""How old a line may be, in intervals of the pace that is wanted now."""
HUNG_SECONDS = 60.0
"""A program that is silent for so long is ended, and started again."""
FIRST_REST_SECONDS = 1.0
"""How long a program rests before it is started again; longer each time, until it runs for as long as the longest."""


class LineProgram:
    """A program that is started when it is first read, and again, after growing rests, whenever it ends.

    `command`: the seconds between two lines → what to run. It is called in a thread, so it may take its time to find
    out; where the program cannot serve, it raises Unreadable.
    """

    def __init__(
        self, name: str, command: Callable[[float], Sequence[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._command, self._clock = name, command, clock
        self._interval = FAST_SECONDS
        self._read_at: float | None = None
        self._woke_at: float | None = None
        self._wakes: int | None = None
        self._run: Run | None = None
        self._ending: tuple[Run, ...] = ()
        self._newest: Line | None = None
        self._failure: str | None = None
        self._failures = 0
        self._due: float | None = None

    def read(self, moment: Moment) -> str:
        """The newest whole line. Raises Unreadable where there is none, or none that is fresh."""
        now = self._clock()
        if moment.wakes != self._wakes:
            self._wakes, self._woke_at = moment.wakes, now
        self._take()
        self._keep_pace(now)
        self._keep_running(now)
        line = self._newest
        if line is None or (self._woke_at is not None and line.at < self._woke_at):
            raise Unreadable(self._failure or f"{self._name} is starting")
        if (age := now - line.at) > STALE_INTERVALS * self._interval:
            raise Unreadable(self._failure or f"{self._name} has said nothing for {age:.0f} s")
        return line.text

    def close(self) -> None:
        """End the program, and wait until it is gone."""
        self._retire()
        for run in self._ending:
            run.join()
        self._ending = ()

    def _take(self) -> None:
        """Look what the program printed since the last reading."""
        if self._run is not None and (line := self._run.line) is not None and line is not self._newest:
            self._newest, self._failure = line, None

    def _keep_pace(self, now: float) -> None:
        """Let the program run as fast as it is read."""
        before, self._read_at = self._read_at, now
        if before is None:
            return
        if now - before <= WATCHED_SECONDS:
            wanted = FAST_SECONDS
        elif now - before >= UNWATCHED_SECONDS:
            wanted = SLOW_SECONDS
        else:
            return
        if wanted != self._interval:
            self._interval = wanted
            self._retire()

    def _keep_running(self, now: float) -> None:
        """See whether the program still serves, and start it where it is time to."""
        if (run := self._run) is not None:
            run.read_at = now
            if run.over.is_set():
                self._fail(run, run.why, now)
            elif now - (run.started_at if run.line is None else run.line.at) > HUNG_SECONDS:
                self._fail(run, f"{self._name} said nothing for {HUNG_SECONDS:.0f} s and is started again", now)
        if self._run is None and (self._due is None or now >= self._due):
            self._run = Run(self._name, self._command, self._interval, self._clock)

    def _fail(self, run: Run, why: str | None, now: float) -> None:
        """Settle when the program may start again; at once where it was we who ended it."""
        self._retire()
        if why is None:
            return
        if now - run.started_at >= LONGEST_REST_SECONDS:
            self._failures = 0
        self._due = now + min(FIRST_REST_SECONDS * 2 ** min(self._failures, 16), LONGEST_REST_SECONDS)
        self._failures += 1
        self._failure = why

    def _retire(self) -> None:
        """Have the program end, without waiting for it."""
        if self._run is not None:
            self._take()
            self._run.end()
            self._ending = (*(run for run in self._ending if not run.over.is_set()), self._run)
        self._run = None
