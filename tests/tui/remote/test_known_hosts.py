"""known_hosts as OpenSSH reads and writes it; its own ssh-keygen is the judge."""

from __future__ import annotations

import subprocess
from pathlib import Path

import asyncssh
import pytest

from fleetview.remote.errors import HostKeyUnknown, Unreachable
from fleetview.remote.host_key import HostKey
from fleetview.remote.known_hosts import host_name, look_up, objection, remember

KEY = asyncssh.generate_private_key("ssh-ed25519")
OTHER = asyncssh.generate_private_key("ssh-ed25519")


def text(key: asyncssh.SSHKey) -> str:
    """The public half as the file has it."""
    return key.export_public_key().decode().strip()


def shown(host: str, file: Path) -> HostKey:
    """KEY, shown by a host."""
    return HostKey(host, KEY.get_algorithm(), KEY.get_fingerprint(), text(KEY), file)


def found_by_openssh(host: str, file: Path) -> bool:
    """Whether ssh-keygen finds the host."""
    return b"found" in subprocess.run(["ssh-keygen", "-F", host, "-f", file], check=False, capture_output=True).stdout


@pytest.mark.parametrize(
    ("host", "port", "alias", "name"),
    [
        ("Studio", 22, None, "studio"),
        ("studio", 2222, None, "[studio]:2222"),
        ("studio", 2222, "main", "main"),
        ("::1", 2222, None, "[::1]:2222"),
    ],
)
def test_a_host_is_named_as_ssh_names_it(host: str, port: int, alias: str | None, name: str) -> None:
    assert host_name(host, port, alias) == name


def test_a_trusted_key_is_found_by_openssh_and_by_us(tmp_path: Path) -> None:
    file = tmp_path / "new" / "known_hosts"
    remember(shown("[studio]:2222", file))
    assert found_by_openssh("[studio]:2222", file)
    assert look_up([str(file)], "[studio]:2222").keys == (KEY.convert_to_public(),)
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_is_hashed_where_the_others_are_and_begins_on_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"old {text(OTHER)}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True)
    file.write_text(file.read_text().rstrip("\n"))
    remember(shown("studio", file))
    assert "studio" not in file.read_text()
    assert len(file.read_text().splitlines()) == 2
    assert found_by_openssh("studio", file)
    assert found_by_openssh("old", file)
    assert look_up([str(file)], "studio").keys


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"trusted, but .* cannot be written"):
        remember(shown("studio", tmp_path))


def test_lines_that_make_no_sense_and_files_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"one\n|9|odd|hash {text(OTHER)}\n# comment\nstudio {text(KEY)}\n")
    assert look_up([str(tmp_path / "none"), str(file)], "studio").keys


def test_the_key_of_the_usual_port_will_do_at_another_and_is_never_called_changed(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"studio {text(KEY)}\n")
    known = look_up([str(file)], "[studio]:2222")
    assert KEY.convert_to_public() in known.trusted[0]
    assert isinstance(objection("[studio]:2222", known, OTHER, file), HostKeyUnknown)


def test_a_changed_key_is_told_with_both_fingerprints_and_the_command_that_forgets(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"studio {text(KEY)}\n")
    problem = objection("studio", look_up([str(file)], "studio"), OTHER, file)
    assert not isinstance(problem, HostKeyUnknown)
    for words in (KEY.get_fingerprint(), OTHER.get_fingerprint(), "ssh-keygen -R 'studio'"):
        assert words in str(problem)
