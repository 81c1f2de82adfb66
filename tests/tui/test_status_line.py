"""The line for tmux: kept by a running dashboard, printed at once, a dash where nobody keeps it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fleetview.config import FleetConfig, config_of
from fleetview.present.tmux import tmux_line
from fleetview.status_line import OLD_SECONDS, StatusLine, kept_line, line_file
from tests.tui.fake_fleet import NOW, settled, six_nodes


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FLEETVIEW_FLEET", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def a_line(text: str) -> StatusLine:
    """What keeps the line of the fleet file there is none of."""
    return StatusLine(line_file(None), lambda _config, _fleet, _at: text)


async def test_the_line_sums_up_the_fleet() -> None:
    app = six_nodes().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        line = tmux_line(app.config, app.fleet, NOW)
    assert line.startswith("studio 5/6 up · ")
    assert "free · 16.7 tok/s · " in line
    assert line.endswith("· ▲ 3 alerts")


def test_of_an_unknown_fleet_it_says_no_figures_and_never_a_command() -> None:
    config = config_of({"fleet": {"name": "#(reboot)"}})
    assert tmux_line(config, {}, 0.0) == "##(reboot) 0/0 up"


def test_a_kept_line_is_read_and_an_old_one_is_not(home: Path) -> None:
    assert kept_line(None) is None
    line = a_line("fleet 1/1 up")
    line.note(FleetConfig(), {}, 0.0)
    assert kept_line(None) == "fleet 1/1 up"
    file = line_file(None)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept_line(None, file.stat().st_mtime + OLD_SECONDS + 1) is None
    line.close()
    assert kept_line(None) is None
    assert list(file.parent.iterdir()) == []


def test_each_fleet_file_has_its_own_line(home: Path) -> None:
    fleet = home / "other.toml"
    StatusLine(line_file(fleet), lambda _config, _fleet, _at: "other").note(FleetConfig(), {}, 0.0)
    assert kept_line(fleet) == "other"
    assert kept_line(None) is None


def test_the_same_line_is_written_again_only_as_a_sign_of_life() -> None:
    line, file = a_line("same"), line_file(None)
    line.note(FleetConfig(), {}, 0.0)
    os.utime(file, (1, 1))
    line.note(FleetConfig(), {}, 1.0)
    assert file.stat().st_mtime == 1
    line.note(FleetConfig(), {}, 2.0)
    assert file.stat().st_mtime > 1


def test_where_it_cannot_be_written_the_dashboard_goes_on(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    (home / ".local").write_text("no folder")
    line = a_line("fleet")
    line.note(FleetConfig(), {}, 0.0)
    line.note(FleetConfig(), {}, 9.0)
    assert len(caplog.records) == 1


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    run = [sys.executable, "-m", "fleetview", *words]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def test_the_command_prints_the_line_or_a_dash() -> None:
    nobody = command("status", "--tmux")
    assert (nobody.returncode, nobody.stdout) == (1, "–\n")
    assert "no dashboard of this fleet runs here" in nobody.stderr
    a_line("fleet 1/1 up · 12G free").note(FleetConfig(), {}, 0.0)
    kept = command("status", "--tmux")
    assert (kept.returncode, kept.stdout, kept.stderr) == (0, "fleet 1/1 up · 12G free\n", "")


def test_it_imports_nothing_heavy() -> None:
    words = "import sys; from fleetview.__main__ import main; sys.argv[1:] = ['status', '--tmux']; main(); "
    heavy = "{'pydantic', 'textual', 'httpx', 'asyncssh', 'rich', 'asyncio'}"
    check = f"heavy = {heavy} & set(sys.modules); assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", words + check], check=True, capture_output=True)
