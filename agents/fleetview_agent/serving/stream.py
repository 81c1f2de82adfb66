"""Answers that last: lines sent as they come, and ended at once when the client is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fleetview_agent.errors import AgentError
from fleetview_agent.serving.failures import error_response

NDJSON = "application/x-ndjson"
"""One JSON object per line."""


class Stream(Response):
    """Sends what a generator yields; when the client goes, the generator is cancelled once and closed.

    An AgentError before the first piece becomes an ordinary failure. Starlette's own StreamingResponse cancels through
    a scope that cancels clean-up as well, which an answer in progress must be spared.
    """

    def __init__(self, pieces: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until either side ends."""
        sending = asyncio.create_task(self._send(scope, receive, send))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not sending.done():
                sending.cancel()
            await asyncio.wait({sending, leaving})
        if not sending.cancelled() and (problem := sending.exception()):
            raise problem

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces, once there is a first one."""
        async with aclosing(self._pieces) as pieces:
            try:
                first = await anext(pieces, b"")
            except AgentError as problem:
                await error_response(problem, scope["path"])(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
