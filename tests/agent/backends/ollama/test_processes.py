"""Ollama's processes among all others: real processes under the command lines of the real thing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from fleetview_agent.backends.ollama.processes import Processes, ProcessTable, Runner

STAYS = "-m asyncio"
PYTHON = str(Path(sys.executable).resolve())
BLOB = "/srv/models/blobs/sha256-941f309b54ca"
RUNS = f"--model {BLOB} --port 39837 --host 127.0.0.1 --no-webui --offline -c 8192 -np 2 --log-verbosity 4"


@contextmanager
def a_process(called: str, arguments: str, *, starts: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """A process of that command line that waits until it is ended; `starts` is what it starts itself, first."""
    # By such a name Python would not find its home.
    environment = {**os.environ, "PYTHONHOME": sys.base_prefix}
    with NamedTemporaryFile("w", suffix=".py") as script:
        script.write(f"import subprocess, sys\nif {starts!r}: subprocess.Popen({starts!r})\nsys.stdin.read()")
        script.flush()
        command = f"exec -a {called} {PYTHON} {script.name} {arguments}"
        process = subprocess.Popen(["bash", "-c", command], stdin=subprocess.PIPE, env=environment)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def seen(table: ProcessTable, pid: int) -> bool:
    found = table.look()
    return pid in {one.pid for one in (*found.servers, *found.runners)}


def until_seen(table: ProcessTable, *pids: int) -> Processes:
    deadline = time.monotonic() + 5
    while not all(seen(table, pid) for pid in pids):
        assert time.monotonic() < deadline, "the processes were not seen"
        time.sleep(0.02)
    return table.look()


def test_a_server_is_found_with_its_account_and_forgotten_when_it_is_gone() -> None:
    table = ProcessTable()
    with a_process("/usr/local/bin/ollama", "serve") as process:
        found = until_seen(table, process.pid)
        (server,) = [one for one in found.servers if one.pid == process.pid]
        assert server.command[-1] == "serve"
        assert server.user
        process.kill()  # and not yet waited for: a zombie holds nothing and serves nobody
        deadline = time.monotonic() + 5
        while seen(table, process.pid):
            assert time.monotonic() < deadline, "a zombie counts as a server"


def test_a_runner_tells_its_blob_port_context_for_each_sequence_and_memory() -> None:
    table = ProcessTable()
    with a_process("/opt/lib/ollama/llama-server", RUNS) as process:
        found = until_seen(table, process.pid)
    (runner,) = [one for one in found.runners if one.pid == process.pid]
    assert (runner.model, runner.port, runner.context, runner.parallel) == (BLOB, 39837, 4096, 2)
    assert runner.memory_bytes is not None
    assert runner.memory_bytes > 1 << 20
    assert runner.orphaned  # its parent is this test


@pytest.mark.parametrize(
    ("called", "arguments"),
    [
        ("/opt/homebrew/bin/llama-server", "--model /home/ada/models/phi.gguf --port 8080"),
        ("/usr/local/bin/ollama", "run smollm2"),
        ("vim", "ollama serve"),
        ("/usr/bin/grep", f"--model {BLOB}"),
    ],
)
def test_what_only_looks_like_it_is_not_ollamas(called: str, arguments: str) -> None:
    table = ProcessTable()
    with a_process(called, arguments) as other, a_process("/usr/local/bin/ollama", "serve") as server:
        until_seen(table, server.pid)
        assert not seen(table, other.pid)


def test_a_runner_whose_server_is_killed_is_an_orphan_from_then_on() -> None:
    table = ProcessTable()
    child = f"exec -a /opt/lib/ollama/llama-server {PYTHON} {STAYS} {RUNS}"
    with ExitStack() as stack:
        server = stack.enter_context(a_process("/usr/local/bin/ollama", "serve", starts=("bash", "-c", child)))
        until_seen(table, server.pid)
        runner = _runner_of(table, server.pid)
        assert not runner.orphaned
        server.kill()
        server.wait()
        deadline = time.monotonic() + 5
        while not (mine := [one for one in table.look().runners if one.pid == runner.pid]) or not mine[0].orphaned:
            assert time.monotonic() < deadline, "the runner is not an orphan"
        subprocess.run(["kill", "-9", str(runner.pid)], check=True)


def _runner_of(table: ProcessTable, server: int) -> Runner:
    deadline = time.monotonic() + 5
    while not (mine := [one for one in table.look().runners if one.parent_pid == server]):
        assert time.monotonic() < deadline, "the server has no runner"
        time.sleep(0.02)
    return mine[0]
