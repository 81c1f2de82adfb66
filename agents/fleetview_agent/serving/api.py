"""HTTP of the agent: decode, one call, encode."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent import wire
from fleetview_agent.agent import Agent
from fleetview_agent.errors import BadRequest
from fleetview_agent.records.history import SLOT_SECONDS, SLOTS
from fleetview_agent.serving.blobs import blob_routes
from fleetview_agent.serving.bodies import read_body
from fleetview_agent.serving.failures import exception_handlers
from fleetview_agent.serving.metrics import metrics_route
from fleetview_agent.serving.openai import openai_routes
from fleetview_agent.serving.stream import NDJSON, Stream

LATEST = 1e11
"""No time of ours comes near it."""

_ORDER: TypeAdapter[wire.Order] = TypeAdapter(wire.Order)


def build_app(agent: Agent) -> Starlette:
    """Every route, over one agent that is running."""

    async def events(request: HttpRequest) -> Response:
        return Stream(_lines(agent, _number(request, "interval", 1.0, least=0.1)), NDJSON)

    async def snapshot(_: HttpRequest) -> Response:
        return _json(await agent.snapshot())

    async def plan(request: HttpRequest) -> Response:
        return _json(await agent.plan(await read_body(request, _ORDER)))

    async def operate(request: HttpRequest) -> Response:
        operation = agent.operator.submit(await read_body(request, _ORDER))
        return JSONResponse({"id": operation.id}, 202)

    async def cancel(request: HttpRequest) -> Response:
        agent.operator.cancel(request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"]}, 202)

    async def journal(request: HttpRequest) -> Response:
        limit = int(_number(request, "limit", 50, least=1, most=1000))
        ended = agent.journal.ended(limit)
        return JSONResponse([operation.model_dump(mode="json", exclude_none=True) for operation in ended])

    async def history(request: HttpRequest) -> Response:
        since = _number(request, "since", 0.0, least=0.0, most=LATEST)
        step = _number(request, "step", 60.0, least=SLOT_SECONDS, most=SLOT_SECONDS * SLOTS)
        if step % SLOT_SECONDS:
            raise BadRequest(f"step is a multiple of {SLOT_SECONDS}, not {step:g}")
        return _json(await asyncio.to_thread(agent.history.read, since, int(step)))  # all of it takes a good while

    return Starlette(
        routes=[
            Route("/api/events", events),
            Route("/api/snapshot", snapshot),
            Route("/api/plan", plan, methods=["POST"]),
            Route("/api/operations", operate, methods=["POST"]),
            Route("/api/operations/{id}", cancel, methods=["DELETE"]),
            Route("/api/journal", journal),
            Route("/api/history", history),
            *blob_routes(agent),
            *openai_routes(agent),
            metrics_route(agent),
        ],
        exception_handlers=exception_handlers(),
    )


def build_port_app(agent: Agent) -> Starlette:
    """What a port serves: for clients that are not to operate the node."""
    return Starlette(routes=[*openai_routes(agent), metrics_route(agent)], exception_handlers=exception_handlers())


async def _lines(agent: Agent, interval_seconds: float) -> AsyncGenerator[bytes, None]:
    """Each event as a line."""
    async with aclosing(agent.events(interval_seconds)) as events:
        async for event in events:
            yield event.model_dump_json(exclude_none=True).encode() + b"\n"


def _json(value: wire.Wire) -> Response:
    """A wire model as the whole answer."""
    return Response(value.model_dump_json(exclude_none=True), media_type="application/json")


def _number(request: HttpRequest, name: str, default: float, *, least: float, most: float = 3600.0) -> float:
    """A number from the query. Raises BadRequest."""
    if (text := request.query_params.get(name)) is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise BadRequest(f"{name} is a number from {least:g} to {most:g}, not {text[:40]!r}")
    return value
