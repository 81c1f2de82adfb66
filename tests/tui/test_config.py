"""The fleet file: what it may say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.config import ConfigError, FleetConfig, NodeConfig, find_config, read_config

ROOT = Path(__file__).parent.parent.parent
HERE = '[[node]]\nname = "here"\nlocal = true\n'


HOW_NODES_ARE_WRITTEN = ":1: nodes are written as [[node]], with at least a name and either host or local = true"


def fleet(folder: Path, text: str) -> FleetConfig:
    file = folder / "fleet.toml"
    file.write_text(text)
    return read_config(file)


def complaint(folder: Path, text: str) -> str:
    """What is said of a wrong file, after the file's own name."""
    with pytest.raises(ConfigError) as told:
        fleet(folder, text)
    return str(told.value).removeprefix(str(folder / "fleet.toml"))


def test_without_a_file_the_fleet_is_this_machine_alone() -> None:
    assert read_config(None).nodes == (NodeConfig(name="here", local=True),)


def test_a_file_without_a_node_is_about_this_machine_too(tmp_path: Path) -> None:
    config = fleet(tmp_path, "[ui]\nmouse = true\n")
    assert config.ui.mouse
    assert config.nodes == read_config(None).nodes


def test_the_file_of_the_repository_is_the_same_as_none_but_for_its_name() -> None:
    config = read_config(ROOT / "fleet.toml")
    assert config.nodes == read_config(None).nodes
    assert (config.fleet.name, config.fleet.interval_seconds) == ("studio", 1.0)


def test_the_commented_fleet_of_the_repository_is_valid_when_it_is_uncommented(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in (ROOT / "fleet.toml").read_text().splitlines()]
    config = fleet(tmp_path, "\n".join(line for line in lines if line.startswith("[") or " = " in line))
    assert [node.name for node in config.nodes if node.host] == [
        "head-primary",
        "head-secondary",
        "worker-primary",
        "worker-secondary",
        "laptop-primary",
        "laptop-secondary",
    ]
    assert {node.user for node in config.nodes} == {"operator", None}
    assert config.keys == {"node.swap": "s"}


def test_nodes_behind_ssh_have_the_defaults_unless_they_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    text = '[defaults]\nuser = "ada"\nidentity = "~/key"\n[[node]]\nname = "a"\nhost = "a.lan"\n'
    config = fleet(tmp_path, text + '[[node]]\nname = "b"\nhost = "b.lan"\nuser = "bob"\nport = 2222\n')
    assert [(node.user, node.port, node.identity) for node in config.nodes] == [
        ("ada", None, Path("/home/ada/key")),
        ("bob", 2222, Path("/home/ada/key")),
    ]


def test_keys_may_be_one_or_several(tmp_path: Path) -> None:
    config = fleet(tmp_path, '[keys]\n"node.swap" = "s"\n"chat.open" = ["c", "f2"]\n')
    assert config.keys == {"node.swap": "s", "chat.open": ("c", "f2")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[node]]\nname = "a"\nhots = "x"\n', ":3: there is no key node.hots; did you mean host?"),
        (HERE + '[[node]]\nname = "b"\nlocal = true\nprot = 3\n', ":7: there is no key node.prot; did you mean port?"),
        ("[ui]\n\ntehme = 1\n", ":3: there is no key ui.tehme; did you mean theme?"),
        ('[[nodes]]\nname = "a"\n', ":1: there is no key nodes; did you mean node?"),
        ("zzzzzz = 1\n", ":1: there is no key zzzzzz"),
        ('[[node]]\nname = "a"\n', ":1: node a has neither host nor local = true"),
        (HERE + 'host = "h"\n', ":1: node here has both host and local = true; keep the one that is meant"),
        (HERE + HERE, ":1: two nodes are called here"),
        (HERE + "[[node]]\nlocal = true\n", ":4: node.name is missing"),
        ('[[node]]\nname = "a"\nlocal = 1\n', ":3: node.local must be true or false"),
        ("[[node]]\nname = 3\nlocal = true\n", ":2: node.name must be a text in quotes"),
        ('[[node]]\nname = "a b"\nlocal = true\n', ":2: node.name must be a name without spaces"),
        ('[[node]]\nname = "a"\nhost = "-oProxyCommand"\n', ":3: node.host must not begin with a dash"),
        (HERE + 'tags = "a"\n', ":4: node.tags must be a list"),
        (HERE + "socket = 3\n", ":4: node.socket must be a path in quotes"),
        (HERE + f'socket = "/{"x" * 110}"\n', ":1: the socket of node here has a path above 103 bytes"),
        ('[[node]]\nname = "a"\nhost = "h"\nport = "22"\n', ":4: node.port must be a whole number"),
        (
            '[node]\nname = "a"\n',
            HOW_NODES_ARE_WRITTEN,
        ),
        ("node = []\n", HOW_NODES_ARE_WRITTEN),
        ("fleet = 3\n", ":1: fleet must be a table"),
        ("[fleet]\ninterval_seconds = 0.0\n", ":2: fleet.interval_seconds must be greater than or equal to 0.2"),
        ("[fleet]\ninterval_seconds = nan\n", ":2: fleet.interval_seconds must be a finite number"),
        ('[ui]\nmouse = "yes"\n', ":2: ui.mouse must be true or false"),
        ('[alerts]\nmemory_pressure = "hot"\n', ":2: alerts.memory_pressure must be 'warning' or 'critical'"),
        (
            '[keys]\nnode.swap = "s"\n',
            ':1: keys.node must be a key in quotes, or a list of them, as in "node.swap" = "s"',
        ),
        ("keys = 3\n", ":1: keys must be a table"),
        ("a = 1\nb = [\n", ": this is not TOML: Invalid value (at end of document)"),
        ("a = 1\nb\n", ": this is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 2)"),
    ],
)
def test_a_wrong_file_is_named_with_line_key_and_the_nearest_one(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b'[fleet]\nname = "\xff"\n')
    file_as_folder = binary / "fleet.toml"
    cases = {
        binary: f"{binary}:2: this is not text in UTF-8",
        tmp_path: f"{tmp_path}: this is a folder, not a fleet file",
        tmp_path / "none": f"{tmp_path / 'none'}: there is no such file",
        file_as_folder: f"{file_as_folder}: it cannot be read: Not a directory",
    }
    for file, said in cases.items():
        with pytest.raises(ConfigError) as told:
            read_config(file)
        assert str(told.value) == said


def test_the_file_is_looked_for_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("FLEETVIEW_FLEET", raising=False)
    work.mkdir()
    monkeypatch.chdir(work)
    assert find_config(None) is None
    (work / "fleet.toml").touch()
    assert find_config(None) == Path("fleet.toml")
    own = home / ".config" / "fleetview" / "fleet.toml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_config(None) == own
    monkeypatch.setenv("FLEETVIEW_FLEET", "/named/by/the/environment")
    assert find_config(None) == Path("/named/by/the/environment")
    assert find_config(Path("asked/for")) == Path("asked/for")


def test_the_schema_speaks_of_the_file_and_not_of_the_code() -> None:
    assert set(FleetConfig.model_json_schema()["properties"]) == {"fleet", "defaults", "node", "alerts", "ui", "keys"}
