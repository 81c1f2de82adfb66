"""fleet.toml: which machines there are, and how they are shown."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

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

from fleetview.config_errors import ConfigError, Finding, Mistake, explain, located, unreadable
from fleetview.fleet_path import fleet_path

__all__ = ["Check", "ConfigError", "FleetConfig", "NodeConfig", "find_config", "read_config"]

SOCKET_PATH_LIMIT = 103
"""Bytes in the path of a unix socket; macOS has room for 104 with the closing zero."""

Check = Callable[[Mapping[str, Any]], Iterable[Finding]]  # Any: a parsed file, of which nothing is certain yet
"""Finds mistakes in a parsed file that its form alone does not show."""


def _word(text: str) -> str:
    """A name that can stand on a command line, here and on the way through ssh."""
    if not text or not text.isprintable() or any(char.isspace() for char in text):
        raise ValueError("must be a name without spaces")
    if text.startswith("-"):
        raise ValueError("must not begin with a dash")
    return text


def _host(text: str) -> str:
    """A name that ssh can be given."""
    if "@" in text:
        raise ValueError(f'must be a name alone; write user = "{text.partition("@")[0]}" beside it')
    return text


def _path(path: Path) -> Path:
    """A path that an operating system takes."""
    if not str(path).isprintable():
        raise ValueError("must be a path without control characters")
    return path


def _expanded(path: Path) -> Path:
    """A path of this machine. Raises ValueError where nobody has the home that it begins with."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"must be a path; nobody here has the home {path.parts[0]}") from None


Word = Annotated[str, AfterValidator(_word)]
Host = Annotated[Word, AfterValidator(_host)]
AnyPath = Annotated[Path, AfterValidator(_path)]
HomePath = Annotated[AnyPath, AfterValidator(_expanded)]
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
    local: StrictBool = False  # before the fields that are judged by it
    """This machine. Its agent is started when none serves, unless there is a `socket`."""
    host: Host | None = None
    """A host name, or a Host of the ssh configuration."""
    user: Word | None = None
    port: Annotated[StrictInt, Field(ge=1, le=65535)] | None = None
    identity: HomePath | None = None
    """A private key of this machine."""
    socket: AnyPath | None = None
    """Where the agent serves, if not at the usual place: `~/` is the home on the node, and is left as it is."""
    role: str | None = None
    tags: tuple[str, ...] = ()

    @field_validator("host", "user", "port", "identity")
    @classmethod
    def _only_by_ssh(cls, value: object, info: ValidationInfo) -> object:
        """Nothing is said about ssh where there is none."""
        if info.data.get("local"):
            raise ValueError("must be left out where local = true: that node is this machine, and no ssh leads to it")
        return value

    @field_validator("socket")
    @classmethod
    def _findable(cls, path: Path, info: ValidationInfo) -> Path:
        """A socket does not depend on where a program was started."""
        if not str(path).startswith(("/", "~/")):
            raise ValueError("must be a path that begins with / or ~/")
        path = _expanded(path) if info.data.get("local") else path
        if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
            raise ValueError(f"must be a path of at most {SOCKET_PATH_LIMIT} bytes")
        return path

    @model_validator(mode="after")
    def _reachable(self) -> NodeConfig:
        """There is a way to the node."""
        if not self.local and self.host is None:
            raise ValueError(f"node {self.name} has neither host nor local = true")
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
    ascii: StrictBool | None = None
    """Whether to draw with ASCII alone; None: where the locale has nothing else."""
    columns: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Columns of the table of nodes, by name; None: those that suit the width."""
    sort: str | None = None
    """The column by which its rows are put in order; None: as the nodes stand in this file."""
    group: Literal["role", "tag"] | None = None
    """What its rows are put together by."""


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
        """Nodes reached by ssh have the defaults."""
        common = info.data.get("defaults", Defaults()).model_dump(exclude_none=True)
        return tuple(
            node if node.local else node.model_copy(update={**common, **node.model_dump(include=node.model_fields_set)})
            for node in nodes
        )


def find_config(path: Path | None) -> Path | None:
    """The fleet file: the one that is asked for, else the first that is there, else None: this machine alone.

    Raises ConfigError for a path that begins with the home of nobody.
    """
    try:
        return fleet_path(path)
    except ValueError as problem:
        raise unreadable(Path(str(problem)), "nobody here has such a home") from None


def read_config(file: Path | None, *checks: Check) -> FleetConfig:
    """What `file` says; this machine alone where there is no file.

    Raises ConfigError, which names every mistake with the file, the line where it can be found, the key, and the
    nearest valid one.
    """
    if file is None:
        return FleetConfig()
    text = _read(file)
    document = _parsed(file, text)
    findings = [finding for check in (_named_twice, *checks) for finding in check(document)]
    try:
        config = FleetConfig.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as problem:
        raise located(file, text, (*explain(problem, FleetConfig), *findings)) from problem
    if findings:
        raise located(file, text, findings)
    return config


def _read(file: Path) -> str:
    """The text of the file."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise unreadable(file, "there is no such file") from None
    except IsADirectoryError:
        raise unreadable(file, "this is a folder, not a fleet file") from None
    except OSError as problem:
        raise unreadable(file, f"it cannot be read: {problem.strerror}") from problem
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ConfigError(Mistake(file, line, "", "this is not text in UTF-8")) from problem


def _parsed(file: Path, text: str) -> dict[str, Any]:  # Any: a parsed file, of which nothing is certain yet
    """The file as tables."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        what, _, where = str(problem).rpartition(" (at ")
        place = re.match(r"line (\d+), column (\d+)", where)
        line = int(place[1]) if place else text.rstrip("\n").count("\n") + 1
        column = f" in column {place[2]}" if place else ", where the file ends"
        raise ConfigError(Mistake(file, line, "", f"this is not TOML: {what}{column}")) from problem


def _named_twice(document: Mapping[str, Any]) -> Iterator[Finding]:  # Any: as above
    """Nodes with a name that another one has."""
    nodes = document.get("node")
    seen: set[str] = set()
    for place, node in enumerate(nodes if isinstance(nodes, list) else ()):
        name = node.get("name") if isinstance(node, Mapping) else None
        if isinstance(name, str) and name in seen:
            yield ("node", place, "name"), f"two nodes are called {name}"
        elif isinstance(name, str):
            seen.add(name)
