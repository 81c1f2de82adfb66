"""The private socket: one agent per path, a stale one taken over, nothing left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from fleetview_agent.errors import ConfigError, SocketTaken
from fleetview_agent.paths import SOCKET_PATH_LIMIT, home, private_folder


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """A bound socket at `path`, 0600 in a 0700 folder; it and its lock are gone afterwards.

    Raises SocketTaken while another agent serves there, ConfigError for a path that cannot be used.
    """
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        raise ConfigError(f"{path}: the path of a socket may have {SOCKET_PATH_LIMIT} bytes, this one is longer")
    try:
        _private(path.parent)
        with _locked(_lock_file(path)):
            if path.exists() and not path.is_socket():
                raise ConfigError(f"{path} is there and is not a socket; it is left alone")
            path.unlink(missing_ok=True)  # whoever held the lock before us has not cleaned up
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with listener:
                _bind(listener, path)
                try:
                    yield listener
                finally:
                    path.unlink(missing_ok=True)
    except OSError as problem:
        raise ConfigError(f"{path}: {problem.strerror or problem}") from problem


class Holder:
    """The process that serves at a path, seen through the lock that it holds until its very end."""

    def __init__(self, path: Path) -> None:
        self._file: TextIOWrapper | None = None
        with contextlib.suppress(FileNotFoundError):
            self._file = _lock_file(path).open()

    @property
    def process(self) -> int | None:
        """Its number; None where nobody serves, or whoever did has ended."""
        if self._file is None:
            return None
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            return int(self._file.read() or 0) or None
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return None

    def close(self) -> None:
        """Look no more."""
        if self._file is not None:
            self._file.close()


def _lock_file(path: Path) -> Path:
    """What is held locked while the socket is served; it holds the number of the process."""
    return path.with_name(path.name + ".lock")


def _private(folder: Path) -> None:
    """The socket's folder must let nobody else in; our own is closed, any other is left as it is."""
    private_folder(folder)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise ConfigError(f"{folder} belongs to another account, so no socket is made in it")
    if found.st_mode & 0o077 and folder == home():
        folder.chmod(0o700)
    elif found.st_mode & 0o077:
        raise ConfigError(f"{folder} lets others in, so no socket is made in it", f"chmod 700 {folder} closes it")


def _bind(listener: socket.socket, path: Path) -> None:
    """Bind so that the socket is never open to others, not even for a moment."""
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(128)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock at `path`, until the end of the process: only then is everything of it gone. Raises SocketTaken."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, stat.S_IRUSR | stat.S_IWUSR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            who = f" (process {owner})" if owner else ""
            sentence = f"an agent serves already at {path.with_suffix('')}{who}"
            raise SocketTaken(sentence, "fleetview-agent stop ends it") from None
        if _is_still(path, descriptor):
            break
        os.close(descriptor)  # its former holder has just removed it
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether `path` names the file that is open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
