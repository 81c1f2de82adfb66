"""What the agent wants of this process, heard even while llama.cpp computes."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import BinaryIO

from fleetview_agent.llamacpp_worker.pipe import Frame, decode


class Commands:
    """Reads commands in a thread of its own, and ends the process when they end, whatever it is doing.

    So a child never outlives its agent, and its memory is back at once: neither Python nor llama.cpp tidies up.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._queue: SimpleQueue[Frame] = SimpleQueue()
        self._cancelled: int | None = None

    def listen(self) -> None:
        """Begin."""
        threading.Thread(target=self._listen, name="commands", daemon=True).start()

    def next(self) -> Frame:
        """Wait for the next command that is to be carried out."""
        return self._queue.get()

    def is_cancelled(self, request: int) -> bool:
        """Whether nobody wants this answer any more."""
        return self._cancelled == request

    def _listen(self) -> None:
        try:
            for line in self._file:
                frame = decode(line)
                if frame["do"] == "cancel":
                    self._cancelled = frame["id"]
                else:
                    self._queue.put(frame)
        finally:
            os._exit(0)
