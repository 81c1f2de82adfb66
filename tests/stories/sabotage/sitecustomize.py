"""Kills llama.cpp's worker where a test wants it, in the midst of its work. In any other process this does nothing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

FOLDER = "FLEETVIEW_TEST_SABOTAGE"
"""Where the orders lie: a file for each phase in which the next worker is to die."""
WORKER = "fleetview_agent.llamacpp_worker"
HALF = 0.5


def strike(phase: str) -> None:
    """Die, if that is the order; it holds for one worker, and what is left of it tells that it was obeyed."""
    folder = Path(os.environ[FOLDER])
    try:
        (folder / phase).rename(folder / f"{phase}.{os.getpid()}")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def spoil() -> None:
    """Ask for orders at half of a load, and before the first token is computed."""
    import llama_cpp
    from llama_cpp import llama_cpp as library

    as_callback, evaluate = library.llama_progress_callback, llama_cpp.Llama.eval

    def watched(report: Any) -> Any:  # Any: what ctypes has for a function type
        def progress(share: float, user_data: object) -> bool:
            if share >= HALF:
                strike("load")
            return bool(report(share, user_data))

        return as_callback(progress)

    def eval_(self: llama_cpp.Llama, tokens: Any) -> None:
        strike("warm")
        evaluate(self, tokens)

    setattr(library, "llama_progress_callback", watched)  # noqa: B010 -- an assignment has another type
    setattr(llama_cpp.Llama, "eval", eval_)  # noqa: B010 -- the same


if FOLDER in os.environ and sys.orig_argv[1:3] == ["-m", WORKER]:
    spoil()
