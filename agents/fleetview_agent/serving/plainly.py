"""Plain requests: numbers of a query, and a wire model as the whole answer."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from fleetview_agent.errors import BadRequest
from fleetview_agent.wire import Wire


def whole(value: Wire) -> Response:
    """A wire model as the whole answer."""
    return Response(value.model_dump_json(exclude_none=True), media_type="application/json")


def number(request: Request, name: str, default: float, *, least: float, most: float = 3600.0) -> float:
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
