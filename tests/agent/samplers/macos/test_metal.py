from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fleetview_agent.metal_worker import ask
from fleetview_agent.samplers.macos import metal
from fleetview_agent.samplers.macos.metal import ASKING, LIMIT, WORKER, metal_probe
from fleetview_agent.samplers.probing import Moment, Probe, Unreadable
from tests.mac.standin import FIXTURE, M2MAX, Standin

GIBIBYTE = 2**30
MEMORY_BYTES = 64 * GIBIBYTE
PATIENCE_SECONDS = 20.0

Fixture = Callable[..., None]
Children = Callable[[], list[psutil.Process]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixture:
    """Lets children that start from now on see the fixture Mac with other values."""
    fixture = tmp_path / "mac.txt"
    monkeypatch.setenv(FIXTURE, str(fixture))

    def write(**values: object) -> None:
        lines = [f"metal.{key} = {value}\n" for key, value in values.items()]
        fixture.write_text(M2MAX.read_text() + "".join(lines))

    return write


@pytest.fixture
def children() -> Children:
    """Tells which children ask Metal; what other tests have left behind is none of them."""
    before = set(psutil.Process().children())
    return lambda: [child for child in psutil.Process().children() if child not in before and asks_metal(child)]


def asks_metal(child: psutil.Process) -> bool:
    try:
        return WORKER in child.cmdline()
    except psutil.ZombieProcess:  # it has ended, and nobody has looked yet
        return True


def outcome(probe: Probe, seconds: float = 0.0) -> object:
    """What the probe says at a moment: the limit, or why there is none."""
    try:
        return probe.read(Moment(seconds)).values[LIMIT]
    except Unreadable as why:
        return str(why)


def answer(probe: Probe, seconds: float = 0.0, before: object = ASKING) -> object:
    """What the probe says at a moment, when it no longer says what it said before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (said := outcome(probe, seconds)) == before:
        assert time.monotonic() < deadline, f"it still says {said!r}"
        time.sleep(0.01)
    return said


def test_the_first_reading_does_not_wait_and_the_answer_is_kept(
    library: Path, serve: Fixture, children: Children
) -> None:
    serve()
    probe = metal_probe(library, MEMORY_BYTES)
    assert outcome(probe) == ASKING
    assert answer(probe) == 48 * GIBIBYTE
    serve(recommended=GIBIBYTE)
    assert outcome(probe, 100_000.0) == 48 * GIBIBYTE
    assert children() == []
    assert probe.sources == {LIMIT: "Metal, recommendedMaxWorkingSetSize"}


def test_a_limit_above_the_memory_is_the_memory(library: Path, serve: Fixture) -> None:
    serve(recommended=200 * GIBIBYTE)
    assert answer(metal_probe(library, MEMORY_BYTES)) == MEMORY_BYTES


def test_a_gpu_with_memory_of_its_own_may_have_more_than_the_machine(library: Path, serve: Fixture) -> None:
    serve(recommended=80 * GIBIBYTE, unified=0)
    assert answer(metal_probe(library, MEMORY_BYTES)) == 80 * GIBIBYTE


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"devices": 0}, "Metal tells no limit: it lists no GPU"),
        ({"recommended": 0}, "Metal tells no limit for Apple M2 Max"),
        ({"crash": int(signal.SIGSEGV)}, "the program that asks Metal was ended by SIGSEGV"),
        ({"crash": int(signal.SIGRTMIN) + 1}, f"the program that asks Metal was ended by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_where_metal_tells_no_limit_there_is_a_reason(
    children: Children, library: Path, serve: Fixture, values: dict[str, object], reason: str
) -> None:
    serve(**values)
    assert answer(metal_probe(library, MEMORY_BYTES)) == reason
    assert children() == []


def test_without_the_library_there_is_a_reason(tmp_path: Path) -> None:
    said = answer(metal_probe(tmp_path / "none.so", MEMORY_BYTES))
    assert str(said).startswith(f"Metal tells no limit: its library cannot be used: {tmp_path}/none.so")


def test_a_child_that_cannot_start_is_a_reason(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    said = outcome(metal_probe(library, MEMORY_BYTES))
    assert said == "the program that asks Metal did not start: No such file or directory"


def test_a_child_that_says_something_else_is_a_reason(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metal, "WORKER", "this")
    said = str(answer(metal_probe(library, MEMORY_BYTES)))
    assert said.startswith('the program that asks Metal answered b"The Zen of Python')


def test_a_metal_that_hangs_ends_the_child_though_nobody_looks(library: Path, serve: Fixture) -> None:
    serve(hang="yes")
    command = (sys.executable, "-m", WORKER, "0.2", str(library), str(library))
    ended = subprocess.run(command, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode == -signal.SIGALRM


def test_a_child_that_ended_itself_for_lack_of_an_answer_says_so(
    library: Path, serve: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metal, "ANSWER_SECONDS", 0.2)
    serve(hang="yes")
    assert answer(metal_probe(library, MEMORY_BYTES)) == "Metal did not answer within 0.2 s"


def test_a_child_that_hangs_is_killed_and_reaped_when_its_time_is_up(
    library: Path, serve: Fixture, children: Children
) -> None:
    serve(hang="yes")
    probe = metal_probe(library, MEMORY_BYTES)
    assert outcome(probe) == ASKING
    assert outcome(probe, 9.0) == ASKING
    (child,) = children()
    assert outcome(probe, 10.5) == "Metal did not answer within 10 s"
    assert not psutil.pid_exists(child.pid)


def test_closing_ends_a_child_that_still_asks(library: Path, serve: Fixture, children: Children) -> None:
    serve(hang="yes")
    probe = metal_probe(library, MEMORY_BYTES)
    outcome(probe)
    (child,) = children()
    probe.close()
    assert not psutil.pid_exists(child.pid)


def test_after_a_failure_metal_is_asked_again_and_less_often_each_time(
    library: Path, serve: Fixture, children: Children
) -> None:
    failed = "the program that asks Metal was ended by SIGABRT"
    serve(crash=int(signal.SIGABRT))
    probe = metal_probe(library, MEMORY_BYTES)
    assert answer(probe) == failed
    assert outcome(probe, 9.0) == failed
    assert children() == []
    assert outcome(probe, 11.0) == failed  # and a child is asking
    (child,) = children()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert outcome(probe, 12.0) == failed
    serve()
    assert outcome(probe, 31.0) == failed
    assert children() == []
    assert answer(probe, 33.0, before=failed) == 48 * GIBIBYTE


def test_a_changed_wired_limit_makes_metal_be_asked_again(library: Path, serve: Fixture) -> None:
    limits: list[int | None] = [None]
    serve()
    probe = metal_probe(library, MEMORY_BYTES, lambda: limits[-1])
    assert answer(probe) == 48 * GIBIBYTE
    limits.append(57_344)
    serve(recommended=56 * GIBIBYTE)
    assert outcome(probe) == ASKING
    assert answer(probe) == 56 * GIBIBYTE


def test_asking_releases_all(library: Path, tmp_path: Path) -> None:
    mac = Standin(Path(shutil.copy(library, tmp_path)))
    path = str(mac.library)
    assert ask(path, path) == {"name": "Apple M2 Max", "recommended_bytes": 48 * GIBIBYTE, "unified": True}
    mac.set("metal.devices", "0")
    assert ask(path, path) == {"failed": "it lists no GPU"}
    assert mac.count("created") == mac.count("released") == 2
    mac.unset("metal.devices")
    assert ask(path, path) == {"failed": "it lists no GPU"}
    assert mac.count("misused") == 0


def test_the_child_imports_nothing_heavy() -> None:
    code = f"import sys, {WORKER}; print(*{{'pydantic', 'asyncio', 'subprocess'}} & set(sys.modules))"
    assert subprocess.check_output((sys.executable, "-c", code), text=True) == "\n"
