"""`fleetview config`: every mistake at once, the path, and a schema that says what the check says."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleetview.cli.fleet_file import schema
from fleetview.cli.run import run
from fleetview.words.parser import parse
from tests.tui.json_schema import offences

ROOT = Path(__file__).parents[3]
FLEET = (ROOT / "fleet.toml").read_text()
WRONG = """[fleet]
name = "cellar"
intervall_seconds = 1

[defaults]
identity = "/nowhere/id_ed25519"

[[node]]
name = "far"
host = "far.lan"
identity = "/nowhere/other"

[[node]]
name = "far"
local = true
port = 22

[ui]
theme = "fleet-drak"

[keys]
"node.swap" = "ctrl+b"
"node.swapp" = "s"
"""
MISTAKES = [
    (3, "there is no key fleet.intervall_seconds; did you mean interval_seconds?"),
    (6, "defaults.identity names /nowhere/id_ed25519, and there is no such file"),
    (11, "node.identity names /nowhere/other, and there is no such file"),
    (14, "two nodes are called far"),
    (16, "node.port must be left out where local = true: that node is this machine, and no ssh leads to it"),
    (19, "there is no theme fleet-drak; did you mean fleet-dark?"),
    (22, "keys.node.swap cannot be ctrl+b: it is the prefix of tmux"),
    (23, "there is no action node.swapp; did you mean node.swap?"),
]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Runs `fleetview config` in an empty home: exit status, standard output and error."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FLEETVIEW_FLEET", raising=False)
    monkeypatch.chdir(tmp_path)
    handlers = tuple(logging.getLogger().handlers)

    def config(*words: str) -> tuple[int, str, str]:
        status = run(parse(("config", *words)))
        return int(status), *capsys.readouterr()

    yield config
    for handler in set(logging.getLogger().handlers) - set(handlers):
        logging.getLogger().removeHandler(handler)
        handler.close()


def uncommented() -> str:
    """The fleet file of the repository with all that it only suggests."""
    lines = [line.removeprefix("# ") for line in FLEET.splitlines()]
    return "\n".join(line for line in lines if line.startswith("[") or " = " in line)


def minded(text: str) -> list[str]:
    """What the schema minds about a file."""
    form = json.loads(json.dumps(schema()))
    return list(offences(tomllib.loads(text), form, form))


def test_every_mistake_has_its_line(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(WRONG)
    status, out, err = call("check", "--fleet", str(file))
    assert (status, out) == (2, "")
    assert err.splitlines() == [f"fleetview: {file}:{line}: {sentence}" for line, sentence in MISTAKES]


def test_programs_get_the_mistakes_as_a_list(call: Call, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(WRONG)
    status, out, err = call("check", "--json")
    told = json.loads(out)
    assert (status, err, told["nodes"]) == (2, "", [])
    assert [(mistake["line"], mistake["sentence"]) for mistake in told["mistakes"]] == MISTAKES
    assert told["mistakes"][0]["key"] == "fleet.intervall_seconds"
    assert {mistake["file"] for mistake in told["mistakes"]} == {"fleet.toml"}


def test_a_file_that_is_right_is_told_with_its_nodes(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").touch()
    (tmp_path / "fleet.toml").write_text(uncommented())
    status, out, err = call("check")
    assert (status, err) == (0, "")
    assert out.startswith("fleet.toml: 7 nodes: here, head-primary, ")
    told = json.loads(call("check", "--json")[1])
    assert told["mistakes"] == []
    assert told["nodes"][0] == "here"


def test_a_private_key_in_the_own_home_is_found_there(call: Call, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text(uncommented())
    status, _, err = call("check")
    assert status == 2
    assert err.endswith("defaults.identity names ~/.ssh/id_ed25519, and there is no such file\n")


def test_without_a_file_nothing_is_wrong(call: Call) -> None:
    assert call("check") == (0, "no fleet file, which is fine: 1 node: here\n", "")
    assert call("path") == (0, "", "fleetview: there is no fleet file, so the fleet is this machine alone\n")
    assert call("path", "--json")[1] == "null\n"


def test_a_file_that_is_named_and_absent_is_a_mistake_and_still_has_its_path(call: Call) -> None:
    assert call("check", "--fleet", "none.toml") == (2, "", "fleetview: none.toml: there is no such file\n")
    assert call("path", "--fleet", "none.toml") == (0, "none.toml\n", "")
    (mistake,) = json.loads(call("check", "--json", "--fleet", "none.toml")[1])["mistakes"]
    assert mistake == {"file": "none.toml", "line": None, "key": "", "sentence": "there is no such file"}


def test_the_schema_takes_the_file_of_the_repository_as_it_is_and_uncommented(call: Call) -> None:
    printed = json.loads(call("schema")[1])
    assert set(printed["properties"]) == {"fleet", "defaults", "node", "alerts", "ui", "keys"}
    assert printed == json.loads(call("schema", "--json")[1])
    assert minded(FLEET) == []
    assert minded(uncommented()) == []
    assert len(tomllib.loads(uncommented())["node"]) == 7
    assert {"alerts", "ui", "keys"} <= set(tomllib.loads(uncommented()))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("fleeet = 1", ".fleeet: unknown"),
        ("[fleet]\nintervall_seconds = 1", ".fleet.intervall_seconds: unknown"),
        ("[fleet]\ninterval_seconds = 0.1", ".fleet.interval_seconds: minimum"),
        ('[[node]]\nname = "a"\nhosst = "a"', ".node[0]: none of these"),
        ("[ui]\nmouse = 1", ".ui.mouse: no boolean"),
        ('[ui]\ntheme = "fleet-drak"', ".ui.theme: enum"),
        ('[keys]\n"node.swapp" = "s"', ".keys.node.swapp: enum"),
        ('[keys]\n"node.swap" = 1', ".keys.node.swap: none of these"),
        ('[alerts]\nmemory_pressure = "hot"', ".alerts.memory_pressure: none of these"),
        ("node = []", ".node: minItems"),
    ],
)
def test_the_schema_minds_what_the_check_minds(text: str, place: str) -> None:
    assert place in minded(text)


def test_other_verbs_load_no_screen_for_the_sake_of_the_fleet_file() -> None:
    code = (
        "import sys; from fleetview.cli import run, status, operate, chat, models;"
        "run.read_config(None);"
        "print(sorted({'textual', 'fleetview.keymap', 'fleetview.themes'} & sys.modules.keys()))"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_dashboard_does_not_start_with_keys_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[keys]\n"node.swap" = "ctrl+b"\n')
    code = (
        "import sys; from fleetview import __main__;"
        "sys.stdin.isatty = sys.stdout.isatty = lambda: True;"
        f"sys.argv = ['fleetview', '--fleet', {str(file)!r}, '--log-file', {str(tmp_path / 'log')!r}];"
        "sys.exit(__main__.main())"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"fleetview: {file}:2: keys.node.swap cannot be ctrl+b: it is the prefix of tmux\n"
