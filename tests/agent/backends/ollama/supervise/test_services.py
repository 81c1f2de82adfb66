"""A server that a service runs, from the look to the commands; `systemctl` and `sudo` are scripts here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from fleetview_agent.backends.ollama.processes import ProcessTable
from fleetview_agent.backends.ollama.supervise import Supervisor, commands, supervisor, survey
from fleetview_agent.backends.ollama.supervise.facts import LogUnit
from fleetview_agent.backends.ollama.supervise.steps import Run
from fleetview_agent.config import OllamaConfig
from fleetview_agent.errors import BackendFailed
from tests.agent.backends.ollama.supervise.fake import free_address, install
from tests.agent.backends.ollama.supervise.machine import is_gone

SYSTEMCTL = """#!/usr/bin/env bash
[ "$1" = --user ] && exit 1
main=$(cat {folder}/pid 2>/dev/null || echo 0)
case "$1" in
  list-unit-files) echo "ollama.service enabled enabled" ;;
  show)
    [ "$main" = 0 ] && state=inactive || state=active
    printf 'Id=ollama.service\\nLoadState=loaded\\nActiveState=%s\\nMainPID=%s\\n' $state $main
    echo "Environment=OLLAMA_HOST={address}"
    echo "ExecStart={{ path={folder}/ollama ; argv[]={folder}/ollama serve ; }}" ;;
  start)
    [ -e {folder}/broken ] && {{ echo "Job for ollama.service failed." >&2; exit 1; }}
    OLLAMA_HOST={address} setsid {folder}/ollama serve >{folder}/log 2>&1 & echo $! >{folder}/pid ;;
  stop) kill $main; rm {folder}/pid ;;
esac
"""
SUDO = '#!/usr/bin/env bash\nshift\nexec "$@"\n'


class Service:
    """A machine with a systemd of a few lines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = free_address()
        config = OllamaConfig(address=self.address, program=install(folder))
        self.supervisor = Supervisor(config, lambda _: None, folder / "own")
        for name, text in (("systemctl", SYSTEMCTL), ("sudo", SUDO)):
            (folder / name).write_text(text.format(folder=folder, address=self.address))
            (folder / name).chmod(0o755)

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())


@pytest.fixture
async def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(survey, "SYSTEMD", tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(survey, "_cgroup", lambda _pid: "/system.slice/ollama.service")
    service = Service(tmp_path)
    yield service
    if (tmp_path / "pid").exists():
        psutil.Process(service.pid).terminate()


async def test_a_service_is_started_and_stopped_by_its_own_commands(service: Service) -> None:
    agent = service.supervisor
    await agent.look(await asyncio.to_thread(ProcessTable().look))
    rights = "" if os.getuid() == 0 else "sudo -n "
    start, stop = f"{rights}systemctl start ollama.service", f"{rights}systemctl stop ollama.service"
    assert (agent.name, agent.steps("start").commands) == (None, (start,))
    await agent.start()
    server = service.pid
    assert (agent.name, agent.conflict, agent.log_file) == ("systemd service ollama", None, None)
    assert agent.log_unit == LogUnit("ollama.service")
    assert (agent.steps("start").commands, agent.steps("restart").commands) == ((), (stop, start))
    await agent.stop()
    assert is_gone(server)
    assert agent.name is None
    assert not (service.folder / "own").exists()  # nothing of ours was run


async def test_a_command_that_fails_is_told_with_what_it_said(service: Service) -> None:
    (service.folder / "broken").touch()
    with pytest.raises(BackendFailed) as caught:
        await service.supervisor.start()
    assert "systemctl start ollama.service` failed: Job for ollama.service failed. (exit status 1)" in str(caught.value)
    assert caught.value.hint is not None


async def test_a_service_without_a_server_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "APPEAR_SECONDS", 0.3)
    (service.folder / "ollama").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(BackendFailed, match="was told to start Ollama, but no ollama serve appeared within"):
        await service.supervisor.start()


async def test_a_busy_command_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "BUSY_PAUSE_SECONDS", 0.01)
    script = f'echo x >> {tmp_path}/tries; [ "$(wc -l < {tmp_path}/tries)" -ge 3 ] || exit 5'
    await commands.act(Run(("sh", "-c", script), busy=frozenset({5})))
    assert (tmp_path / "tries").read_text() == "x\nx\nx\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-command",), "`no-such-command` failed: there is no command no-such-command on PATH"),
        (("sh", "-c", "exit 7"), "failed: it said nothing (exit status 7)"),
        (("sleep", "9"), "failed: it was not done within 0 s"),
    ],
)
async def test_a_command_that_cannot_be_run_is_told(
    words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "RUN_SECONDS", 0.3)
    with pytest.raises(BackendFailed) as caught:
        await commands.act(Run(words))
    assert told in caught.value.message


def test_the_program_is_looked_for_where_it_usually_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(survey, "USUAL_PLACES", (str(tmp_path / "none"), str(tmp_path / "usual")))
    assert survey.find_program(None) is None
    (tmp_path / "usual").mkdir()
    usual = install(tmp_path / "usual")
    assert survey.find_program(None) == usual
    (tmp_path / "bin").mkdir()
    on_path = install(tmp_path / "bin")
    assert survey.find_program(None) == on_path
    assert survey.find_program(usual) == usual
    assert survey.find_program(tmp_path / "usual") is None
