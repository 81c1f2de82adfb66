"""The most memory that the GPU can have, by Metal, which a short-lived child process asks."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fleetview_agent.samplers.macos.libraries import METAL, OBJC
from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable

WORKER = "fleetview_agent.metal_worker"
LIMIT = "gpu_memory_limit_bytes"
ASKING = "Metal is being asked"
PATIENCE_SECONDS = 3.0
"""How long an answer takes at most, where all is well."""
ANSWER_SECONDS = 10.0
"""After which there will be none."""
FIRST_REST_SECONDS = 10.0
LONGEST_REST_SECONDS = 3600.0


def metal_probe(standin: Path | None, memory_bytes: int, wired_limit: Callable[[], int | None] = lambda: None) -> Probe:
    """The limit, never above the memory that there is.

    `wired_limit`: what the owner has set; when that changes, Metal is asked again.
    """
    limit = _Limit(standin, memory_bytes, wired_limit)
    sources = {LIMIT: "Metal, recommendedMaxWorkingSetSize"}
    return Probe("metal", sources, limit.read, limit.close, patience_seconds=PATIENCE_SECONDS)


class _Limit:
    """Metal's answer, which is kept; a failure is told, and followed by another try after a growing rest."""

    def __init__(self, standin: Path | None, memory_bytes: int, wired_limit: Callable[[], int | None]) -> None:
        self._libraries = (str(standin), str(standin)) if standin else (METAL, OBJC)
        self._memory_bytes = memory_bytes
        self._wired_limit = wired_limit
        self._wired: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._asked_at = 0.0
        self._answer: int | None = None
        self._failure = ASKING
        self._failures = 0
        self._due = -math.inf

    def read(self, moment: Moment) -> Reading:
        """The limit; the first reading only begins to ask. Raises Unreadable."""
        if (wired := self._wired_limit()) != self._wired:
            self._begin_anew(wired)
        if self._child is not None:
            self._look(self._child, moment)
        elif self._answer is None and moment.seconds >= self._due:
            self._ask(moment)
        if self._answer is None:
            raise Unreadable(self._failure)
        return Reading({LIMIT: self._answer})

    def close(self) -> None:
        """End a child that is still asking."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
        self._child = None

    def _begin_anew(self, wired: int | None) -> None:
        """Forget what was said under another limit."""
        self.close()
        self._wired, self._answer, self._failure, self._failures, self._due = wired, None, ASKING, 0, -math.inf

    def _ask(self, moment: Moment) -> None:
        """Start the child, and go on without waiting for it."""
        command = (sys.executable, "-m", WORKER, str(ANSWER_SECONDS), *self._libraries)
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as problem:
            self._fail(f"the program that asks Metal did not start: {problem.strerror}", moment)
        self._asked_at = moment.seconds

    def _look(self, child: subprocess.Popen[bytes], moment: Moment) -> None:
        """Take the child's answer if it is there; end the child if it has had its time."""
        if child.poll() is None:
            # The child has its own alarm; this is for one that did not even get so far.
            if moment.seconds - self._asked_at > ANSWER_SECONDS:
                self.close()
                self._fail(_how(-signal.SIGALRM), moment)
            return
        output, _ = child.communicate()
        self._child = None
        try:
            self._answer = _limit(child.returncode, output, self._memory_bytes)
        except Unreadable as why:
            self._fail(str(why), moment)

    def _fail(self, why: str, moment: Moment) -> None:
        """Keep the reason, and settle when to ask again."""
        self._failure = why
        self._due = moment.seconds + min(FIRST_REST_SECONDS * 2 ** min(self._failures, 16), LONGEST_REST_SECONDS)
        self._failures += 1


def _limit(status: int, output: bytes, memory_bytes: int) -> int:
    """The limit that the child printed. Raises Unreadable."""
    if status:
        raise Unreadable(_how(status))
    try:
        answer: Mapping[str, object] = json.loads(output)
    except ValueError:
        raise Unreadable(f"the program that asks Metal answered {output!r:.40}") from None
    if "failed" in answer:
        raise Unreadable(f"Metal tells no limit: {answer['failed']}")
    recommended = answer["recommended_bytes"]
    if not isinstance(recommended, int) or recommended <= 0:
        raise Unreadable(f"Metal tells no limit for {answer['name'] or 'this GPU'}")
    # Metal repeats what the owner has set, even where that is more than there is.
    return min(recommended, memory_bytes) if answer["unified"] else recommended


def _how(status: int) -> str:
    """How a child ended that gave no answer."""
    if status == -signal.SIGALRM:
        return f"Metal did not answer within {ANSWER_SECONDS:g} s"
    if status > 0:
        return f"the program that asks Metal ended with exit status {status}"
    return f"the program that asks Metal was ended by {_signal_name(-status)}"


def _signal_name(number: int) -> str:
    """Such as SIGSEGV; real-time signals have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
