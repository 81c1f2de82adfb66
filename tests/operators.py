"""Operators for tests: a home folder with keys, known hosts and a config of ssh, and an ssh-agent."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.openssh import LIMIT_SECONDS, a_short_folder, make_key, run, until


@dataclass(frozen=True)
class Operator:
    """Somebody with a home folder, and `.ssh` in it."""

    home: Path
    key: Path

    @property
    def folder(self) -> Path:
        """Where ssh keeps the operator's things."""
        return self.home / ".ssh"

    @property
    def known_hosts(self) -> Path:
        """The hosts that the operator trusts."""
        return self.folder / "known_hosts"

    def make_key(self, name: str, passphrase: str = "", kind: str = "ed25519") -> Path:
        """A private key of that name in `.ssh`, with its public key beside it."""
        return make_key(self.folder / name, passphrase, kind)

    def know(self, host: str, public: str, *, hashed: bool = False) -> None:
        """Trust a host, named as known_hosts names it."""
        with self.known_hosts.open("a") as file:
            file.write(f"{host} {public}\n")
        if hashed:
            run("ssh-keygen", "-q", "-H", "-f", str(self.known_hosts))
            self.known_hosts.with_name("known_hosts.old").unlink()

    def forget(self) -> None:
        """Trust no host."""
        self.known_hosts.unlink(missing_ok=True)

    def write_config(self, text: str) -> Path:
        """Say how to reach hosts."""
        config = self.folder / "config"
        config.write_text(text)
        config.chmod(0o600)
        return config

    def ssh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run OpenSSH's own client as this operator to its end."""
        return subprocess.run(
            self.ssh_command(*arguments),
            env={name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )

    def ssh_command(self, *arguments: str) -> tuple[str, ...]:
        """OpenSSH's own client with this operator's files, as it would look in the account's home by itself."""
        config = self.folder / "config"
        given = {
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "none",
            "IdentityFile": self.key,
            "BatchMode": "yes",
        }
        options = [part for name, value in given.items() for part in ("-o", f"{name}={value}")]
        return ("ssh", "-F", str(config if config.exists() else os.devnull), *options, *arguments)


def an_operator(home: Path) -> Operator:
    """Somebody with one key and nothing else."""
    folder = home / ".ssh"
    folder.mkdir(mode=0o700, parents=True)
    return Operator(home=home, key=make_key(folder / "id_ed25519"))


@contextmanager
def ssh_agent(*keys: Path, passphrase: str = "") -> Iterator[Path]:
    """The socket of an ssh-agent that holds the keys."""
    with a_short_folder() as folder:
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(folder / "ssh.sock")], stdout=subprocess.DEVNULL)
        try:
            until((folder / "ssh.sock").exists, "ssh-agent to serve")
            asked = folder / "ask"
            asked.write_text('#!/bin/sh\nprintf "%s\\n" "$PASSPHRASE"\n')
            asked.chmod(0o700)
            ask = {"SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force", "PASSPHRASE": passphrase}
            for key in keys:
                run("ssh-add", "-q", str(key), **ask, SSH_AUTH_SOCK=str(folder / "ssh.sock"))
            yield folder / "ssh.sock"
        finally:
            agent.terminate()
            agent.wait()
