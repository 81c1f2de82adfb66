"""HTTP of the agent: decode, one call, encode."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent import wire
from fleetview_agent.agent import Agent
from fleetview_agent.serving.blobs import blob_routes
from fleetview_agent.serving.bodies import read_body
from fleetview_agent.serving.failures import exception_handlers
from fleetview_agent.serving.metrics import metrics_route
from fleetview_agent.serving.openai import openai_routes
from fleetview_agent.serving.plainly import number, whole
from fleetview_agent.serving.records import record_routes
from fleetview_agent.serving.stream import NDJSON, Stream

_ORDER: TypeAdapter[wire.Order] = TypeAdapter(wire.Order)


def build_app(agent: Agent) -> Starlette:
    """Every route, over one agent that is running."""

    async def events(request: HttpRequest) -> Response:
        return Stream(_lines(agent, number(request, "interval", 1.0, least=0.1)), NDJSON)

    async def snapshot(_: HttpRequest) -> Response:
        return whole(await agent.snapshot())

    async def plan(request: HttpRequest) -> Response:
        return whole(await agent.plan(await read_body(request, _ORDER)))

    async def operate(request: HttpRequest) -> Response:
        operation = agent.operator.submit(await read_body(request, _ORDER))
        return JSONResponse({"id": operation.id}, 202)

    async def cancel(request: HttpRequest) -> Response:
        agent.operator.cancel(request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"]}, 202)

    return Starlette(
        routes=[
            Route("/api/events", events),
            Route("/api/snapshot", snapshot),
            Route("/api/plan", plan, methods=["POST"]),
            Route("/api/operations", operate, methods=["POST"]),
            Route("/api/operations/{id}", cancel, methods=["DELETE"]),
            *record_routes(agent),
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
