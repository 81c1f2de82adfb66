"""The child process of one model: `python -m fleetview_agent.llamacpp_worker COMMANDS REPLIES PARENT`.

The arguments are the descriptors of the two pipes and the process id of the agent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from types import TracebackType

from fleetview_agent.llamacpp_worker.commands import Commands
from fleetview_agent.llamacpp_worker.pipe import sender

_PR_SET_PDEATHSIG = 1


def main(commands: int, replies: int, parent: int) -> int:
    """Run until the agent wants no more, or the engine fails; the exit status."""
    _die_with(parent)
    sys.excepthook = _in_one_line
    heard = Commands(os.fdopen(commands, "rb"))
    heard.listen()
    send = sender(os.fdopen(replies, "wb"))
    # Late: whoever watches the agent must be at it before an import that takes half a second.
    try:
        from fleetview_agent.llamacpp_worker.worker import serve
    except (ImportError, OSError, RuntimeError) as problem:
        send({"is": "failed", "message": f"llama-cpp-python cannot be imported: {problem}"})
        return 1
    return serve(heard, send)


def _die_with(parent: int) -> None:
    """End when the agent ends, even if no Python can run at that time; Linux alone knows this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _in_one_line(kind: type[BaseException], problem: BaseException, trace: TracebackType | None) -> None:
    """The last words of a process that fell over; operators may read them."""
    place = traceback.extract_tb(trace)[-1:] if trace else ()
    where = "".join(f" at {frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in place)
    os.write(2, f"{kind.__name__}{where}: {problem}\n".encode())


if __name__ == "__main__":
    status = main(*map(int, sys.argv[1:]))
    os._exit(status)  # no tidying up at the end: Metal aborts where models are still loaded
