"""What the ssh configuration says of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.remote.ssh_settings import Settings, Stop, settings

CONFIG = """
Host studio
  HostName studio.lan
  User ada
  Port 2222
  IdentityFile ~/.ssh/work
  IdentitiesOnly yes
  ProxyJump eve@bastion:2022,ssh://[fe80::1]:23
  UserKnownHostsFile ~/.ssh/studio_hosts
Host plain
  ProxyJump none
  IdentityAgent none
Host 1password
  IdentityAgent "~/Library/Group Containers/agent.sock"
Host aliased
  HostKeyAlias main
  Port 2222
Host *
  ProxyJump bastion
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's home with the configuration above."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text(CONFIG)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    return tmp_path


async def of(host: str, user: str | None = None, port: int | None = None, identity: Path | None = None) -> Settings:
    """The settings of a host."""
    return await settings(Stop(host, user, port, identity))


async def test_an_alias_says_where_and_as_whom(home: Path) -> None:
    found = await of("studio")
    assert (found.host, found.user, found.port) == ("studio.lan", "ada", 2222)
    assert found.place == "ada@studio.lan:2222"
    assert found.known_as == "[studio.lan]:2222"
    assert found.identities == (home / ".ssh" / "work",)
    assert found.identities_only
    assert found.known_hosts[0] == "~/.ssh/studio_hosts"


async def test_jump_hosts_come_in_their_order_with_user_and_port() -> None:
    assert (await of("studio")).jumps == (Stop("bastion", "eve", 2022), Stop("fe80::1", None, 23))


async def test_what_the_fleet_file_says_comes_first(home: Path) -> None:
    found = await of("studio", "bob", 22, home / "own")
    assert (found.user, found.port) == ("bob", 22)
    assert found.identities == (home / "own", home / ".ssh" / "work")


async def test_a_machine_is_no_jump_host_of_its_own() -> None:
    assert (await of("bastion")).jumps == ()
    assert (await of("plain")).jumps == ()
    assert (await of("other")).jumps == (Stop("bastion"),)


async def test_the_usual_keys_are_offered_ed25519_first() -> None:
    assert (await of("other")).identities[0].name == "id_ed25519"


async def test_the_ssh_agent_is_the_one_that_is_named(home: Path) -> None:
    assert (await of("plain")).agent is None
    assert (await of("other")).agent == "/run/agent"
    assert (await of("1password")).agent == str(home / "Library/Group Containers/agent.sock")


async def test_an_alias_for_the_host_key_is_what_known_hosts_is_asked_for() -> None:
    assert (await of("aliased")).known_as == "main"
