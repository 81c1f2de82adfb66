"""fleet.toml: which machines there are, and how they are shown."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fleetview.config_errors import ConfigError, explain

__all__ = ["ConfigError", "FleetConfig", "NodeConfig", "find_config", "read_config"]

SOCKET_PATH_LIMIT = 103
"""Bytes in the path of a unix socket; macOS has room for 104 with the closing zero."""
ENVIRONMENT = "FLEETVIEW_FLEET"


def _word(text: str) -> str:
    """A name that can stand on a command line, here and on the way through ssh."""
    if not text or not text.isprintable() or any(char.isspace() for char in text):
        raise ValueError("must be a name without spaces")
    if text.startswith("-"):
        raise ValueError("must not begin with a dash")
    return text


Word = Annotated[str, AfterValidator(_word)]
HomePath = Annotated[Path, AfterValidator(Path.expanduser)]
StrictFloat = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the file; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class FleetSection(Section):
    """The fleet as a whole."""

    name: str = "fleet"
    interval_seconds: Annotated[StrictFloat, Field(ge=0.2, le=60)] = 1.0
    """Between samples."""


class Defaults(Section):
    """What nodes reached by ssh have in common."""

    user: Word | None = None
    port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    identity: HomePath | None = None
    """A private key; otherwise ssh-agent and the usual files."""


class NodeConfig(Section):
    """One machine: this one, or one reached by ssh."""

    name: Word
    """What the operator calls it."""
    host: Word | None = None
    """A host name, or a Host of the ssh configuration."""
    user: Word | None = None
    port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    identity: HomePath | None = None
    socket: HomePath | None = None
    """Where the agent serves, if not at the usual place."""
    role: str | None = None
    tags: tuple[str, ...] = ()
    local: StrictBool = False
    """This machine. Its agent is started when none serves, unless there is a `socket`."""

    @model_validator(mode="after")
    def _reachable(self) -> NodeConfig:
        """There is one way to the node."""
        if self.local and self.host is not None:
            raise ValueError(f"node {self.name} has both host and local = true; keep the one that is meant")
        if not self.local and self.host is None:
            raise ValueError(f"node {self.name} has neither host nor local = true")
        if self.local and self.socket and len(os.fsencode(self.socket)) > SOCKET_PATH_LIMIT:
            raise ValueError(f"the socket of node {self.name} has a path above {SOCKET_PATH_LIMIT} bytes")
        return self


class Alerts(Section):
    """When to call the operator's attention."""

    memory_pressure: Literal["warning", "critical"] | None = None
    node_down: StrictBool = False
    gpu_temperature_celsius: Annotated[StrictFloat, Field(gt=0)] | None = None
    tokens_per_second_below: Annotated[StrictFloat, Field(gt=0)] | None = None
    notify: str = "bell"
    """`bell`, or a command that gets the alert as JSON on its standard input."""


class Ui(Section):
    """How it looks."""

    theme: str | None = None
    mouse: StrictBool = False


class FleetConfig(Section):
    """The whole file."""

    fleet: FleetSection = FleetSection()
    defaults: Defaults = Defaults()
    nodes: Annotated[tuple[NodeConfig, ...], Field(validation_alias="node", min_length=1)] = (
        NodeConfig(name="here", local=True),
    )
    alerts: Alerts = Alerts()
    ui: Ui = Ui()
    keys: Mapping[str, str | tuple[str, ...]] = {}
    """Id of an action → its keys."""

    @field_validator("nodes")
    @classmethod
    def _complete(cls, nodes: tuple[NodeConfig, ...], info: ValidationInfo) -> tuple[NodeConfig, ...]:
        """Every name is there once, and nodes reached by ssh have the defaults."""
        names = [node.name for node in nodes]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two nodes are called {twice}")
        common = info.data.get("defaults", Defaults()).model_dump(exclude_none=True)
        return tuple(
            node if node.local else node.model_copy(update={**common, **node.model_dump(include=node.model_fields_set)})
            for node in nodes
        )


def find_config(path: Path | None) -> Path | None:
    """The fleet file: the one that is asked for, else the first that is there, else None: this machine alone."""
    if path is not None:
        return path.expanduser()
    if named := os.environ.get(ENVIRONMENT):
        return Path(named).expanduser()
    usual = (Path.home() / ".config" / "fleetview" / "fleet.toml", Path("fleet.toml"))
    return next((file for file in usual if file.exists()), None)


def read_config(file: Path | None) -> FleetConfig:
    """What `file` says; this machine alone where there is no file.

    Raises ConfigError, which names the file, the line where it can be found, the key, and the nearest valid one.
    """
    if file is None:
        return FleetConfig()
    text = _read(file)
    try:
        return FleetConfig.model_validate(tomllib.loads(text), by_alias=True, by_name=False)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{file}: this is not TOML: {problem}") from problem
    except ValidationError as problem:
        raise ConfigError(explain(file, text, problem, FleetConfig)) from problem


def _read(file: Path) -> str:
    """The text of the file."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise ConfigError(f"{file}: this is a folder, not a fleet file") from None
    except OSError as problem:
        raise ConfigError(f"{file}: it cannot be read: {problem.strerror}") from problem
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ConfigError(f"{file}:{line}: this is not text in UTF-8") from problem
