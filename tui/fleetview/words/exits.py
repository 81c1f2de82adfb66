"""How the command line ends."""

from __future__ import annotations

from enum import IntEnum

from fleetview.remote.errors import Refused, RemoteError


class Exit(IntEnum):
    """What the exit status says."""

    DONE = 0
    FAILED = 1
    """The operation failed or was rolled back."""
    USAGE = 2
    """Wrong usage or configuration, unknown node or model."""
    UNREACHABLE = 3
    REFUSED = 4
    """It does not fit, the file is unusable, or nothing may be changed."""
    INTERRUPTED = 130


class CommandError(Exception):
    """A verb could not be carried out: a sentence, and the exit status that it means."""

    def __init__(self, message: str, status: Exit) -> None:
        super().__init__(message)
        self.status = status


CODES = {"failed": Exit.FAILED, "backend_failed": Exit.FAILED, "not_found": Exit.USAGE, "bad_request": Exit.USAGE}
"""What the codes of agents mean here; every other one is a refusal."""


def status_of(problem: RemoteError) -> Exit:
    """The exit status that a failure of a node, or of the way to it, means."""
    return CODES.get(problem.code, Exit.REFUSED) if isinstance(problem, Refused) else Exit.UNREACHABLE
