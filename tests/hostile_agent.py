"""An agent full of texts that try to be more than text, served by a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import ClassVar


@dataclass(frozen=True)
class Answer:
    """What every request to a path is answered with."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    held: bool = False
    """Whether the connection stays open behind it."""


def streamed(events: Sequence[str]) -> Answer:
    """An event stream that goes on and says no more."""
    return Answer("".join(f"{event}\n" for event in events).encode(), kind="application/x-ndjson", held=True)


def chatted(chunks: Sequence[str]) -> Answer:
    """A streamed answer of a model."""
    return Answer("".join(f"data: {chunk}\n\n" for chunk in (*chunks, "[DONE]")).encode(), kind="text/event-stream")


UNKNOWN = Answer(b'{"error": {"code": "not_found", "message": "there is no such thing here"}}', status=404)
"""To what no test says anything about."""


class _Handler(BaseHTTPRequestHandler):
    """Answers by the path alone."""

    answers: ClassVar[Mapping[str, Answer]] = {}
    over: ClassVar[threading.Event]

    def do_GET(self) -> None:
        """Answer, and hold the connection where that is wanted."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.answers.get(self.path.partition("?")[0], UNKNOWN)
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        if answer.held:
            self.over.wait()

    do_POST = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def an_agent_that_says(socket: Path, answers: Mapping[str, Answer]) -> Iterator[None]:
    """Serve on the socket until the end."""
    over = threading.Event()
    handler = type("Handler", (_Handler,), {"answers": answers, "over": over})
    with ThreadingUnixStreamServer(str(socket), handler) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield
        finally:
            over.set()
            server.shutdown()
            serving.join()
