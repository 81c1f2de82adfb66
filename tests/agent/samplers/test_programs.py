"""Programs that print a line for each reading, with real ones that print, hang, flood and die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from fleetview_agent.samplers.probing import Moment
from fleetview_agent.samplers.programs import LineProgram
from fleetview_agent.samplers.running import CHUNK, LONGEST_LINE, Lines
from tests.agent.samplers.children import AWAKE, Clock, is_gone, open_files, told, until

FOR_EVER = "while :; do echo $$; sleep 0.02; done"
STARTING = "unreadable: ticker is starting"
Started = list[float]
Build = Callable[[str], LineProgram]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def started() -> Started:
    """At which interval the program was started, each time."""
    return []


@pytest.fixture
def ticker(clock: Clock, started: Started) -> Iterator[Build]:
    """Makes a program of the shell's words, and ends it after the test."""
    programs: list[LineProgram] = []

    def build(words: str) -> LineProgram:
        def command(interval: float) -> Sequence[str]:
            started.append(interval)
            return ("sh", "-c", words)

        programs.append(LineProgram("ticker", command, clock))
        return programs[-1]

    yield build
    for program in programs:
        program.close()


def a_line(program: LineProgram, moment: Moment = AWAKE) -> str:
    """The first that comes."""
    lines = [""]

    def came() -> bool:
        lines.append(told(program, moment))
        return not lines[-1].startswith("unreadable")

    until(came, "a line")
    return lines[-1]


def fresh_line(program: LineProgram, clock: Clock) -> str:
    """What the program that runs now prints next, awaited without a further reading."""
    lines: list[str] = []

    def came() -> bool:
        run = program._run
        if run is not None and run.line is not None and run.line.at == clock.seconds:
            lines.append(run.line.text)
        return bool(lines)

    until(came, "a line of this moment")
    return lines[0]


def test_the_newest_whole_line_is_read(ticker: Build) -> None:
    program = ticker("echo one; echo two; printf '\\n\\nhal'; exec sleep 60")
    until(lambda: told(program) == "two", "the second line")
    assert told(program) == "two"


def test_nothing_starts_before_the_first_reading_and_that_waits_for_nothing(ticker: Build, started: Started) -> None:
    program = ticker("sleep 0.2; echo late; exec sleep 60")
    assert started == []
    began = time.monotonic()
    assert told(program) == STARTING
    assert time.monotonic() - began < 0.15
    assert a_line(program) == "late"


