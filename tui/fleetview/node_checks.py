"""What nodes of a fleet file may not say, each for itself or beside one another. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleetview.config_errors import Finding

SOCKET_PATH_LIMIT = 103
"""Bytes in the path of a unix socket; macOS has room for 104 with the closing zero."""
OF_SSH = ("host", "user", "port", "identity")
Document = Mapping[str, Any]  # Any: a parsed file, of which nothing is certain yet


def expanded(file: Path) -> Path:
    """A path of this machine. Raises ValueError where nobody has the home that it begins with."""
    try:
        return file.expanduser()
    except RuntimeError:
        raise ValueError(f"must be a path; nobody here has the home {file.parts[0]}") from None


def named_twice(document: Document) -> Iterator[Finding]:
    """Nodes with a name that another one has."""
    seen: set[str] = set()
    for place, node in _tables(document):
        name = node.get("name")
        if isinstance(name, str) and name in seen:
            yield ("node", place, "name"), f"two nodes are called {name}"
        elif isinstance(name, str):
            seen.add(name)


def misplaced_keys(document: Document) -> Iterator[Finding]:
    """What is said about ssh where there is none."""
    why = "must be left out where local = true: that node is this machine, and no ssh leads to it"
    for place, node in _tables(document):
        if node.get("local") is True:
            yield from ((("node", place, key), f"node.{key} {why}") for key in OF_SSH if key in node)


def misplaced_sockets(document: Document) -> Iterator[Finding]:
    """Sockets at paths that no system opens."""
    for place, node in _tables(document):
        socket = node.get("socket")
        if not isinstance(socket, str) or not socket.startswith(("/", "~/")):
            continue  # which their form tells
        try:
            file = expanded(Path(socket)) if node.get("local") is True else Path(socket)
        except ValueError as problem:
            yield ("node", place, "socket"), f"node.socket {problem}"
        else:
            if len(os.fsencode(file)) > SOCKET_PATH_LIMIT:
                yield ("node", place, "socket"), f"node.socket must be a path of at most {SOCKET_PATH_LIMIT} bytes"


def _tables(document: Document) -> Iterator[tuple[int, Document]]:
    """The nodes that are tables, with their places."""
    nodes = document.get("node")
    for place, node in enumerate(nodes if isinstance(nodes, list) else ()):
        if isinstance(node, Mapping):
            yield place, node
