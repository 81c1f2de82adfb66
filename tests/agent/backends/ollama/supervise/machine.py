"""A folder and a port, and agents one after the other that run a server there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from fleetview_agent.backends.ollama.processes import ProcessTable
from fleetview_agent.backends.ollama.supervise import Supervisor
from fleetview_agent.config import OllamaConfig, OllamaServeConfig
from tests.agent.backends.ollama.supervise.fake import free_address


class Machine:
    """A folder, a port, and agents one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = free_address()
        self.lost: list[str] = []
        self.pids: set[int] = set()
        self._agents: list[Supervisor] = []

    @property
    def log(self) -> Path:
        return self.folder / f"server-{self.address.rpartition(':')[2]}.log"

    def agent(self, program: Path | None, **serve: Any) -> Supervisor:  # any of the settings
        config = OllamaConfig(address=self.address, program=program, serve=OllamaServeConfig(**serve))
        self._agents.append(Supervisor(config, self.lost.append, self.folder))
        return self._agents[-1]

    def server(self, agent: Supervisor) -> int:
        """The number of the server that the agent says it runs."""
        own = agent._child.running
        assert own is not None
        self.pids.add(own.pid)
        return own.pid

    def runner(self) -> int:
        [line] = [line for line in self.log.read_text().splitlines() if line.startswith("runner")]
        self.pids.add(int(line.split()[1]))
        return int(line.split()[1])

    async def close(self) -> None:
        for agent in self._agents:
            if agent._child.running is not None:
                self.server(agent)
            await agent.close()
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await until(lambda pid=pid: is_gone(pid))  # type: ignore[misc]  # its value now, not that of the last one


async def look(agent: Supervisor) -> None:
    await agent.look(await asyncio.to_thread(ProcessTable().look))


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
