"""A look at the machine: processes, services, files. Nothing is changed, and nothing of it waits for long."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from fleetview_agent.backends.ollama.processes import Processes, Server
from fleetview_agent.backends.ollama.supervise import launchd, systemd
from fleetview_agent.backends.ollama.supervise.child import serve_environment
from fleetview_agent.backends.ollama.supervise.commands import ask
from fleetview_agent.backends.ollama.supervise.facts import Ancestor, App, Facts, Job, OwnChild, SeenServer, Unit
from fleetview_agent.backends.ollama.supervise.ports import listener, ports_of
from fleetview_agent.config import OllamaConfig

USUAL_PLACES = (
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "~/.local/bin",
    "/Applications/Ollama.app/Contents/Resources",
)
"""Where `ollama` lies when it is not on PATH, which is short for commands over ssh."""
APP_FOLDER = Path("/Applications/Ollama.app")
SYSTEMD = Path("/run/systemd/system")
"""Is there where systemd runs the machine, by its own word."""
CONNECT_SECONDS = 0.5


async def survey(config: OllamaConfig, processes: Processes, child: OwnChild | None) -> Facts:
    """Everything that the decision needs."""
    servers = await asyncio.to_thread(_see_all, processes.servers)
    jobs: tuple[Job, ...] = ()
    units: tuple[Unit, ...] = ()
    app, has_screen = None, False
    strangers = tuple(seen for seen in servers if child is None or seen.server.pid != child.pid)
    if sys.platform == "darwin":
        installed = await asyncio.to_thread(launchd.read_plists, launchd.folders(Path.home()))
        jobs, has_screen = await launchd.find_jobs(ask, installed, strangers, os.getuid())
        app = await asyncio.to_thread(_app)
    elif await asyncio.to_thread(SYSTEMD.is_dir):
        units = await systemd.find_units(ask, strangers, os.getuid())
    return Facts(
        uid=os.getuid(),
        user=await asyncio.to_thread(psutil.Process().username),
        address=config.address,
        address_is_chosen="address" in config.model_fields_set,
        servers=servers,
        jobs=jobs,
        units=units,
        app=app,
        has_screen=has_screen,
        has_sudo=shutil.which("sudo") is not None,
        child=child,
        taken_by=await _taken_by(config.address, servers),
        program=find_program(config.program),
        environment=serve_environment(config.address, config.models, config.serve),
    )


def find_program(configured: Path | None) -> Path | None:
    """The program `ollama`: what agent.toml says, on PATH, or where it usually lies."""
    if configured is not None:
        program = configured.expanduser()
        return program if os.access(program, os.X_OK) and program.is_file() else None
    found = shutil.which("ollama")
    if found is not None:
        return Path(found)
    usual = (Path(place).expanduser() / "ollama" for place in USUAL_PLACES)
    return next((program for program in usual if os.access(program, os.X_OK)), None)


def _see_all(servers: Iterable[Server]) -> tuple[SeenServer, ...]:
    """The servers that are still there; blocking."""
    seen: list[SeenServer] = []
    for server in servers:
        with suppress(psutil.NoSuchProcess):
            seen.append(_see(server))
    return tuple(seen)


def _see(server: Server) -> SeenServer:
    """What tells who started a server. Raises NoSuchProcess."""
    process = psutil.Process(server.pid)
    return SeenServer(
        server,
        ports=ports_of(process),
        ancestors=_ancestors(process),
        cgroup=_cgroup(server.pid),
        environment=_environment(process),
        log_file=_log_file(server.pid),
    )


def _ancestors(process: psutil.Process) -> tuple[Ancestor, ...]:
    """Those above it, the nearest first."""
    found: list[Ancestor] = []
    with suppress(psutil.Error):
        for parent in process.parents():
            with suppress(psutil.NoSuchProcess):
                found.append(Ancestor(parent.pid, parent.name(), _command(parent)))
    return tuple(found)


def _command(process: psutil.Process) -> tuple[str, ...]:
    """Its command line; empty where it cannot be read."""
    try:
        return tuple(process.cmdline())
    except psutil.AccessDenied:
        return ()


def _environment(process: psutil.Process) -> Mapping[str, str]:
    """Its variables; none where they cannot be read."""
    try:
        return dict(process.environ())
    except (psutil.AccessDenied, OSError):
        return {}


def _cgroup(pid: int) -> str:
    """Its place in systemd's hierarchy; empty on systems without."""
    try:
        return systemd.cgroup_of(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return ""


def _log_file(pid: int) -> Path | None:
    """The file that its messages go to; None for a terminal, a pipe, and where it cannot be read."""
    try:
        file = Path(f"/proc/{pid}/fd/2").readlink()
    except OSError:
        return None
    return file if file.is_file() else None


def _app() -> App | None:
    """Ollama's application; None where it is not installed. Blocking."""
    if not APP_FOLDER.is_dir():
        return None
    for process in psutil.process_iter(("name",)):
        with suppress(psutil.Error):
            if process.info["name"] == "Ollama" and "/Ollama.app/" in process.exe():
                return App(process.pid, process.create_time())
    return App()


async def _taken_by(address: str, servers: Iterable[SeenServer]) -> str | None:
    """Who listens at the address, where none of the servers does."""
    host, _, port = address.rpartition(":")
    if any(seen.places is None or int(port) in seen.places for seen in servers):
        return None  # it is theirs, or could be
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return None
    writer.close()
    return await asyncio.to_thread(listener, int(port))
