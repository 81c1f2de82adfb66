from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from fleetview.cli.logs import Printer
from fleetview_agent.wire import LogLevel, LogLine
from tests.tui.cli.conftest import Fleetview, program


def a_line(number: int, level: LogLevel | None = None) -> LogLine:
    return LogLine(at=1_700_000_000.0 + number, source="ollama", text=f"line {number}", level=level)


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [json.loads(line)["text"].removeprefix("line ") for line in capsys.readouterr().out.splitlines()]


def test_the_log_of_an_agent_is_printed_with_times_and_levels(fleetview: Fleetview) -> None:
    done = fleetview("logs", "here", "agent", "-n", "3")
    assert done.status == 0
    first = done.out.splitlines()[0].split()
    assert first[2:4] == ["agent", "info"]
    rows = fleetview("logs", "here", "agent", "--json").json
    assert {row["source"] for row in rows} == {"agent"}
    assert fleetview("logs", "here", "--level", "error", "--json").json == []


def test_logs_name_what_there_is(fleetview: Fleetview) -> None:
    assert fleetview("logs", "hree").status == 2
    assert "did you mean here?" in fleetview("logs", "hree").err
    engine = fleetview("logs", "here", "olama")
    assert engine.status == 2
    assert "there is no backend olama on here; it has simulated" in engine.err
    assert fleetview("logs", "gone", "-f").status == 3


def test_following_ends_tidily_when_interrupted(fleetview: Fleetview, home: Path) -> None:
    fleetview("status", "here")
    with program(home, "logs", "here", "agent", "-f", "-n", "1", stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert process.stderr.read() == "fleetview: interrupted\n"
        finally:
            process.kill()


def test_a_line_is_printed_once_however_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer("all", number=2, as_json=True)
    printer.tell(map(a_line, range(5)))
    assert printed(capsys) == ["3", "4"]
    printer.hear((a_line(4), a_line(5)))
    assert printed(capsys) == ["5"]
    printer.tell(map(a_line, range(8)))  # connected anew: two lines were missed
    assert printed(capsys) == ["6", "7"]


def test_lines_that_are_not_serious_enough_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer("warning", number=10, as_json=True)
    printer.tell((a_line(0), a_line(1, "warning")))
    printer.hear((a_line(2, "info"), a_line(3, "error")))
    assert printed(capsys) == ["1", "3"]


def test_none_of_the_past_is_printed_where_none_is_wished_for(capsys: pytest.CaptureFixture[str]) -> None:
    printer = Printer("all", number=0, as_json=True)
    printer.tell((a_line(0),))
    assert printed(capsys) == []
