"""Failures as answers: one form for all, with OpenAI's fields beside ours below `/v1`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fleetview_agent.errors import AgentError, NotFound
from fleetview_agent.wire import ErrorAnswer, ErrorBody

logger = logging.getLogger(__name__)

OPENAI_PREFIX = "/v1"
_TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.NOT_FOUND: "not_found_error",
}
"""OpenAI's kinds of errors; every other one is the client's mistake or the server's, by its status."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


def error_body(problem: AgentError) -> dict[str, object]:
    """The one form of every failure."""
    body = ErrorBody(code=problem.code, message=problem.message, hint=problem.hint)
    return ErrorAnswer(error=body).model_dump()


def openai_error_body(problem: AgentError) -> dict[str, object]:
    """The same, with what OpenAI's clients read besides."""
    told = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    return {"error": {**told, "type": _type(problem.status), "param": problem.param}}


def error_response(problem: AgentError, path: str) -> Response:
    """A failure as the whole answer to a request for this path."""
    is_openai = path.startswith(f"{OPENAI_PREFIX}/")
    body = openai_error_body(problem) if is_openai else error_body(problem)
    headers = {} if problem.retry_after_seconds is None else {"Retry-After": str(problem.retry_after_seconds)}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, problem.status, headers=headers)


def exception_handlers() -> dict[int | type[Exception], Handler]:
    """What an application answers when something goes wrong."""
    return {AgentError: _agent_error, HTTPException: _http_error, Exception: _bug}


def _type(status: int) -> str:
    """OpenAI's kind of error."""
    usual = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return _TYPES.get(HTTPStatus(status), usual)


async def _agent_error(request: Request, problem: Exception) -> Response:
    """A failure of our own."""
    assert isinstance(problem, AgentError)
    return error_response(problem, request.url.path)


async def _http_error(request: Request, problem: Exception) -> Response:
    """What the router has to say: no such path, no such method."""
    assert isinstance(problem, HTTPException)
    unknown = NotFound(f"there is no {request.method} {request.url.path[:200]}", "an older agent may not have it yet")
    unknown.status = problem.status_code
    unknown.code = "not_found" if problem.status_code == HTTPStatus.NOT_FOUND else "method_not_allowed"
    return error_response(unknown, request.url.path)


async def _bug(request: Request, problem: Exception) -> Response:
    """A bug: its trace goes to the log, never to the client."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    return error_response(AgentError("an error in the agent", "its log holds the trace"), request.url.path)
