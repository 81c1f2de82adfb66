"""What tests of SSH share: keys, by OpenSSH's own programs, and waiting."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_SECONDS = 10.0


def make_key(file: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    """Make a key unless it is there."""
    if not file.exists():
        # One round: what tests try is not the strength of passphrases.
        run("ssh-keygen", "-q", "-a", "1", "-t", kind, "-N", passphrase, "-C", file.name, "-f", str(file))
    return file


def public(key: Path) -> Path:
    """Where the public half of a key lies."""
    return key.with_name(f"{key.name}.pub")


def run(*command: str, **environment: str) -> str:
    """What a program of OpenSSH says."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout


def fingerprint(key: Path) -> str:
    """A key's fingerprint, by OpenSSH's own word."""
    return run("ssh-keygen", "-l", "-E", "sha256", "-f", str(public(key))).split()[1]


@contextmanager
def a_short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for unix sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="fv-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def until(held: Callable[[], bool], what: str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not held():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {LIMIT_SECONDS:g} s for {what}")
        time.sleep(0.005)