def test_numbers_are_printed_without_the_commas_of_a_language(ticker: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert a_line(ticker("echo language $LC_ALL; exec sleep 60")) == "language C"


def test_a_program_that_ends_is_started_again_after_growing_rests(
    ticker: Build, started: Started, clock: Clock
) -> None:
    program = ticker("echo 'no such sensor' >&2; exit 3")
    ended = "unreadable: ticker ended with exit status 3 (no such sensor) and is started again"
    for starts, rest in enumerate((1, 2, 4, 8, 16, 32, 60, 60), start=1):
        until(lambda: told(program) == ended and program._run is None, f"the end of run {starts}")
        assert len(started) == starts
        clock.seconds += rest - 0.1
        assert told(program) == ended
        assert len(started) == starts, f"it rested less than {rest} s"
        clock.seconds += 0.2
        assert told(program) == ended


def test_a_program_that_served_for_long_begins_anew_with_short_rests(
    ticker: Build, started: Started, clock: Clock
) -> None:
    program = ticker(FOR_EVER)
    for rest in (1, 2):
        told(program)
        os.kill(int(fresh_line(program, clock)), signal.SIGKILL)
        until(lambda: told(program) and program._run is None, "the end")
        clock.seconds += rest
    for _ in range(16):
        told(program)
        pid = int(fresh_line(program, clock))
        clock.seconds += 4
    os.kill(pid, signal.SIGKILL)
    until(lambda: told(program) and program._run is None, "the end after a minute")
    clock.seconds += 0.9
    told(program)
    assert len(started) == 3
    clock.seconds += 0.2
    told(program)
    until(lambda: len(started) == 4, "the start after the shortest rest")


def test_a_line_that_is_old_is_not_shown_as_new(ticker: Build, clock: Clock) -> None:
    program = ticker("echo once; exec sleep 60")
    assert a_line(program) == "once"
    clock.seconds += 3
    assert told(program) == "once"
    clock.seconds += 1
    assert told(program) == "unreadable: ticker has said nothing for 4 s"


def test_a_program_that_hangs_is_ended_and_started_again(ticker: Build, started: Started, clock: Clock) -> None:
    program = ticker("echo $$; exec sleep 60")
    pid = int(a_line(program))
    for _ in range(16):
        clock.seconds += 4
        why = told(program)
    assert why == "unreadable: ticker said nothing for 60 s and is started again"
    until(lambda: is_gone(pid), "its end")
    clock.seconds += 1
    assert int(a_line(program)) != pid
    assert len(started) == 2


def test_it_runs_slowly_while_readings_are_rare(ticker: Build, started: Started, clock: Clock) -> None:
    program = ticker(FOR_EVER)
    pids = [a_line(program)]
    for passed in (1, 60, 60, 6, 5, 1, 1, 6):
        clock.seconds += passed
        told(program)
        pids.append(fresh_line(program, clock))
    assert started == [1.0, 10.0, 1.0]
    assert len(set(pids)) == 3
    until(lambda: all(is_gone(int(pid)) for pid in pids[:-1] if pid != pids[-1]), "the end of the slower and faster")


def test_a_slow_line_is_no_figure_for_who_begins_to_watch(ticker: Build, started: Started, clock: Clock) -> None:
    program = ticker("echo one; exec sleep 60")
    a_line(program)
    clock.seconds += 60
    told(program)
    fresh_line(program, clock)
    clock.seconds += 9
    assert told(program) == "one"
    clock.seconds += 1
    assert told(program) == "unreadable: ticker has said nothing for 10 s"
    assert a_line(program) == "one"
    assert started == [1.0, 10.0, 1.0]


def test_what_was_printed_before_the_machine_slept_is_not_shown(ticker: Build, clock: Clock) -> None:
    program = ticker("echo $$; trap 'echo awake' USR1; while :; do sleep 0.02; done")
    pid = int(a_line(program))
    asleep = Moment(0.0, wakes=1)
    clock.seconds += 0.5
    assert told(program, asleep) == STARTING
    os.kill(pid, signal.SIGUSR1)
    assert a_line(program, asleep) == "awake"


def test_a_program_that_nobody_reads_ends_until_it_is_read_again(ticker: Build, clock: Clock) -> None:
    program = ticker(FOR_EVER)
    pid = a_line(program)
    clock.seconds += 149
    fresh_line(program, clock)
    assert not is_gone(int(pid))
    clock.seconds += 2
    until(lambda: is_gone(int(pid)), "its end")
    until(lambda: told(program) not in {pid, STARTING} and not told(program).startswith("unreadable"), "another one")


def test_a_flood_is_held_up_rather_than_followed(ticker: Build) -> None:
    program = ticker("exec yes reading")
    assert a_line(program) == "reading"
    spent, began = time.process_time(), time.monotonic()
    until(lambda: time.monotonic() - began > 0.5, "half a second")
    assert a_line(program) == "reading"
    assert time.process_time() - spent < 0.25


def test_a_line_that_is_too_long_is_dropped_and_no_other() -> None:
    lines = Lines()
    text = b"first\n" + b"x" * (3 * LONGEST_LINE) + b"\n" + b"last\n" + b"half"
    heard = [lines.newest(text[at : at + CHUNK]) for at in range(0, len(text), CHUNK)]
    assert [line for line in heard if line is not None] == ["first", "last"]
    assert len(lines._rest) == 4


def test_bytes_that_are_no_text_cost_no_line_after_them() -> None:
    lines = Lines()
    assert lines.newest(b"\xff\xfe\x80\n") == "\ufffd" * 3
    assert lines.newest(b"next\r\n") == "next"


def test_a_program_that_is_not_there_says_so() -> None:
    program = LineProgram("ticker", lambda _: ("/nowhere/ticker",))
    until(lambda: "No such file" in told(program), "the reason")
    assert told(program) == "unreadable: ticker could not be started: No such file or directory"
    program.close()


def test_a_program_that_left_its_pipes_to_another_has_ended(ticker: Build) -> None:
    program = ticker("sleep 60 & echo $!; exit 0")
    heir = int(a_line(program))
    try:
        until(lambda: program._run is None or program._run.over.is_set(), "the end")
    finally:
        os.kill(heir, signal.SIGKILL)


def test_closing_leaves_no_process_no_thread_and_no_descriptor(ticker: Build) -> None:
    files, threads = open_files(), threading.active_count()
    program = ticker("trap '' TERM; sleep 60 & echo $$ $!; while :; do sleep 0.02; done")
    pids = [int(pid) for pid in a_line(program).split()]
    assert open_files() > files
    program.close()
    assert is_gone(pids[0])
    until(lambda: is_gone(pids[1]), "the end of what it started, which was killed but is not ours to wait for")
    assert (open_files(), threading.active_count()) == (files, threads)
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], os.WNOHANG)


def test_the_program_of_an_agent_that_was_killed_ends_by_itself() -> None:
    agent = f"""
import time
from fleetview_agent.samplers.probing import Moment, Unreadable
from fleetview_agent.samplers.programs import LineProgram
program = LineProgram("ticker", lambda _: ("sh", "-c", {FOR_EVER!r}))
while True:
    try:
        print(program.read(Moment(0.0)), flush=True)
    except Unreadable:
        pass
    time.sleep(0.02)
"""
    with subprocess.Popen((sys.executable, "-c", agent), stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        pid = int(killed.stdout.readline())
        assert not is_gone(pid)
        killed.kill()
    until(lambda: is_gone(pid), "the end of what it left behind")
