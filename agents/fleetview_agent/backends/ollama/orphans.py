"""Ends a runner that outlived its server."""

from __future__ import annotations

import psutil

from fleetview_agent.backends.ollama.processes import Runner
from fleetview_agent.errors import BackendFailed

GRACE_SECONDS = 5.0
"""Between asking a process to end and ending it."""
LAST_SECONDS = 5.0
"""Before we say that it does not end."""
SAME_SECONDS = 0.5
"""Two times of creation that differ by less are those of one process."""


def end_process(runner: Runner) -> None:
    """End the process; nothing where it has ended already. Blocking. Raises BackendFailed."""
    try:
        process = psutil.Process(runner.pid)
        if abs(process.create_time() - runner.created_at) > SAME_SECONDS:
            return  # the number is another process's by now
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(LAST_SECONDS)
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as problem:
        raise BackendFailed(
            f"the orphaned runner with pid {runner.pid} belongs to another account and cannot be ended from here",
            f"sudo kill {runner.pid}",
        ) from problem
    except psutil.TimeoutExpired as problem:
        raise BackendFailed(
            f"the orphaned runner with pid {runner.pid} does not end, even when it is killed",
            "its machine may have to be restarted",
        ) from problem
