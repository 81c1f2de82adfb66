"""A program `ollama` of a few lines: it listens, logs, has a runner, and ends as it is told to."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

_SCRIPT = """
import os, signal, socket, subprocess, sys, time
mode = {mode!r}
print("OLLAMA_NOPRUNE is", os.environ.get("OLLAMA_NOPRUNE"), flush=True)
if mode == "broken":
    sys.exit("Error: no such GPU")
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
listening = socket.create_server((host, int(port)))
listening.settimeout(60)  # no test takes as long: both end by themselves should theirs have been killed
runner = subprocess.Popen(["sleep", "60"])
print("runner", runner.pid, flush=True)
def end(number, frame):
    runner.kill()
    runner.wait()
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if mode == "stubborn" else end)
while True:
    listening.accept()[0].close()
    if mode == "brief":
        runner.kill()
        sys.exit(3)
    print("asked", flush=True)
"""


def install(folder: Path, mode: str = "") -> Path:
    """Put the program into `folder`, and tell where it lies."""
    script = folder / "fake_ollama.py"
    script.write_text(_SCRIPT.format(mode=mode))
    program = folder / "ollama"
    words = shlex.join((str(Path(sys.executable).resolve()), "-S", str(script)))
    program.write_text(f'#!/usr/bin/env bash\nexec -a "$0" {words} "$@"\n')
    program.chmod(0o755)
    return program


def free_address() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return f"127.0.0.1:{held.getsockname()[1]}"


def say(address: str) -> None:
    """Make it log a line, or end where it is a brief one."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port))).close()
