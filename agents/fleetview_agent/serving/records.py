"""What the node remembers, for who asks: its journal, its figures, its logs, and who holds its memory now."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent.agent import Agent
from fleetview_agent.errors import BadRequest
from fleetview_agent.records.history import SLOT_SECONDS, SLOTS
from fleetview_agent.serving.plainly import number, whole

LATEST = 1e11
"""No time of ours comes near it."""


def record_routes(agent: Agent) -> tuple[Route, ...]:
    """The routes over one agent that is running."""

    async def journal(request: Request) -> Response:
        limit = int(number(request, "limit", 50, least=1, most=1000))
        ended = agent.journal.ended(limit)
        return JSONResponse([operation.model_dump(mode="json", exclude_none=True) for operation in ended])

    async def history(request: Request) -> Response:
        since = number(request, "since", 0.0, least=0.0, most=LATEST)
        step = number(request, "step", 60.0, least=SLOT_SECONDS, most=SLOT_SECONDS * SLOTS)
        if step % SLOT_SECONDS:
            raise BadRequest(f"step is a multiple of {SLOT_SECONDS}, not {step:g}")
        return whole(await asyncio.to_thread(agent.history.read, since, int(step)))  # all of it takes a good while

    async def logs(request: Request) -> Response:
        return whole(agent.logs(request.query_params.get("backend")))

    async def processes(_: Request) -> Response:
        return whole(await agent.processes())

    return (
        Route("/api/journal", journal),
        Route("/api/history", history),
        Route("/api/logs", logs),
        Route("/api/processes", processes),
    )
