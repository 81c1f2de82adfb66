"""What another client asks of Ollama is seen while it happens, and told when it has ended."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

import ollama as official

from tests.stories.conftest import needs_engine
from tests.stories.ollamas import MODEL, NAME, REAL, STAND_IN, OllamaHome, a_home_with_ollama, both_ollamas

pytestmark = needs_engine
TOKENS = {REAL: 1000, STAND_IN: 300}
"""The stand-in's engine is slower."""
COUNTING = "1, 2, 3, 4, 5, 6,"
"""What the model goes on with for as long as one likes."""
SEEN_SECONDS = 2.5
"""How soon another client's tokens per second must show."""
WITHIN = 0.05
"""How far our figures may be from the client's own."""


@dataclass(frozen=True)
class Heard:
    """An event of the agent, and when it came."""

    at: float
    event: dict[str, Any]


@both_ollamas
def test_another_clients_answer_is_seen_live_and_told_when_it_has_ended(ollama: str) -> None:
    with a_home_with_ollama(ollama) as home:
        home.made(context="2048")
        home.do("load", "here", MODEL, "--ctx", "2048")
        with events_of(home) as heard:
            began, last = an_answer(home, TOKENS[ollama])
            rated = next(one for one in of_type(heard, "sampled", 0) if rate(one.event))
            (served,) = [one.event for one in of_type(heard, "served", 5)]

        assert last.eval_count == TOKENS[ollama]
        assert rated.at - began < SEEN_SECONDS
        assert served["model"] == f"{NAME}:latest"
        assert abs(served["completion_tokens"] - last.eval_count) <= WITHIN * last.eval_count
        theirs = last.eval_count / last.eval_duration * 1e9
        assert abs(served["tokens_per_second"] - theirs) <= WITHIN * theirs
        assert served["inferred"] is True


def an_answer(home: OllamaHome, tokens: int) -> tuple[float, Any]:
    """Stream an answer of that length by the official client: when it was asked for, and its last chunk."""
    options = {"num_predict": tokens, "num_ctx": 2048, "temperature": 0}
    with official.Client(host=f"http://127.0.0.1:{home.port}") as client:
        began = time.monotonic()
        chunks = client.generate(NAME, COUNTING, stream=True, raw=True, options=options)
        return began, deque(chunks, maxlen=1).pop()


@contextmanager
def events_of(home: OllamaHome) -> Iterator[Queue[Heard]]:
    """The agent's events as they come, sampled once a second."""
    heard: Queue[Heard] = Queue()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(home.socket))
        connection.sendall(b"GET /api/events?interval=1 HTTP/1.0\r\nHost: agent\r\n\r\n")
        thread = threading.Thread(target=_listen, args=(connection, heard), daemon=True)
        thread.start()
        heard.get(timeout=10)  # the snapshot: from here on we hear everything
        try:
            yield heard
        finally:
            connection.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _listen(connection: socket.socket, heard: Queue[Heard]) -> None:
    """Put every event into the queue."""
    for line in connection.makefile():
        if line.startswith("{"):
            heard.put(Heard(time.monotonic(), json.loads(line)))


def of_type(heard: Queue[Heard], kind: str, seconds: float) -> Iterator[Heard]:
    """Events of that type that have come, or come within that time."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 or not heard.empty():
        with suppress(Empty):
            one = heard.get(timeout=max(left, 0.01))
            if one.event["type"] == kind:
                yield one


def rate(event: dict[str, Any]) -> float | None:
    """The tokens per second of the model, in a sample."""
    rows = event["sample"]["traffic"]
    return next((row.get("generation_tokens_per_second") for row in rows if row["backend"] == "ollama"), None)
