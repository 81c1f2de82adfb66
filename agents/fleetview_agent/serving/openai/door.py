"""What stands before all that is served on a port: who may come in."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from fleetview_agent.errors import AgentError, Forbidden, Unauthorized
from fleetview_agent.serving.failures import error_response

_BEARER = "bearer "


class Door:
    """Lets in who has the token; where none is set, programs of this machine that no foreign web page speaks through.

    A page can make its own name stand for this machine's loopback address, but not say another `Host` than its own;
    and whatever it sends to another name than its own carries its `Origin`.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        answer = self._app if refusal is None else error_response(refusal, scope["path"])
        await answer(scope, receive, send)

    def _refusal(self, request: Request) -> AgentError | None:
        """Why it may not come in; None where it may."""
        if self._token is not None:
            return None if _shows(request, self._token) else _NO_TOKEN
        origin = request.headers.get("origin")
        if not _is_local(f"//{request.headers.get('host', '')}") or (origin is not None and not _is_local(origin)):
            return _FOREIGN
        return None


_NO_TOKEN = Unauthorized(
    "this port wants a token, and the request has none or another one",
    "send `Authorization: Bearer TOKEN` with the token in the agent's token_file",
)
_FOREIGN = Forbidden(
    "this port answers programs of this machine alone, and the request was sent from another site or to another name",
    "use a loopback address such as 127.0.0.1, or set token_file in agent.toml",
)


def _shows(request: Request, token: str) -> bool:
    """Whether the request has the token; how long that takes tells nothing about it."""
    said = request.headers.get("authorization", "")
    if said[: len(_BEARER)].lower() != _BEARER:
        return False
    return hmac.compare_digest(said[len(_BEARER) :].strip().encode(), token.encode())


def _is_local(address: str) -> bool:
    """Whether an address with its scheme, which may be empty, names this machine's loopback."""
    try:
        name = (urlsplit(address).hostname or "").rstrip(".")
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
