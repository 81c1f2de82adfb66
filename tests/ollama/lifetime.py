"""Nothing of the stand-in outlives the tests, not even when they are killed before they can end it."""

from __future__ import annotations

import os
import threading
import time

TESTS = "STANDIN_TESTS"
"""The process for which the stand-in was installed."""
LOOK_SECONDS = 0.5


def end_with_the_tests() -> None:
    """Watch for their end; a server may outlive the agent that started it, so its parent would not do."""
    threading.Thread(target=_watch, args=(int(os.environ[TESTS]),), daemon=True).start()


def _watch(tests: int) -> None:
    while _is_there(tests):
        time.sleep(LOOK_SECONDS)
    os._exit(1)  # nothing is left that a server or a runner could do for anybody


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
