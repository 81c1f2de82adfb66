"""What must be known of the agent's own server when the agent is another one: a small file."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fleetview_agent.paths import private_folder


class State(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(frozen=True)

    pid: int | None = None
    """Of the server that should be running."""
    created_at: float = 0.0
    """Seconds since 1970."""
    ended: tuple[float, ...] = ()
    """When it ended unasked, lately."""
    is_due: bool = False
    """Whether it ended unasked and has not been started again yet."""
    gave_up: str | None = None
    """Why it is not started again; None where it would be."""


def read_state(file: Path) -> State:
    """What was written last; nothing where that is lost or makes no sense."""
    try:
        return State.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return State()


def write_state(file: Path, state: State) -> None:
    """Replace the file, for this account's eyes only. Raises OSError."""
    private_folder(file.parent)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(state.model_dump_json())
    beside.replace(file)
