"""For sources that may hang, such as a driver whose device does not answer: each is asked in a thread of its own.

Who waits in vain goes on without the answer, so that what hangs costs its own figures alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import Any, TypeVar

from fleetview_agent.samplers.probing import Moment, Probe, Reading, Unreadable

PATIENCE_SECONDS = 2.0
"""How long a reading waits for one source; where models keep every core busy, a thread has to wait for its turn."""

T = TypeVar("T")
_Questions = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class Aside:
    """A thread that answers one question at a time, and is started with the first."""

    def __init__(self, name: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._name = name
        self._patience_seconds = patience_seconds
        self._questions: _Questions = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._answer: Future[Any] | None = None
        self._asked_at = 0.0

    def ask(self, question: Callable[[], T], patience_seconds: float | None = None) -> T:
        """The answer, or whatever the question raises. Raises Unreadable while there is none."""
        if self._answer is None or self._answer.done():  # one that came too late is not true any more
            answer = self._begin(question)
            try:
                return answer.result(self._patience_seconds if patience_seconds is None else patience_seconds)
            except TimeoutError:
                if answer.done():  # just now, or it was the question that raised this
                    return answer.result()
        raise Unreadable(f"{self._name} has not answered for {time.monotonic() - self._asked_at:.0f} s")

    def close(self, last: Callable[[], None]) -> None:
        """Ask the last question, and end the thread; one that hangs is left behind, to end with the process."""
        if self._thread is None:
            last()
            return
        with suppress(Unreadable):
            self.ask(last)
        self._questions.put(None)
        if self._answer is not None and self._answer.done():
            self._thread.join()
        self._thread = None

    def _begin(self, question: Callable[[], T]) -> Future[T]:
        """Hand a question to the thread."""
        if self._thread is None:
            self._questions = SimpleQueue()
            self._thread = threading.Thread(target=_answer_all, args=(self._questions,), name=self._name, daemon=True)
            self._thread.start()
        answer: Future[T] = Future()
        self._answer, self._asked_at = answer, time.monotonic()
        self._questions.put((answer, question))
        return answer


def aside(probe: Probe, thread: Aside | None = None) -> Probe:
    """The same probe, which keeps nobody waiting. `thread`: where it is asked, unless in one of its own."""
    thread = thread or Aside(probe.name)

    def read(moment: Moment) -> Reading:
        return thread.ask(lambda: probe.read(moment))

    return replace(probe, read=read, close=lambda: thread.close(probe.close))


def _answer_all(questions: _Questions) -> None:
    """Answer until there are no more questions."""
    while (asked := questions.get()) is not None:
        answer, question = asked
        try:
            answer.set_result(question())
        except Exception as problem:  # noqa: BLE001  # it is raised again where the question was asked
            answer.set_exception(problem)
