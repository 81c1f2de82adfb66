"""A machine behind a real sshd, and somebody who may log in to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fleetview.config import NodeConfig
from tests.openssh import a_short_folder, public
from tests.sshd import Operator, Sshd, an_operator, an_sshd


@dataclass(frozen=True)
class Pair:
    """An operator, and a server that knows the operator's key and is known."""

    operator: Operator
    server: Sshd
    folder: Path

    @property
    def home(self) -> Path:
        """Of the account on the machine."""
        return self.folder / "there"

    @property
    def socket(self) -> Path:
        """Where the machine's agent is looked for."""
        return self.home / ".fleetview" / "agent.sock"

    def node(self, **changes: Any) -> NodeConfig:  # Any: each field has a type of its own
        """The machine as a node of a fleet file."""
        return replace(NodeConfig(name="studio", host="127.0.0.1", port=self.server.port), **changes)


@contextmanager
def a_pair(*, forwarding: bool = True, exec_: bool = True) -> Iterator[Pair]:
    """An operator who can log in at once."""
    with a_short_folder() as folder:
        operator = an_operator(folder / "here")
        (folder / "there" / ".fleetview").mkdir(parents=True)
        with an_sshd(folder / "sshd", home=folder / "there", forwarding=forwarding, exec_=exec_) as server:
            server.authorize(public(operator.key))
            operator.know(server.known_as, server.host_public)
            yield Pair(operator, server, folder)
