"""Models copied from one machine to another over ssh, with what was brought there counted."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.gguf_files import Tiny, write_tiny
from tests.ollama.installed import install
from tests.ollama.store import Store
from tests.stories.conftest import NO_ENGINE, until
from tests.stories.machines import Desk, Machine, a_desk, a_machine, an_agent, ended, node
from tests.stories.meter import Meter, a_meter
from tests.stories.ollamas import REAL, free_port

SIZE = Tiny(blocks=24)
"""A model of some megabytes."""
SLOW = ("--limit", "1M")
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Pair:
    """Two machines with their engines, and an operator; what is brought to the second one is counted."""

    here: Machine
    there: Machine
    desk: Desk
    meter: Meter

    @property
    def stores(self) -> tuple[Store, Store]:
        """The models folders of Ollama."""
        return Store(self.here.home.path / "models"), Store(self.there.home.path / "models")

    @property
    def last(self) -> dict[str, Any]:
        """The operation that has ended last at the destination."""
        row: dict[str, Any] = self.there.get("/api/journal")[0]
        return row


@dataclass(frozen=True)
class Copying:
    """A model of the first machine that goes to the second one."""

    pair: Pair
    backend: str
    model: str
    weights: Path
    arrived: Path
    """Where they should come to."""

    @property
    def name(self) -> str:
        """BACKEND/MODEL."""
        return f"{self.backend}/{self.model}"

    @property
    def size_bytes(self) -> int:
        """Of the weights."""
        return self.weights.stat().st_size

    @property
    def digest(self) -> str:
        """Their sha256."""
        return hashlib.sha256(self.weights.read_bytes()).hexdigest()

    @property
    def partial(self) -> Path:
        """What has come of them."""
        return self.pair.there.home.path / ".fleetview" / "incoming" / f"{self.digest}.part"

    @property
    def came_bytes(self) -> int:
        """How much that is."""
        return self.partial.stat().st_size if self.partial.exists() else 0

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Begin to copy, or go on."""
        return self.pair.desk.start("copy", "here", self.name, "there", *options)

    def begun(self) -> subprocess.Popen[str]:
        """A slow copy of which a good part has come."""
        before = self.came_bytes
        copying = self.start(*SLOW)
        try:
            until(lambda: self.came_bytes > before + self.size_bytes // 4, "a part of the file", 30)
        except AssertionError:
            copying.kill()
            raise AssertionError(
                f"{self.came_bytes} of {self.size_bytes} bytes came: {copying.communicate()}"
            ) from None
        return copying

    def assert_arrived(self) -> None:
        """The model is there as it is on the source."""
        assert self.arrived.read_bytes() == self.weights.read_bytes()
        assert not self.partial.exists()
        first, second = self.pair.stores
        assert second.manifest(self.model) == first.manifest(self.model)


def of_ollama(pair: Pair) -> Copying:
    """A new model of the first machine's Ollama."""
    number = next(NUMBERS)
    first, second = pair.stores
    digest = first.create(f"story{number}", write_tiny(pair.here.home.path / "m.gguf", replace(SIZE, seed=number)))
    name = f"story{number}:latest"
    until(lambda: name in pair.here.models("ollama"), "the agent's look at the new model")
    return Copying(pair, "ollama", name, first.blob(digest), second.blob(digest))


def of_llamacpp(pair: Pair) -> Copying:
    """A new GGUF file in the first machine's folder."""
    homes = [machine.home.path / "gguf" for machine in (pair.here, pair.there)]
    name = f"story{next(NUMBERS)}"
    weights = write_tiny(homes[0] / f"{name}.gguf", replace(SIZE, seed=next(NUMBERS)))
    return Copying(pair, "llamacpp", name, weights, homes[1] / weights.name)


@contextmanager
def a_pair(ollama: str) -> Iterator[Pair]:
    """Both machines with their servers running."""
    with ExitStack() as stack:
        machines = [stack.enter_context(a_machine(name, serves=False)) for name in ("here", "there")]
        for machine in machines:
            home = machine.home.path
            (home / "gguf").mkdir()
            program = shutil.which("ollama") if ollama == REAL else install(home / "ollama")
            (home / ".fleetview" / "agent.toml").write_text(
                f'sampler = "simulated"\ncopy_wait_seconds = 4\n'
                f'[llamacpp]\nenabled = {str(not NO_ENGINE).lower()}\nfolders = ["{home}/gguf"]\n'
                f'[ollama]\nprogram = "{program}"\naddress = "127.0.0.1:{free_port()}"\nmodels = "{home}/models"\n'
            )
            stack.enter_context(an_agent(machine.home))
        here, there = machines
        meter = stack.enter_context(a_meter(there.sshd.port))
        desk = stack.enter_context(a_desk())
        desk.may_enter(*machines)
        desk.operator.know(f"[127.0.0.1]:{meter.port}", there.sshd.host_public)
        desk.write_fleet(node(here), node(there).replace(str(there.sshd.port), str(meter.port)))
        for starting in [desk.start("start", machine.name, "ollama") for machine in machines]:
            status, _, errors = ended(starting)
            assert status == 0, errors
        yield Pair(here, there, desk, meter)
