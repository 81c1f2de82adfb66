"""Standard input and output as a connection to the agent."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from fleetview_agent.wire import Snapshot
from tests.openssh import a_short_folder
from tests.operators import an_operator
from tests.sshd import PROGRAMS, an_sshd, needs_sshd
from tests.tui.remote.scripted import a_real_agent

DIAL = (str(PROGRAMS / "fleetview-agent"), "dial", "--socket")
LIMIT_SECONDS = 10.0
LARGE = 5_000_000
HELD_AT_MOST = 1 << 20
"""What a connection may hold that nobody takes: a chunk of ours, a pipe, and the kernel's share of a socket."""
SETTLED_SECONDS = 0.3
SHARED = ("asyncio", "pydantic", "starlette", "uvicorn")

Program = subprocess.Popen[bytes]
Serve = Callable[[socket.socket], None]


@pytest.fixture
def path() -> Iterator[Path]:
    with a_short_folder() as folder:
        yield folder / "agent.sock"


@contextmanager
def a_listener(path: Path) -> Iterator[socket.socket]:
    """A bound socket that listens."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(LIMIT_SECONDS)
        yield listener


@contextmanager
def a_server(path: Path, serve: Serve) -> Iterator[None]:
    """Serve one connection in a thread."""
    with a_listener(path) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.settimeout(LIMIT_SECONDS)
                serve(connection)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield
        finally:
            thread.join()


@contextmanager
def a_dial(path: Path) -> Iterator[Program]:
    """The program, ended if it has not ended by itself."""
    pipe = subprocess.PIPE
    with subprocess.Popen((*DIAL, str(path)), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as program:
        try:
            yield program
        finally:
            program.kill()


@contextmanager
def connected(path: Path) -> Iterator[tuple[Program, socket.socket]]:
    """The program and the agent's end of its connection."""
    with a_listener(path) as listener, a_dial(path) as program, listener.accept()[0] as agent:
        agent.settimeout(LIMIT_SECONDS)
        yield program, agent


def stdio(program: Program) -> tuple[IO[bytes], IO[bytes]]:
    """Its input and output."""
    assert program.stdin is not None
    assert program.stdout is not None
    return program.stdin, program.stdout


def ended(program: Program) -> tuple[int, bytes]:
    """Its exit status and what it said on standard error."""
    assert program.stderr is not None
    return program.wait(LIMIT_SECONDS), program.stderr.read()


def gone(agent: socket.socket, seconds: float) -> bool:
    """Whether the other end is closed, for reading and for writing, within so long."""
    watched = select.poll()
    watched.register(agent, 0)
    return any(what & select.POLLHUP for _, what in watched.poll(seconds * 1000))


def pour(file: int) -> int:
    """Write until nobody takes any more, or far too much was taken; how much it was."""
    os.set_blocking(file, False)
    taken = 0
    while taken < 8 * HELD_AT_MOST and select.select((), (file,), (), SETTLED_SECONDS)[1]:
        taken += os.write(file, bytes(4096))
    os.set_blocking(file, True)
    return taken


def taken_in_small_pieces(read: Callable[[int], bytes]) -> bytes:
    """All of it, the way a slow reader takes it."""
    sizes = random.Random(7)  # noqa: S311 - any sizes will do
    return b"".join(iter(lambda: read(sizes.randint(1, 5_000)), b""))


def test_large_streams_pass_both_ways_at_once_byte_for_byte(path: Path) -> None:
    up, down = (random.Random(seed).randbytes(LARGE) for seed in (1, 2))  # noqa: S311 - any bytes will do
    heard: list[bytes] = []

    def serve(agent: socket.socket) -> None:
        said = threading.Thread(target=agent.sendall, args=(down,))
        said.start()
        heard.append(taken_in_small_pieces(agent.recv))
        said.join()

    with a_server(path, serve), a_dial(path) as program:
        source, sink = stdio(program)

        def speak() -> None:
            rest = memoryview(up)
            while rest:
                rest = rest[source.write(rest[:3_000]) :]
            source.close()

        speaker = threading.Thread(target=speak)
        speaker.start()
        got = taken_in_small_pieces(sink.read)
        speaker.join()
        assert ended(program) == (0, b"")
    assert [hashlib.sha256(stream).digest() for stream in (got, *heard)] == [
        hashlib.sha256(stream).digest() for stream in (down, up)
    ]


