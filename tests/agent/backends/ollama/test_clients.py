from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from fleetview_agent.backends.ollama.clients import Connection, author, clients, connected

PORT = 11434


@pytest.mark.parametrize(
    ("connections", "found"),
    [
        ((), ()),
        ((Connection(812, 50000, "127.0.0.1", PORT), Connection(7, PORT, "127.0.0.1", 50000)), (812,)),
        ((Connection(812, 50000, "127.0.0.1", PORT), Connection(812, 50001, "127.0.0.1", PORT)), (812,)),
        ((Connection(7, PORT, "192.168.1.20", 50000),), ("192.168.1.20",)),
        ((Connection(None, PORT, "fe80::1", 50000),), ("fe80::1",)),
        ((Connection(None, 50000, "127.0.0.1", PORT),), ()),
        ((Connection(812, 50000, "127.0.0.1", 443),), ()),
    ],
    ids=["nobody", "one here", "twice the same", "elsewhere", "elsewhere, IPv6", "of another account", "other server"],
)
def test_clients_are_those_at_the_far_end(connections: tuple[Connection, ...], found: tuple[int | str, ...]) -> None:
    assert clients(connections, PORT) == found


@pytest.mark.parametrize(
    ("names", "who"), [((), None), (("a (pid 1)",), "a (pid 1)"), (("a", "b"), "a or b"), (("a", "b", "c", "d"), None)]
)
def test_an_author_is_named_where_few_could_be_it(names: tuple[str, ...], who: str | None) -> None:
    assert author(names) == who


async def test_a_process_that_is_connected_is_named_and_this_one_is_not() -> None:
    came = asyncio.Event()

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await _reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    code = f"import socket; s = socket.create_connection(('127.0.0.1', {port})); input()"
    client = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)  # noqa: ASYNC220 - ends below
    try:
        await asyncio.wait_for(came.wait(), 10)
        _, own = await asyncio.open_connection("127.0.0.1", port)
        (name,) = await asyncio.to_thread(connected, port)
        assert name.endswith(f"(pid {client.pid})")
        assert str(os.getpid()) not in name
        own.close()
        await own.wait_closed()
    finally:
        client.communicate(b"\n")
        server.close()
        await server.wait_closed()
