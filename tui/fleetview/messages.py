"""What screens ask of the app, and the one failure that the app hands back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from fleetview.chats.records import Target
    from fleetview_agent.wire import Order


class RequestFailed(Exception):
    """What a screen asked for could not be had: one sentence, with what to do about it."""

    def __init__(self, message: str, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        """The agent's word for what kind of refusal it is; None: it was no refusal."""

    def __str__(self) -> str:
        """The sentence and what to do, for people."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class NodeRequested(Message):
    """Show everything about a node."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node


class ChangeRequested(Message):
    """Carry out a change of a node that the operator agreed to."""

    def __init__(self, node: str, request: Order) -> None:
        super().__init__()
        self.node = node
        self.request = request


class ChatRequested(Message):
    """Open a chat with a resident model, or with several side by side."""

    def __init__(self, node: str, backend: str, model: str, targets: tuple[Target, ...] = ()) -> None:
        from fleetview.chats.records import Target  # the first paint does not wait for chats

        super().__init__()
        self.node = node
        self.backend = backend
        self.model = model
        self.targets = targets or (Target(node, backend, model),)
        """All who are asked."""


class CancelRequested(Message):
    """Cancel an operation; the node goes back to where it was."""

    def __init__(self, node: str, operation: str) -> None:
        super().__init__()
        self.node = node
        self.operation = operation
        """Its id."""


class RetryRequested(Message):
    """Connect to a node now, without waiting for the next try."""

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node


class LogsRequested(Message):
    """Follow the logs of a node."""

    def __init__(self, node: str, backend: str | None = None) -> None:
        super().__init__()
        self.node = node
        self.backend = backend
        """None: of the agent and of every engine."""
