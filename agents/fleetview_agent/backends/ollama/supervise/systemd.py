"""Services of systemd: found through the server's control group and by name, read from `systemctl show`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from fleetview_agent.backends.ollama.supervise.commands import Ask
from fleetview_agent.backends.ollama.supervise.facts import SeenServer, Unit, port_of, runs_ollama

PROPERTIES = "Id,LoadState,ActiveState,MainPID,UnitFileState,Environment,ExecStart"
_CONTAINERS = re.compile(r"(docker|containerd|libpod|crio|lxc|machine)[-./]|kubepods|/docker/|/lxc/")
_MANAGER = re.compile(r"/user@(\d+)\.service/")


def cgroup_of(text: str) -> str:
    """The place in systemd's hierarchy out of /proc/PID/cgroup; empty where there is none."""
    places: dict[str, str] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        places[controllers] = place
    return places.get("name=systemd") or places.get("") or ""


def is_container(cgroup: str) -> bool:
    """Whether a process of that control group runs in a container."""
    return _CONTAINERS.search(cgroup) is not None


def unit_of(cgroup: str) -> tuple[str, int | None] | None:
    """The service that a control group belongs to, and the account whose systemd runs it; None: the machine's."""
    name = next((part for part in reversed(PurePosixPath(cgroup).parts) if part.endswith(".service")), None)
    if name is None or name.startswith("user@"):
        return None
    manager = _MANAGER.search(cgroup)
    return name, int(manager[1]) if manager else None


def parse_unit_files(text: str) -> tuple[str, ...]:
    """The services out of `systemctl list-unit-files --no-legend`; templates are none."""
    names = (line.split()[0] for line in text.splitlines() if line.strip())
    return tuple(name for name in names if name.endswith(".service") and not name.endswith("@.service"))


def parse_show(text: str, manager: int | None, servers: frozenset[int] = frozenset()) -> Unit | None:
    """The service out of `systemctl show`; None where it does not exist, or runs none of Ollama's servers."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if values.get("LoadState", "") in {"", "not-found"} or "Id" not in values:
        return None
    main = values.get("MainPID", "0")
    if not runs_ollama((values.get("ExecStart", ""),)) and not (main.isdecimal() and int(main) in servers):
        return None
    return Unit(
        name=values["Id"],
        manager=manager,
        active=values.get("ActiveState", "inactive"),
        main_pid=int(main) if main.isdecimal() and main != "0" else None,
        file_state=values.get("UnitFileState", ""),
        port=port_of(_variable(values.get("Environment", ""), "OLLAMA_HOST")),
    )


async def find_units(ask: Ask, servers: Sequence[SeenServer], uid: int) -> tuple[Unit, ...]:
    """The services that run Ollama's server, or would."""
    places = (unit_of(seen.cgroup) for seen in servers if not is_container(seen.cgroup))
    wanted = {place for place in places if place is not None}
    for manager in (None, uid):
        answer = await ask(*_systemctl(manager), "list-unit-files", "--type=service", "--no-legend", "*ollama*")
        wanted |= {(name, manager) for name in parse_unit_files(answer.output)}
    pids = frozenset(seen.server.pid for seen in servers)
    units: list[Unit] = []
    for name, manager in sorted(wanted, key=str):
        if manager not in {None, uid}:
            units.append(Unit(name, manager, "active"))  # another account's systemd does not talk to us
            continue
        answer = await ask(*_systemctl(manager), "show", "--no-pager", f"--property={PROPERTIES}", name)
        unit = parse_show(answer.output, manager, pids) if answer.status == 0 else None
        if unit is not None:
            units.append(unit)
    return tuple(units)


def _systemctl(manager: int | None) -> tuple[str, ...]:
    """The command for the machine's systemd or for the account's own."""
    return ("systemctl",) if manager is None else ("systemctl", "--user")


def _variable(environment: str, name: str) -> str | None:
    """A variable out of the property Environment."""
    try:
        words = shlex.split(environment)
    except ValueError:
        return None
    return next((word.partition("=")[2] for word in words if word.startswith(f"{name}=")), None)