def test_nothing_piles_up_for_an_agent_that_does_not_read(path: Path) -> None:
    with connected(path) as (program, _):
        assert pour(stdio(program)[0].fileno()) < HELD_AT_MOST


def test_nothing_piles_up_for_a_client_that_does_not_read(path: Path) -> None:
    with connected(path) as (program, agent):
        assert pour(agent.fileno()) < HELD_AT_MOST
        source, _ = stdio(program)
        source.write(b"still heard")  # the other direction is not held up
        assert agent.recv(64) == b"still heard"


def test_the_end_of_the_input_is_told_and_the_answer_still_comes(path: Path) -> None:
    with connected(path) as (program, agent):
        source, sink = stdio(program)
        source.write(b"the question")
        source.close()
        assert b"".join(iter(lambda: agent.recv(64), b"")) == b"the question"
        agent.sendall(b"the answer")
        agent.close()
        assert sink.read() == b"the answer"
        assert ended(program) == (0, b"")


def test_an_agent_that_goes_away_in_the_midst_of_a_request_ends_it(path: Path) -> None:
    with connected(path) as (program, agent):
        source, sink = stdio(program)
        source.write(bytes(4096))
        assert agent.recv(1)
        agent.close()  # with bytes unread: the other end sees a reset
        assert sink.read() == b""
        assert ended(program) == (0, b"")


def test_a_client_that_stops_reading_ends_it_even_while_the_agent_is_silent(path: Path) -> None:
    with connected(path) as (program, agent):
        source, sink = stdio(program)
        sink.close()
        assert ended(program) == (0, b"")
        assert gone(agent, LIMIT_SECONDS)
        source.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_without_a_word(path: Path, number: signal.Signals) -> None:
    with connected(path) as (program, _):
        program.send_signal(number)
        assert ended(program) == (-number, b"")
        assert stdio(program)[1].read() == b""


def test_where_nobody_serves_it_says_so_and_what_to_do(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path, tmp_path / "file"):  # the second has no room for a log, and none is needed
        done = subprocess.run(
            (*DIAL, str(path)), env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == f"fleetview-agent: no agent serves at {path} (fleetview-agent serve starts one)\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_any_other_obstacle_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = tmp_path / "file" / "agent.sock"
    done = subprocess.run((*DIAL, str(wrong)), capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == f"fleetview-agent: cannot reach the agent at {wrong}: Not a directory\n"
    long = tmp_path / ("x" * 120)
    done = subprocess.run((*DIAL, str(long)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "path too long" in done.stderr


def test_it_starts_without_the_heavy_parts_of_the_agent(path: Path) -> None:
    script = (
        "import sys; from fleetview_agent.__main__ import main; import fleetview_agent.serving.dial;"
        f"status = main(); print(status, sorted(sys.modules.keys() & {{*{SHARED}}}))"
    )
    done = subprocess.run(
        (sys.executable, "-c", script, "dial", "--socket", str(path)), capture_output=True, text=True, check=False
    )
    assert done.stdout == "3 []\n", done.stderr


async def test_a_real_agent_answers_through_it(path: Path) -> None:
    async with a_real_agent(path):
        pipe = asyncio.subprocess.PIPE
        program = await asyncio.create_subprocess_exec(*DIAL, str(path), stdin=pipe, stdout=pipe)
        assert program.stdin is not None
        assert program.stdout is not None
        # Its input stays open until the answer is there: a client that hangs up gets none.
        program.stdin.write(b"GET /api/snapshot HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(LIMIT_SECONDS):
            said = await program.stdout.read()
            program.stdin.close()
            await program.wait()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert Snapshot.model_validate_json(body).backends
    assert program.returncode == 0


@needs_sshd
def test_a_dropped_ssh_connection_leaves_none_of_it_behind(path: Path, tmp_path: Path) -> None:
    operator = an_operator(tmp_path / "operator")
    with an_sshd(tmp_path / "sshd", forwarding=False) as server, a_listener(path) as listener:
        server.authorize(operator.key.with_suffix(".pub"))
        operator.know(server.known_as, server.host_public)
        command = operator.ssh_command("-p", str(server.port), "127.0.0.1", *DIAL, str(path))
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe), listener.accept()[0] as agent:
            assert not gone(agent, 0.0)  # the agent is as silent as one that is frozen
            server.drop_sessions()
            assert gone(agent, LIMIT_SECONDS)
