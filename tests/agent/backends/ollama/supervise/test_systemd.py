"""What systemd says of its services, in the layout that its manual pages give."""

from __future__ import annotations

import pytest

from fleetview_agent.backends.ollama.processes import Server
from fleetview_agent.backends.ollama.supervise.commands import Answer
from fleetview_agent.backends.ollama.supervise.facts import SeenServer, Unit
from fleetview_agent.backends.ollama.supervise.systemd import (
    PROPERTIES,
    cgroup_of,
    find_units,
    is_container,
    parse_show,
    parse_unit_files,
    unit_of,
)

EXEC = (
    "{ path=/usr/local/bin/ollama ; argv[]=/usr/local/bin/ollama serve ; ignore_errors=no ; "
    "start_time=[Mon 2026-11-16 09:12:01 UTC] ; stop_time=[n/a] ; pid=812 ; code=(null) ; status=0/0 }"
)
SHOWN = f"""\
ExecStart={EXEC}
Environment=PATH=/usr/local/bin:/usr/bin "OLLAMA_HOST=0.0.0.0:11434" OLLAMA_ORIGINS=*
MainPID=812
Id=ollama.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
"""
USERS = "/user.slice/user-1000.slice"


def a_server(pid: int, cgroup: str) -> SeenServer:
    return SeenServer(Server(pid, 1, 1.0, ("ollama", "serve"), "ollama"), cgroup=cgroup)


@pytest.mark.parametrize(
    ("text", "cgroup"),
    [
        ("0::/system.slice/ollama.service\n", "/system.slice/ollama.service"),
        ("9:name=systemd:/system.slice/ollama.service\n8:pids:/x\n0::/\n", "/system.slice/ollama.service"),
        ("4:memory:/x\n", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_control_group_is_read_in_both_layouts(text: str, cgroup: str) -> None:
    assert cgroup_of(text) == cgroup


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("/system.slice/ollama.service", ("ollama.service", None)),
        ("/system.slice/system-ollama.slice/ollama@1.service", ("ollama@1.service", None)),
        (f"{USERS}/user@1000.service/app.slice/ollama.service", ("ollama.service", 1000)),
        (f"{USERS}/session-3.scope", None),
        (f"{USERS}/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope", None),
        ("/", None),
        ("", None),
    ],
)
def test_the_service_is_known_by_the_control_group(cgroup: str, unit: tuple[str, int | None] | None) -> None:
    assert unit_of(cgroup) == unit


@pytest.mark.parametrize(
    ("cgroup", "contained"),
    [
        ("/system.slice/docker-8d5629e4.scope", True),
        ("/docker/8d5629e4", True),
        ("/machine.slice/libpod-8d5629e4.scope", True),
        ("/kubepods.slice/kubepods-burstable.slice/cri-containerd-1.scope", True),
        ("/system.slice/ollama.service", False),
        (f"{USERS}/session-3.scope", False),
    ],
)
def test_a_container_is_known_by_the_control_group(cgroup: str, contained: bool) -> None:
    assert is_container(cgroup) == contained


def test_services_are_read_from_the_list_of_unit_files() -> None:
    text = "ollama.service enabled enabled\nollama@.service disabled enabled\nollama-old.service masked enabled\n\n"
    assert parse_unit_files(text) == ("ollama.service", "ollama-old.service")


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ((), Unit("ollama.service", None, "active", 812, "enabled")),
        ((("ActiveState=active", "ActiveState=failed"), ("MainPID=812", "MainPID=0")), "failed"),
        ((("0.0.0.0:11434", "127.0.0.1:9999"),), 9999),
        ((("LoadState=loaded", "LoadState=not-found"),), None),
        (((EXEC, "{ path=/usr/bin/open-webui ; argv[]=/usr/bin/open-webui serve ; }"),), None),
        ((("Environment=PATH", 'Environment="PATH'),), 11434),
    ],
)
def test_a_service_is_read_from_its_properties(changes: tuple[tuple[str, str], ...], unit: object) -> None:
    text = SHOWN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    found = parse_show(text, None)
    match unit:
        case str():
            assert found is not None
            assert (found.active, found.main_pid, found.is_active) == (unit, None, False)
        case int():
            assert found is not None
            assert found.port == unit
        case _:
            assert found == unit


@pytest.mark.parametrize("text", ["", "=", "Id", "Id=x.service\nLoadState=", "MainPID=-1\nLoadState=loaded\nId=x"])
def test_nonsense_from_systemctl_is_no_service(text: str) -> None:
    assert parse_show(text, None) is None


class Systemctl:
    """Answers as systemctl would."""

    def __init__(self, shows: dict[str, str], files: str = "") -> None:
        self.shows = shows
        self.files = files
        self.asked: list[str] = []

    async def __call__(self, *words: str) -> Answer:
        self.asked.append(" ".join(words))
        if "list-unit-files" in words:
            return Answer(1 if "--user" in words else 0, "" if "--user" in words else self.files)
        output = self.shows.get(words[-1])
        return Answer(1, "Failed to connect to bus") if output is None else Answer(0, output)


async def test_a_service_is_found_by_name_while_it_does_not_run() -> None:
    stopped = SHOWN.replace("ActiveState=active", "ActiveState=inactive").replace("MainPID=812", "MainPID=0")
    systemctl = Systemctl({"ollama.service": stopped}, "ollama.service enabled enabled\n")
    assert await find_units(systemctl, (), 1000) == (Unit("ollama.service", None, "inactive", None, "enabled"),)
    assert systemctl.asked == [
        "systemctl list-unit-files --type=service --no-legend *ollama*",
        "systemctl --user list-unit-files --type=service --no-legend *ollama*",
        f"systemctl show --no-pager --property={PROPERTIES} ollama.service",
    ]


async def test_a_service_of_any_name_is_found_by_its_server() -> None:
    shown = SHOWN.replace("Id=ollama", "Id=models").replace(EXEC, "{ path=/opt/run ; argv[]=/opt/run ; }")
    units = await find_units(
        Systemctl({"models.service": shown}), (a_server(812, "/system.slice/models.service"),), 1000
    )
    assert [unit.name for unit in units] == ["models.service"]


async def test_a_service_that_only_logged_somebody_in_is_none() -> None:
    shown = "Id=ssh.service\nLoadState=loaded\nActiveState=active\nMainPID=70\nExecStart={ path=/usr/sbin/sshd ; }\n"
    assert (
        await find_units(Systemctl({"ssh.service": shown}), (a_server(812, "/system.slice/ssh.service"),), 1000) == ()
    )


async def test_the_systemd_of_another_account_is_not_asked() -> None:
    systemctl = Systemctl({})
    server = a_server(812, "/user.slice/user-1001.slice/user@1001.service/app.slice/ollama.service")
    assert await find_units(systemctl, (server,), 1000) == (Unit("ollama.service", 1001, "active"),)
    assert not [words for words in systemctl.asked if " show " in words]
