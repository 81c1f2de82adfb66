"""The way from a machine's sshd to its agent: straight to the socket, or by `fleetview-agent dial`."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from asyncssh import ChannelOpenError, SSHClientConnection, SSHClientProcess, SSHReader, SSHWriter

from fleetview.config import NodeConfig
from fleetview.remote.channels import Channel
from fleetview.remote.errors import Unreachable
from fleetview.remote.ssh_words import connection_in_words

SOCKET = "~/.fleetview/agent.sock"
HOME_MARK = "fleetview-home:"
"""Stands before the answer: a shell may greet first."""
FOLDERS = "$HOME/.local/bin:/opt/homebrew/bin:/usr/local/bin"
"""Where programs lie that the PATH of a command over ssh does not know, above all on a Mac."""
NOT_FOUND = 127
"""What a shell exits with where a program is missing."""
NOBODY_SERVES = 3
"""What `fleetview-agent dial` exits with where no agent serves."""
LONGEST_WORDS = 2000


class Route:
    """Opens channels to the agent of one node."""

    def __init__(self, ssh: SSHClientConnection, node: NodeConfig) -> None:
        self._ssh = ssh
        self._name = node.name
        self._socket = str(node.socket or SOCKET)
        self._path: str | None = None
        """The socket's, once it is known."""
        self._dials = False
        """Whether the server is known not to let us to the socket itself."""

    async def open(self) -> Channel:
        """A channel to the agent. Raises RemoteError."""
        if not self._dials:
            with connection_in_words(self._name):
                path = await self._socket_path()
                try:
                    reader, writer = await self._ssh.open_unix_connection(path, encoding=None)
                except ChannelOpenError:
                    # sshd says the same of a socket where nobody listens and of forwarding that it does not allow;
                    # dialling tells which.
                    pass
                else:
                    return _Forwarded(self._name, reader, writer)
        return await self._dial()

    async def _socket_path(self) -> str:
        """The socket as sshd takes it: literally. Raises Unreachable."""
        if self._path is None:
            self._path = self._socket
            if self._socket.startswith("~/"):
                self._path = await self._home() + self._socket.removeprefix("~")
        return self._path

    async def _home(self) -> str:
        """The home folder there. Raises Unreachable."""
        try:
            answer = await self._ssh.run(f'echo "{HOME_MARK}$HOME"', encoding="utf-8", errors="replace")
        except ChannelOpenError:
            said = ""
        else:
            said = str(answer.stdout or "")
        _, mark, rest = said.rpartition(HOME_MARK)
        if not mark or not rest.startswith("/"):
            raise Unreachable(
                f"login shell of {self._name} does not tell where its home is",
                "`socket` of the node in the fleet file can name the agent's socket by its full path",
            )
        return rest.splitlines()[0]

    async def _dial(self) -> Channel:
        """A channel through a process there."""
        socket = ""
        if self._socket != SOCKET:
            inside = self._socket.startswith("~/")
            socket = " --socket " + ('"$HOME"/' if inside else "") + shlex.quote(self._socket.removeprefix("~/"))
        script = f'PATH="$PATH:{FOLDERS}"; export PATH; exec fleetview-agent dial{socket}'
        with connection_in_words(self._name):
            try:
                process = await self._ssh.create_process(f"sh -c {shlex.quote(script)}", encoding=None)
            except ChannelOpenError as problem:
                hint = "either no agent serves there, or its sshd allows neither forwarding nor commands"
                raise Unreachable(f"agent not reached on {self._name}", hint) from problem
        return _Dialled(self._name, process, self._has_dialled)

    def _has_dialled(self) -> None:
        """An agent has answered through a process, so its socket is there and forwarding is what is forbidden."""
        self._dials = True


class _Forwarded:
    """The socket itself, forwarded by sshd."""

    def __init__(self, name: str, reader: SSHReader[bytes], writer: SSHWriter[bytes]) -> None:
        self._name = name
        self._reader = reader
        self._writer = writer

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more."""
        return self._reader.at_eof()

    async def read(self, most: int) -> bytes:
        """What has come; nothing at the end. Raises Lost."""
        with connection_in_words(self._name):
            return await self._reader.read(most)

    async def write(self, data: bytes) -> None:
        """Send everything. Raises Lost."""
        with connection_in_words(self._name):
            self._writer.write(data)
            await self._writer.drain()

    def close(self) -> None:
        """End it, in both directions."""
        self._writer.close()


class _Dialled:
    """The standard input and output of `fleetview-agent dial`."""

    def __init__(self, name: str, process: SSHClientProcess[bytes], answered: Callable[[], None]) -> None:
        self._name = name
        self._process = process
        self._answered: Callable[[], None] | None = answered
        """Called once, at the first bytes."""

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more."""
        return self._process.stdout.at_eof()

    async def read(self, most: int) -> bytes:
        """What has come; nothing at the end. Raises RemoteError: an end before the first byte has its reason."""
        with connection_in_words(self._name):
            data = await self._process.stdout.read(most)
            if self._answered and not data:
                raise await self._why()
        if self._answered:
            self._answered()
            self._answered = None
        return data

    async def write(self, data: bytes) -> None:
        """Send everything; where the process has ended already, reading tells why. Raises Lost."""
        with connection_in_words(self._name):
            try:
                self._process.stdin.write(data)
                await self._process.stdin.drain()
            except (BrokenPipeError, ConnectionResetError):
                if self._answered is None:
                    raise

    def close(self) -> None:
        """End the process by closing what it reads from."""
        self._process.close()

    async def _why(self) -> Unreachable:
        """What the process said before it ended."""
        words = (await self._process.stderr.read(LONGEST_WORDS)).decode(errors="replace").strip()
        await self._process.wait_closed()
        if self._process.exit_status == NOT_FOUND:
            hint = f"install it there; it is looked for in the PATH and in {FOLDERS}"
            return Unreachable(f"agent missing: {self._name} has no fleetview-agent", hint)
        last = words.splitlines()[-1].removeprefix("fleetview-agent: ") if words else "it gave no reason"
        what = "not running" if self._process.exit_status == NOBODY_SERVES else "not reached"
        return Unreachable(f"agent {what} on {self._name}: {last}")
