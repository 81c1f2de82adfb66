"""What can go wrong in the agent, each kind with its HTTP status and code."""

from __future__ import annotations


class AgentError(Exception):
    """A failure told in one sentence, with what to do about it."""

    status = 500
    code = "failed"
    retry_after_seconds: int | None = None
    """When asking again could help; None where waiting does not."""
    param: str | None = None
    """Which part of the request is wrong; None where that cannot be said."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BadRequest(AgentError):
    """The request makes no sense."""

    status = 400
    code = "bad_request"


class Unauthorized(AgentError):
    """Who asks has not shown that they may."""

    status = 401
    code = "unauthorized"


class Forbidden(AgentError):
    """The request comes from where none may come from."""

    status = 403
    code = "forbidden"


class ContextExceeded(AgentError):
    """The prompt does not fit into the model's context."""

    status = 400
    code = "context_exceeded"


class NotFound(AgentError):
    """There is no such model, backend or operation here."""

    status = 404
    code = "not_found"


class NotResident(AgentError):
    """The model is not in memory, and a chat never loads one."""

    status = 409
    code = "not_resident"


class Conflict(AgentError):
    """What is there does not go together with the request."""

    status = 409
    code = "conflict"


class Unusable(AgentError):
    """The file cannot be loaded by this backend, as its header shows."""

    status = 422
    code = "unusable_file"


class Draining(AgentError):
    """The model is about to leave and takes no new requests."""

    status = 503
    code = "draining"
    retry_after_seconds = 5


class RefusedOperation(AgentError):
    """The plan says that it cannot be done; nothing was tried."""

    status = 422
    code = "refused"


class Busy(AgentError):
    """The engine has as many requests waiting as it takes."""

    status = 503
    code = "busy"
    retry_after_seconds = 5


class BackendFailed(AgentError):
    """The engine failed: a load, an answer, or its process."""

    status = 502
    code = "backend_failed"

    def __init__(
        self, message: str, hint: str | None = None, *, log: tuple[str, ...] = (), exit_status: int | None = None
    ) -> None:
        super().__init__(message, hint)
        self.log = log
        self.exit_status = exit_status


class StorageFailed(AgentError):
    """The journal cannot be written, so nothing may be changed."""

    status = 507
    code = "storage_failed"


class DiskFull(AgentError):
    """What was sent does not go onto the disk."""

    status = 507
    code = "disk_full"


class ConfigError(AgentError):
    """agent.toml is wrong."""

    code = "bad_config"


class SocketTaken(AgentError):
    """Another agent serves on this socket."""

    code = "socket_taken"
