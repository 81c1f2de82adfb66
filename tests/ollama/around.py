"""What surrounds every request to the stand-in: the guard against foreign hosts, and the log."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import sys
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def guarded(app: ASGIApp) -> ASGIApp:
    """Turn away requests that name a foreign host, as a server on the loopback does, without a word."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_local(Request(scope).headers.get("host", "")):
            await Response(status_code=403)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return guard


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if ":" in host else host
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    return name in {"", "localhost"} or name.endswith((".localhost", ".local", ".internal"))


def logged(app: ASGIApp) -> ASGIApp:
    """Write a line for each request that has ended, as Ollama does."""

    async def log(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        status, started = 499, time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await app(scope, receive, noting)
        finally:
            at, took = time.strftime("%Y/%m/%d - %H:%M:%S"), _duration(time.monotonic() - started)
            client, path = scope["client"][0], json.dumps(scope["path"])
            line = f"[GIN] {at} | {status:3d} | {took:>13} | {client:>15} | {scope['method']:<7}  {path}\n"
            sys.stderr.write(line)
            sys.stderr.flush()

    return log


def _duration(seconds: float) -> str:
    """As Go writes it."""
    if seconds >= 60:
        return f"{int(seconds // 60)}m{seconds % 60:.9f}s"
    unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("µs", 1e6)
    return f"{seconds * factor:.6g}{unit}"
