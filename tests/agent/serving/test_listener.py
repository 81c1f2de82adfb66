"""The private socket: one agent per path, a stale one taken over, nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetview_agent.errors import ConfigError, SocketTaken
from fleetview_agent.serving.listener import Holder, listening

HOLD = """
import sys, time
from pathlib import Path
from fleetview_agent.serving.listener import listening
with listening(Path(sys.argv[1])):
    print("listening", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> int | None:
    """The process that serves at `path`."""
    holder = Holder(path)
    process = holder.process
    holder.close()
    return process


@pytest.fixture
def other_agent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that serves at `agent.sock`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run" / "agent.sock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
        process.kill()


def test_the_socket_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent.sock"
    with listening(path) as listener:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listener.accept()[0].close()
    assert list(path.parent.iterdir()) == []


def test_our_own_folder_is_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".fleetview"
    folder.mkdir(mode=0o755)
    with listening(folder / "agent.sock"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_anybody_elses_open_folder_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    with pytest.raises(ConfigError, match="lets others in"):
        listening(folder / "agent.sock").__enter__()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777


def test_a_living_agent_is_not_pushed_aside(tmp_path: Path, other_agent: subprocess.Popen[str]) -> None:
    path = tmp_path / "run" / "agent.sock"
    with pytest.raises(SocketTaken, match=rf"serves already at .*agent\.sock \(process {other_agent.pid}\)"):
        listening(path).__enter__()
    assert path.is_socket()
    assert holder(path) == other_agent.pid


def test_the_socket_of_a_killed_agent_is_taken_over(tmp_path: Path, other_agent: subprocess.Popen[str]) -> None:
    path = tmp_path / "run" / "agent.sock"
    other_agent.send_signal(signal.SIGKILL)
    other_agent.wait()
    assert path.is_socket()
    assert holder(path) is None
    with listening(path):
        assert holder(path) == os.getpid()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent.sock"
    path.parent.mkdir(mode=0o700)
    path.write_text("precious")
    with pytest.raises(ConfigError, match="is not a socket"):
        listening(path).__enter__()
    assert path.read_text() == "precious"


def test_a_path_that_no_mac_could_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="103 bytes"):
        listening(tmp_path / ("x" * 100) / "agent.sock").__enter__()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/run/agent\.sock"):
        listening(tmp_path / "file" / "run" / "agent.sock").__enter__()
