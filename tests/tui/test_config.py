"""The fleet file: what it may say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.config import ConfigError, FleetConfig, NodeConfig, find_config, read_config

ROOT = Path(__file__).parent.parent.parent
HERE = '[[node]]\nname = "here"\nlocal = true\n'
FAR = '[[node]]\nname = "far"\nhost = "far.lan"\n'
NO_SSH = "must be left out where local = true: that node is this machine, and no ssh leads to it"
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
        ("zzzzzz = 1\n", ":1: there is no key zzzzzz; there are fleet, defaults, node, alerts, ui, keys"),
        ('[[node]]\nname = "a"\n', ":1: node a has neither host nor local = true"),
        (HERE + 'host = "h"\n', f":4: node.host {NO_SSH}"),
        (HERE + HERE, ":5: two nodes are called here"),
        (HERE + "[[node]]\nlocal = true\n", ":4: node.name is missing"),
        ('[[node]]\nname = "a"\nlocal = 1\n', ":3: node.local must be true or false"),
        ("[[node]]\nname = 3\nlocal = true\n", ":2: node.name must be a text in quotes"),
        ('[[node]]\nname = "a b"\nlocal = true\n', ":2: node.name must be a name without spaces"),
        ('[[node]]\nname = "a"\nhost = "-oProxyCommand"\n', ":3: node.host must not begin with a dash"),
        (HERE + 'tags = "a"\n', ":4: node.tags must be a list"),
        (HERE + "socket = 3\n", ":4: node.socket must be a path in quotes"),
        (HERE + f'socket = "/{"x" * 110}"\n', ":4: node.socket must be a path of at most 103 bytes"),
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
            ':2: keys.node must be a key in quotes, or a list of them, as in "node.swap" = "s"',
        ),
        ("keys = 3\n", ":1: keys must be a table"),
        (HERE + "port = 22\n", f":4: node.port {NO_SSH}"),
        ('[[node]]\nname = "a"\nuser = "ada"\nlocal = true\n', f":3: node.user {NO_SSH}"),
        (FAR + 'socket = "run/agent.sock"\n', ":4: node.socket must be a path that begins with / or ~/"),
        (FAR + 'socket = "~ada/agent.sock"\n', ":4: node.socket must be a path that begins with / or ~/"),
        (HERE + 'socket = "/a\\u0000b"\n', ":4: node.socket must be a path without control characters"),
        (
            FAR + 'identity = "~nobody-here/key"\n',
            ":4: node.identity must be a path; nobody here has the home ~nobody-here",
        ),
        (
            '[[node]]\nname = "a"\nhost = "ada@a.lan"\n',
            ':3: node.host must be a name alone; write user = "ada" beside it',
        ),
        ("[defaults]\nport = 0\n", ":2: defaults.port must be greater than or equal to 1"),
        ('[fleet]\nname = "x"\ninterval_seconds = 61\n', ":3: fleet.interval_seconds must be less than or equal to 60"),
        ("fleet.interval_second = 1\n", ":1: there is no key fleet.interval_second; did you mean interval_seconds?"),
        ('["alerts"]\n"node down" = true\n', ":2: there is no key alerts.node down; did you mean node_down?"),
        (HERE + "[ui]\n'mouse' = 1\n", ":5: ui.mouse must be true or false"),
        ('node = [{name = "a"}]\n', ":1: node a has neither host nor local = true"),
        (HERE + "[node.tags]\nx = 1\n", ":4: node.tags must be a list"),
        ('[alerts]\nnotify = """\n[ui]\nmouse = 1\n"""\n[ui]\nmouse = 2\n', ":7: ui.mouse must be true or false"),
        ("[ui]\ncolumns = []\n", ":2: ui.columns must have at least 1 in it"),
        ("[ui]\ncolumns = [1]\n", ":2: ui.columns must be a text in quotes"),
        ("[ui]\ngroup = [1]\n", ":2: ui.group must be 'role' or 'tag'"),
        ("node = [1]\n", ":1: node must be a table"),
        ('[[node]]\nname = "a"\nhost = "h"\nport = true\n', ":4: node.port must be a whole number"),
        (f"[fleet]\ninterval_seconds = 1{'0' * 400}\n", ":2: fleet.interval_seconds must be a finite number"),
        ("[alerts]\ngpu_temperature_celsius = 0\n", ":2: alerts.gpu_temperature_celsius must be greater than 0"),
        ("a = 1\nb = [\n", ":2: this is not TOML: Invalid value, where the file ends"),
        ("a = 1\nb\n", ":2: this is not TOML: Expected '=' after a key in a key/value pair in column 2"),
    ],
)
def test_a_wrong_file_is_named_with_line_key_and_the_nearest_one(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_every_mistake_is_named_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    text = f'{HERE}port = 22\n{FAR}tags = 3\n{FAR}[ui]\nmouse = 1\n[keys]\n"node.swap" = 1\n'
    file.write_text(text)
    with pytest.raises(ConfigError) as told:
        read_config(file, lambda document: [(("ui",), f"{len(document)} sections")])
    assert [(mistake.line, mistake.key, mistake.sentence) for mistake in told.value.mistakes] == [
        (4, "node.port", f"node.port {NO_SSH}"),
        (8, "node.tags", "node.tags must be a list"),
        (10, "node.name", "two nodes are called far"),
        (12, "ui", "3 sections"),
        (13, "ui.mouse", "ui.mouse must be true or false"),
        (15, "keys.node.swap", 'keys.node.swap must be a key in quotes, or a list of them, as in "node.swap" = "s"'),
    ]
    assert str(told.value) == (
        f"{file}:4: node.port {NO_SSH} (and 5 more mistakes; `fleetview config check` names all)"
    )


@pytest.mark.parametrize("line", ['user = "ada"', "port = 22", 'identity = "/key"', 'host = "here.lan"'])
def test_a_local_node_may_not_say_what_would_be_ignored_without_a_word(tmp_path: Path, line: str) -> None:
    assert complaint(tmp_path, f"{HERE}{line}\n") == f":4: node.{line.partition(' ')[0]} {NO_SSH}"


def test_defaults_about_ssh_are_not_for_local_nodes(tmp_path: Path) -> None:
    config = fleet(tmp_path, f'[defaults]\nuser = "ada"\n{HERE}{FAR}')
    assert [node.user for node in config.nodes] == [None, "ada"]


def test_the_home_in_a_socket_is_that_of_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    here, far, root = fleet(
        tmp_path,
        f'{HERE}socket = "~/agent.sock"\n{FAR}socket = "~/agent.sock"\n'
        '[[node]]\nname = "root"\nhost = "h"\nsocket = "/run/agent.sock"\n',
    ).nodes
    assert here.socket == Path("/home/ada/agent.sock")
    assert str(far.socket) == "~/agent.sock"
    assert str(root.socket) == "/run/agent.sock"


def test_a_private_key_that_is_not_there_keeps_nobody_from_looking_at_the_fleet(tmp_path: Path) -> None:
    config = fleet(tmp_path, f'{FAR}identity = "/nowhere/key"\n')
    assert config.nodes[0].identity == Path("/nowhere/key")


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


def test_a_mark_before_the_first_line_is_passed_over(tmp_path: Path) -> None:
    assert fleet(tmp_path, "\ufeff" + FAR).nodes[0].name == "far"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"port = {'9' * 5000}", ": a number in it has more digits than can be read"),
        (f"node = {'[' * 5000}", ": its brackets are nested too deeply"),
    ],
    ids=["digits", "brackets"],
)
def test_what_python_itself_cannot_read_is_told_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_a_name_that_is_empty_or_would_move_the_cursor_is_told_in_quotes(tmp_path: Path) -> None:
    assert complaint(tmp_path, '[ui]\n"theme\\n" = 1') == r""":1: there is no key ui."theme\n"; did you mean theme?"""
    assert complaint(tmp_path, '[ui]\n"" = 1').startswith(':2: there is no key ui.""; there are ')


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
    with pytest.raises(ConfigError, match="nobody here has such a home"):
        find_config(Path("~nobody-here/fleet.toml"))
