"""fleet.toml: which machines there are, and how they are shown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fleetview.config_errors import ConfigError, Finding, Mistake, located, unreadable
from fleetview.fleet_path import fleet_path
from fleetview.forms import Wrong, by_name, choice, many, number, path, read_table, switch, table, text, whole
from fleetview.node_checks import expanded, misplaced_keys, misplaced_sockets, named_twice

__all__ = ["Check", "ConfigError", "FleetConfig", "NodeConfig", "config_of", "find_config", "read_config"]

Check = Callable[[Mapping[str, Any]], Iterable[Finding]]  # Any: a parsed file, of which nothing is certain yet
"""Finds mistakes in a parsed file that its form alone does not show."""
OWN_CHECKS: tuple[Check, ...] = (named_twice, misplaced_keys, misplaced_sockets)


def _word(name: str) -> str:
    """A name that can stand on a command line, here and on the way through ssh."""
    if not name or not name.isprintable() or any(char.isspace() for char in name):
        raise ValueError("must be a name without spaces")
    if name.startswith("-"):
        raise ValueError("must not begin with a dash")
    return name


def _host(name: str) -> str:
    """A name that ssh can be given."""
    if "@" in name:
        raise ValueError(f'must be a name alone; write user = "{name.partition("@")[0]}" beside it')
    return name


def _possible(file: Path) -> Path:
    """A path that an operating system takes."""
    if not str(file).isprintable():
        raise ValueError("must be a path without control characters")
    return file


def _absolute(file: Path) -> Path:
    """A path that does not depend on where a program was started."""
    if not str(file).startswith(("/", "~/")):
        raise ValueError("must be a path that begins with / or ~/")
    return file


TEXT = text()
WORD = text(_word)
PORT = whole(minimum=1, maximum=65535)
IDENTITY = path(_possible, expanded)
SWITCH = switch()
TEXTS = many(TEXT)
KEYS = by_name(TEXT, TEXTS, otherwise='must be a key in quotes, or a list of them, as in "node.swap" = "s"')
HOW_NODES_ARE_WRITTEN = "nodes are written as [[node]], with at least a name and either host or local = true"


@dataclass(frozen=True)
class FleetSection:
    """The fleet as a whole."""

    name: Annotated[str, TEXT] = "fleet"
    interval_seconds: Annotated[float, number(minimum=0.2, maximum=60)] = 1.0
    """Between samples."""


@dataclass(frozen=True)
class Defaults:
    """What nodes reached by ssh have in common."""

    user: Annotated[str | None, WORD] = None
    port: Annotated[int | None, PORT] = None
    identity: Annotated[Path | None, IDENTITY] = None
    """A private key; otherwise ssh-agent and the usual files."""


@dataclass(frozen=True)
class NodeConfig:
    """One machine: this one, or one reached by ssh."""

    name: Annotated[str, WORD]
    """What the operator calls it."""
    local: Annotated[bool, SWITCH] = False
    """This machine. Its agent is started when none serves, unless there is a `socket`."""
    host: Annotated[str | None, text(_word, _host)] = None
    """A host name, or a Host of the ssh configuration."""
    user: Annotated[str | None, WORD] = None
    port: Annotated[int | None, PORT] = None
    identity: Annotated[Path | None, IDENTITY] = None
    """A private key of this machine."""
    socket: Annotated[Path | None, path(_possible, _absolute)] = None
    """Where the agent serves, if not at the usual place: `~/` is the home on the node, and is left as it is."""
    role: Annotated[str | None, TEXT] = None
    tags: Annotated[tuple[str, ...], TEXTS] = ()

    def __post_init__(self) -> None:
        """There is a way to the node."""
        if not self.local and self.host is None:
            raise ValueError(f"node {self.name} has neither host nor local = true")


@dataclass(frozen=True)
class Alerts:
    """When to call the operator's attention."""

    memory_pressure: Annotated[Literal["warning", "critical"] | None, choice("warning", "critical")] = None
    node_down: Annotated[bool, SWITCH] = False
    gpu_temperature_celsius: Annotated[float | None, number(exclusiveMinimum=0)] = None
    tokens_per_second_below: Annotated[float | None, number(exclusiveMinimum=0)] = None
    notify: Annotated[str, TEXT] = "bell"
    """`bell`, or a command that gets the alert as JSON on its standard input."""


@dataclass(frozen=True)
class Ui:
    """How it looks."""

    theme: Annotated[str | None, TEXT] = None
    mouse: Annotated[bool, SWITCH] = False
    ascii: Annotated[bool | None, SWITCH] = None
    """Whether to draw with ASCII alone; None: where the locale has nothing else."""
    columns: Annotated[tuple[str, ...] | None, many(TEXT, 1)] = None
    """Columns of the table of nodes, by name; None: those that suit the width."""
    sort: Annotated[str | None, TEXT] = None
    """The column by which its rows are put in order; None: as the nodes stand in this file."""
    group: Annotated[Literal["role", "tag"] | None, choice("role", "tag")] = None
    """What its rows are put together by."""


@dataclass(frozen=True)
class FleetConfig:
    """The whole file."""

    fleet: Annotated[FleetSection, table(FleetSection)] = FleetSection()
    defaults: Annotated[Defaults, table(Defaults)] = Defaults()
    nodes: Annotated[tuple[NodeConfig, ...], many(table(NodeConfig), 1, HOW_NODES_ARE_WRITTEN)] = field(
        default=(NodeConfig(name="here", local=True),), metadata={"key": "node"}
    )
    alerts: Annotated[Alerts, table(Alerts)] = Alerts()
    ui: Annotated[Ui, table(Ui)] = Ui()
    keys: Annotated[Mapping[str, str | tuple[str, ...]], KEYS] = field(default_factory=dict)
    """Id of an action → its keys."""


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
    content = _read(file)
    document = _parsed(file, content)
    findings = [finding for check in (*OWN_CHECKS, *checks) for finding in check(document)]
    try:
        config = read_table(FleetConfig, document)
    except Wrong as problem:
        raise located(file, content, (*problem.findings, *findings)) from problem
    if findings:
        raise located(file, content, findings)
    return _completed(config)


def config_of(document: Mapping[str, Any]) -> FleetConfig:  # Any: as for Check
    """What a parsed file says that offends against no check. Raises Wrong."""
    return _completed(read_table(FleetConfig, document))


def _completed(config: FleetConfig) -> FleetConfig:
    """The fleet with what its nodes have of its defaults."""
    return replace(config, nodes=tuple(_complete(node, config.defaults) for node in config.nodes))


def _complete(node: NodeConfig, defaults: Defaults) -> NodeConfig:
    """A node with the defaults where ssh leads to it, and with a socket that can be opened where it is this machine."""
    if node.local:
        return replace(node, socket=expanded(node.socket)) if node.socket else node
    absent = (one.name for one in fields(defaults) if getattr(node, one.name) is None)
    return replace(node, **{name: getattr(defaults, name) for name in absent})


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
        return content.decode("utf-8-sig")  # some editors put a mark before the first line
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
    except RecursionError:
        raise unreadable(file, "its brackets are nested too deeply") from None
    except ValueError:  # Python's own, about what is a number by the rules of TOML
        raise unreadable(file, "a number in it has more digits than can be read") from None
