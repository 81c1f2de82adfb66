"""`/metrics`: the node as Prometheus reads it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fleetview_agent.agent import Agent

FRESH_SECONDS = 5.0
"""What is told is no older: nobody who scrapes is there between two scrapes, so the agent may have rested."""


def metrics_route(agent: Agent) -> Route:
    """The one route."""

    async def metrics(request: Request) -> Response:
        # An agent that nobody scrapes does not pay for prometheus-client and all that it is told.
        from fleetview_agent.serving.exposition import expose
        from fleetview_agent.serving.series import Node

        node = Node(await agent.look(FRESH_SECONDS), agent.counters, agent.hub.cut_off)
        body, content_type = expose(node, ",".join(request.headers.getlist("accept")))
        return Response(body, headers={"content-type": content_type})

    return Route("/metrics", metrics)
