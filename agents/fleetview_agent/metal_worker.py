"""Asks Metal about the GPU, in a child process: `python -m fleetview_agent.metal_worker SECONDS METAL OBJC`.

A process of its own, because Metal takes its time and its memory, and a driver's mistake in it must not be the agent's.
It imports nothing of ours, and prints one line of JSON: name, recommended_bytes and unified, or what `failed`.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
from ctypes import CDLL, c_bool, c_char_p, c_uint64, c_ulong, c_void_p
from typing import Any


class _Objects:
    """Messages to objects of Objective-C.

    On Apple silicon `objc_msgSend` must be called with the types of the method that it reaches, and never as a
    function of any number of arguments: so each signature makes a function of its own of it.
    """

    def __init__(self, library: CDLL) -> None:
        self._library = library
        self._selector = ctypes.CFUNCTYPE(c_void_p, c_char_p)(("sel_registerName", library))

    def send(self, receiver: int, message: str, result: Any = None) -> Any:  # Any: what `result` says
        """Send a message without arguments."""
        call = ctypes.CFUNCTYPE(result, c_void_p, c_void_p)(("objc_msgSend", self._library))
        return call(receiver, self._selector(message.encode()))

    def item(self, array: int, index: int) -> int | None:
        """An item of an array, which goes on owning it."""
        call = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_ulong)(("objc_msgSend", self._library))
        item: int | None = call(array, self._selector(b"objectAtIndex:"), index)
        return item


def ask(metal: str, objc: str) -> dict[str, object]:
    """What Metal says of its first GPU. Raises OSError or AttributeError where a library is not as it should be."""
    # Not MTLCreateSystemDefaultDevice, which may find nothing where nobody is logged in at the screen.
    devices = ctypes.CFUNCTYPE(c_void_p)(("MTLCopyAllDevices", CDLL(metal)))()
    if devices is None:
        return {"failed": "it lists no GPU"}
    objects = _Objects(CDLL(objc))
    try:
        device = objects.item(devices, 0) if objects.send(devices, "count", c_ulong) else None
        return {"failed": "it lists no GPU"} if device is None else _described(objects, device)
    finally:
        objects.send(devices, "release")


def _described(objects: _Objects, device: int) -> dict[str, object]:
    """What we want to know of a GPU."""
    name = objects.send(device, "name", c_void_p)
    text = objects.send(name, "UTF8String", c_char_p) if name else None
    return {
        "name": text and text.decode("utf-8", "replace"),
        "recommended_bytes": objects.send(device, "recommendedMaxWorkingSetSize", c_uint64),
        "unified": objects.send(device, "hasUnifiedMemory", c_bool),
    }


def main() -> None:
    """Ask, print, end; and end in any case when the time is up, though the agent be gone by then."""
    seconds, metal, objc = sys.argv[1:]
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    try:
        answer = ask(metal, objc)
    except (OSError, AttributeError) as problem:
        answer = {"failed": f"its library cannot be used: {problem}"}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
