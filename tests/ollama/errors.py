"""What goes wrong in the stand-in, with the status that Ollama gives it."""

from __future__ import annotations


class Refused(Exception):
    """A failure in Ollama's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def not_found(model: str) -> Refused:
    return Refused(404, f"model '{model}' not found")
