"""Frames between the agent and a child: one JSON object per line, over descriptors that nothing else writes to.

Commands have a `do`: load, chat, complete, warm, cancel. The child ends when its commands end. Replies have an `is`:
progress, loaded, failed; and of a request prompt, tokens, then one of done, cancelled, refused, exceeded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO

Frame = dict[str, Any]  # Any: JSON; each side reads the few keys that the kind of frame has
Send = Callable[[Frame], None]


def encode(frame: Frame) -> bytes:
    """A frame as a line."""
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Frame:
    """The frame of a line. Raises ValueError for anything else."""
    frame = json.loads(line)
    if not isinstance(frame, dict):
        raise ValueError("a frame is a JSON object")  # noqa: TRY004 -- the one error of this function
    return frame


def sender(file: BinaryIO) -> Send:
    """A function that writes frames to `file`, each at once, and waits where the reader does not keep up."""

    def send(frame: Frame) -> None:
        file.write(encode(frame))
        file.flush()

    return send
