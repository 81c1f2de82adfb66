"""How long a new agent takes from the start of its program to the first event, with Ollama off and stopped in turn.

Beside the time by the clock stands the agent's time on the processors, which says more on a machine that is busy.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from at_rest import OFF, settings, spent
from figures import promise, spread

from tests.ollama.servers import free_port
from tests.openssh import a_short_folder
from tests.sshd import PROGRAMS

PROMISED_SECONDS = 0.7
LIMIT_SECONDS = 20.0
STEP_SECONDS = 0.002


@dataclass(frozen=True)
class Start:
    """What it took."""

    seconds: float
    cpu_seconds: float


def measure(rounds: int) -> int:
    """Measure and tell; the exit status."""
    with a_short_folder() as folder:
        cases = {
            "Ollama is off": OFF,
            "Ollama is stopped": settings(f"127.0.0.1:{free_port()}", Path(sys.executable), folder / "models"),
        }
        taken: dict[str, list[Start]] = {case: [] for case in cases}
        for turn in range(rounds + 1):
            for case, text in cases.items():
                one = start(folder, text)
                if turn:  # the first ones read the disk
                    taken[case].append(one)
    for case, starts in taken.items():
        print(case)
        print(f"  {spread([one.seconds for one in starts], ' s', 2)}")
        print(f"  {spread([one.cpu_seconds for one in starts], ' s', 2)} on the processors", flush=True)
    most = max(statistics.median(one.seconds for one in starts) for starts in taken.values())
    return promise(f"the first event after at most {PROMISED_SECONDS:g} s", kept=most <= PROMISED_SECONDS)


def start(home: Path, text: str) -> Start:
    """Start an agent, end it, and tell what it took to its first event."""
    file = home / "agent.toml"
    file.write_text(text)
    command = (str(PROGRAMS / "fleetview-agent"), "serve", "--config", str(file))
    began = time.perf_counter()
    with psutil.Popen(command, env={**os.environ, "HOME": str(home)}, stdin=subprocess.DEVNULL) as agent:
        try:
            first_event(home / ".fleetview" / "agent.sock", began + LIMIT_SECONDS)
            cpu_seconds = spent(agent)
            return Start(time.perf_counter() - began, cpu_seconds)
        finally:
            agent.terminate()


def first_event(path: Path, deadline: float) -> None:
    """Return when the agent at the socket has told a whole event."""
    with socket.socket(socket.AF_UNIX) as client:
        while client.connect_ex(str(path)) != 0:
            assert time.perf_counter() < deadline, "the agent does not serve"
            time.sleep(STEP_SECONDS)
        client.sendall(b"GET /api/events?interval=1 HTTP/1.1\r\nHost: agent\r\n\r\n")
        answer = b""
        while b'"type":"snapshot"' not in answer or not answer.endswith(b"\n"):
            piece = client.recv(1 << 16)
            assert piece, "the agent has closed the connection"
            answer += piece
