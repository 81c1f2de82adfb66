"""Bodies of requests: bounded, decoded, and explained where they are wrong."""

from __future__ import annotations

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from fleetview_agent.errors import AgentError, BadRequest

BODY_LIMIT_BYTES = 8 << 20

T = TypeVar("T")


class BodyTooLarge(AgentError):
    """More than we are willing to hold."""

    status = 413
    code = "too_large"


async def read_body(request: Request, adapter: TypeAdapter[T]) -> T:
    """The body as a wire model. Raises BodyTooLarge, BadRequest."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_LIMIT_BYTES:
                raise BodyTooLarge(f"the body is larger than {BODY_LIMIT_BYTES >> 20} MiB")
    except ClientDisconnect:
        raise BadRequest("the client left before the whole body had come") from None
    try:
        return adapter.validate_json(bytes(body))
    except ValidationError as problem:
        raise _explained(problem) from None


def _explained(problem: ValidationError) -> BadRequest:
    """The first mistake in a sentence, with the place where it is."""
    first = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    sentence = first["msg"].removeprefix("Value error, ")
    explained = BadRequest(f"{place}: {sentence}" if place else sentence)
    explained.param = place or None
    return explained
