"""Logging in as the user's own ssh would, at a real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetview.config import NodeConfig
from fleetview.remote.errors import HostKeyUnknown, IdentityLocked, Unreachable
from fleetview.remote.host_key import HostKey
from fleetview.remote.login import logged_in
from fleetview.remote.logins import Logins
from tests.openssh import public
from tests.sshd import a_free_port, an_sshd, needs_sshd, ssh_agent
from tests.tui.remote.ssh import Pair, a_pair

pytestmark = needs_sshd


class Somebody:
    """Answers questions, and writes them down."""

    def __init__(self, *, trusts: bool = True, says: tuple[str | None, ...] = ()) -> None:
        self.trusts = trusts
        self.says = list(says)
        self.asked: list[object] = []

    async def trust(self, node: str, key: HostKey) -> bool:
        self.asked.append((node, key.fingerprint))
        return self.trusts

    async def passphrase(self, node: str, file: Path, *, wrong: bool) -> str | None:
        self.asked.append((node, file.name, wrong))
        return self.says.pop(0)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    with a_pair() as pair:
        monkeypatch.setenv("HOME", str(pair.operator.home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        yield pair


async def home_of(node: NodeConfig, logins: Logins | None = None) -> str:
    """What the machine that was logged in to says of its home."""
    async with logged_in(node, logins or Logins(), 1.0) as ssh:
        return str((await ssh.run("echo $HOME")).stdout).strip()


async def refused(node: NodeConfig, logins: Logins | None = None) -> Unreachable:
    """Why the login does not succeed."""
    with pytest.raises(Unreachable) as caught:
        await home_of(node, logins)
    return caught.value


async def test_a_known_machine_lets_the_usual_key_in(pair: Pair) -> None:
    assert await home_of(pair.node()) == str(pair.home)


async def test_an_unknown_machine_is_told_by_its_fingerprint_and_gets_no_login(pair: Pair) -> None:
    pair.operator.forget()
    problem = await refused(pair.node())
    assert isinstance(problem, HostKeyUnknown)
    assert pair.server.host_fingerprint in problem.message
    assert not problem.heals
    assert not pair.operator.known_hosts.exists()
    assert "userauth" not in pair.server.log
    assert "Accepted" not in pair.server.log


async def test_a_machine_that_the_operator_trusts_is_written_down_and_not_asked_for_again(pair: Pair) -> None:
    pair.operator.forget()
    somebody = Somebody()
    assert await home_of(pair.node(), Logins(somebody)) == str(pair.home)
    assert somebody.asked == [("studio", pair.server.host_fingerprint)]
    assert pair.operator.known_hosts.read_text() == f"{pair.server.known_as} {pair.server.host_public}\n"
    assert pair.operator.known_hosts.stat().st_mode & 0o777 == 0o600
    assert await home_of(pair.node()) == str(pair.home)


async def test_a_machine_that_is_not_trusted_is_asked_for_once_until_the_operator_wants_it_again(pair: Pair) -> None:
    pair.operator.forget()
    somebody = Somebody(trusts=False)
    logins = Logins(somebody)
    for _ in range(2):
        assert isinstance(await refused(pair.node(), logins), HostKeyUnknown)
    assert len(somebody.asked) == 1
    logins.ask_again()
    await refused(pair.node(), logins)
    assert len(somebody.asked) == 2


async def test_a_changed_host_key_is_refused_with_both_fingerprints_and_nobody_is_asked(pair: Pair) -> None:
    old = pair.server.host_fingerprint
    pair.server.stop()
    pair.server.new_host_key()
    pair.server.start()
    somebody = Somebody()
    problem = await refused(pair.node(), Logins(somebody))
    assert problem.message.startswith("host key changed")
    assert old in problem.message
    assert pair.server.host_fingerprint in problem.message
    assert not somebody.asked
    assert problem.heals
    assert "Accepted" not in pair.server.log


async def test_a_key_of_another_kind_is_no_excuse_for_a_changed_one(pair: Pair) -> None:
    other = pair.operator.make_key("other_host", kind="ecdsa")
    pair.operator.forget()
    pair.operator.know(pair.server.known_as, " ".join(public(other).read_text().split()[:2]))
    assert (await refused(pair.node())).message.startswith("host key changed")


async def test_a_revoked_host_key_is_refused(pair: Pair) -> None:
    pair.operator.know(f"@revoked {pair.server.known_as}", pair.server.host_public)
    message = (await refused(pair.node())).message
    assert message.startswith("host key refused")
    assert "revoked" in message


async def test_hashed_hosts_are_known(pair: Pair) -> None:
    pair.operator.forget()
    pair.operator.know(pair.server.known_as, pair.server.host_public, hashed=True)
    assert await home_of(pair.node()) == str(pair.home)


async def test_a_key_that_the_server_does_not_want_is_told_with_the_way_out(pair: Pair) -> None:
    stranger = pair.operator.make_key("stranger")
    pair.operator.key.unlink()
    problem = await refused(pair.node(identity=stranger))
    assert problem.message.startswith("login refused")
    assert f"ssh-copy-id -p {pair.server.port}" in str(problem)


async def test_a_locked_key_is_asked_for_only_when_the_server_takes_it_and_then_once(pair: Pair) -> None:
    locked = pair.operator.make_key("locked", "sesame")
    pair.operator.key.unlink()
    unwanted = await refused(pair.node(identity=locked))
    assert not isinstance(unwanted, IdentityLocked)
    pair.server.authorize(public(locked))
    somebody = Somebody(says=("wrong", "sesame"))
    logins = Logins(somebody)
    for _ in range(2):
        assert await home_of(pair.node(identity=locked), logins) == str(pair.home)
    assert somebody.asked == [("studio", "locked", False), ("studio", "locked", True)]
    assert "sesame" not in repr(vars(logins))


async def test_a_locked_key_without_anybody_to_ask_names_ssh_add(pair: Pair) -> None:
    locked = pair.operator.make_key("locked", "sesame")
    pair.operator.key.unlink()
    pair.server.authorize(public(locked))
    problem = await refused(pair.node(identity=locked))
    assert isinstance(problem, IdentityLocked)
    assert f"ssh-add {locked}" in str(problem)


async def test_an_old_locked_key_that_hides_even_its_public_half_is_asked_for(pair: Pair) -> None:
    old = pair.operator.folder / "old"
    made = pair.operator.make_key("pem", kind="rsa")
    pair.server.authorize(public(made))
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_ssh_private_key(made.read_bytes(), None)
    old.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    pair.operator.key.unlink()
    assert isinstance(await refused(pair.node(identity=old)), IdentityLocked)
    assert await home_of(pair.node(identity=old), Logins(Somebody(says=("sesame",)))) == str(pair.home)


async def test_an_ssh_agent_is_enough(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_agent(pair.operator.key) as socket:
        pair.operator.key.unlink()
        public(pair.operator.key).unlink()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert await home_of(pair.node()) == str(pair.home)


async def test_the_key_that_is_named_comes_before_the_many_of_an_ssh_agent(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [pair.operator.make_key(f"many{number}") for number in range(7)]
    named = pair.operator.make_key("named")
    pair.operator.key.unlink()
    pair.server.authorize(public(named))
    with ssh_agent(*many) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        assert await home_of(pair.node(identity=named)) == str(pair.home)


async def test_an_alias_of_the_ssh_configuration_says_host_port_user_and_key(pair: Pair) -> None:
    work = pair.operator.make_key("work key")
    pair.operator.key.unlink()
    pair.server.authorize(public(work))
    (pair.operator.folder / "more").write_text(
        f"Host studio\n  HostName 127.0.0.1\n  Port {pair.server.port}\n  IdentityFile ~/.ssh/work key\n".replace(
            "~/.ssh/work key", '"~/.ssh/work key"'
        )
        + "  IdentitiesOnly yes\n"
    )
    pair.operator.write_config("Include more\nHost *\n  ServerAliveInterval 60\n")
    assert await home_of(NodeConfig(name="studio", host="studio")) == str(pair.home)


async def test_a_mistake_in_the_ssh_configuration_names_file_and_line(pair: Pair) -> None:
    pair.operator.write_config("Host *\n  Port many\n")
    problem = await refused(NodeConfig(name="studio", host="127.0.0.1"))
    assert "config line 2" in problem.message


async def test_a_way_through_two_machines_is_gone_and_left_again(pair: Pair) -> None:
    with an_sshd(pair.folder / "jump", home=pair.folder / "jump") as jump:
        jump.authorize(public(pair.operator.key))
        pair.operator.know(jump.known_as, jump.host_public)
        pair.operator.write_config(
            f"Host bastion\n  HostName 127.0.0.1\n  Port {jump.port}\n"
            f"Host inner\n  HostName 127.0.0.1\n  Port {pair.server.port}\n"
            "Host *\n  ProxyJump bastion\n"
        )
        assert await home_of(NodeConfig(name="inner", host="inner")) == str(pair.home)
        assert "Accepted publickey" in jump.log
        assert "direct-tcpip" in jump.log or "127.0.0.1" in jump.log
        jump.stop()
        problem = await refused(NodeConfig(name="inner", host="inner"))
        assert problem.message.startswith("refused: nothing listens for ssh at")
        assert str(jump.port) in problem.message


async def test_jump_hosts_in_a_circle_are_told(pair: Pair) -> None:
    pair.operator.write_config("Host a\n  ProxyJump b\nHost b\n  ProxyJump c\nHost c\n  ProxyJump a\n")
    assert "circle" in (await refused(NodeConfig(name="a", host="a"))).message


@pytest.mark.parametrize(
    ("host", "words"),
    [("nowhere.invalid", "name unknown"), ("127.0.0.1", "refused"), ("255.255.255.255", "255.255.255.255")],
)
async def test_what_cannot_be_reached_is_told_in_plain_words(pair: Pair, host: str, words: str) -> None:
    problem = await refused(NodeConfig(name="studio", host=host, port=a_free_port()))
    assert words in problem.message
    assert "Errno" not in str(problem)
    assert "Error" not in str(problem)
