"""What every model of the wire is, and the one form of a failure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """What all models of the wire have in common."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)  # JSON has neither


class ErrorBody(Wire):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str | None = None


class ErrorAnswer(Wire):
    """The one form of every failure."""

    error: ErrorBody
