"""HTTP of the agent: decode, one call, encode."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fleetview_agent import wire
from fleetview_agent.agent import Agent
from fleetview_agent.bodies import read_body
from fleetview_agent.errors import AgentError, BadRequest, NotFound
from fleetview_agent.openai import openai_routes
from fleetview_agent.stream import Stream, error_response

logger = logging.getLogger(__name__)

NDJSON = "application/x-ndjson"
_REQUEST: TypeAdapter[wire.Request] = TypeAdapter(wire.Request)


def build_app(agent: Agent) -> Starlette:
    """Every route, over one agent that is running."""

    async def events(request: HttpRequest) -> Response:
        return Stream(_lines(agent, _number(request, "interval", 1.0, least=0.1)), NDJSON)

    async def snapshot(_: HttpRequest) -> Response:
        return _json(await agent.snapshot())

    async def plan(request: HttpRequest) -> Response:
        return _json(await agent.plan(await read_body(request, _REQUEST)))

    async def operate(request: HttpRequest) -> Response:
        operation = agent.operator.submit(await read_body(request, _REQUEST))
        return JSONResponse({"id": operation.id}, 202)

    async def cancel(request: HttpRequest) -> Response:
        agent.operator.cancel(request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"]}, 202)

    async def journal(request: HttpRequest) -> Response:
        limit = int(_number(request, "limit", 50, least=1, most=1000))
        ended = agent.journal.ended(limit)
        return JSONResponse([operation.model_dump(mode="json", exclude_none=True) for operation in ended])

    return Starlette(
        routes=[
            Route("/api/events", events),
            Route("/api/snapshot", snapshot),
            Route("/api/plan", plan, methods=["POST"]),
            Route("/api/operations", operate, methods=["POST"]),
            Route("/api/operations/{id}", cancel, methods=["DELETE"]),
            Route("/api/journal", journal),
            *openai_routes(agent),
        ],
        exception_handlers={AgentError: _agent_error, HTTPException: _http_error, Exception: _bug},
    )


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


async def _agent_error(_: HttpRequest, problem: Exception) -> Response:
    """A failure of our own."""
    assert isinstance(problem, AgentError)
    return error_response(problem)


async def _http_error(request: HttpRequest, problem: Exception) -> Response:
    """What the router has to say: no such path, no such method."""
    assert isinstance(problem, HTTPException)
    unknown = NotFound(f"there is no {request.method} {request.url.path[:200]}", "an older agent may not have it yet")
    unknown.status = problem.status_code
    unknown.code = "not_found" if problem.status_code == HTTPStatus.NOT_FOUND else "method_not_allowed"
    return error_response(unknown)


async def _bug(request: HttpRequest, problem: Exception) -> Response:
    """A bug: its trace goes to the log, never to the client."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return error_response(AgentError("an error in the agent", "its log holds the trace"))
