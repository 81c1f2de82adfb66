"""`fleetview plan`, and `--dry-run` of every verb that changes a node: what would be done, and nothing is."""

from __future__ import annotations

from argparse import Namespace

from fleetview.cli.output import put, put_json, screen_width, table
from fleetview.config import FleetConfig
from fleetview.present.numbers import context
from fleetview.present.operations.plan_rows import plan_rows
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_model, pick_node
from fleetview.words.requests import swap_request
from fleetview_agent.wire import LoadRequest, Order, Plan, SwapRequest, target

Loading = LoadRequest | SwapRequest


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print what a swap would do."""
    node = pick_node(config, arguments.node)
    async with connect(node, logins) as client:
        snapshot = await client.snapshot()
        backend, model = pick_model(node.name, snapshot.backends, arguments.model)
        request = swap_request(arguments, node.name, snapshot, backend, model)
        return await show(client, request, node.name, as_json=arguments.json)


async def show(client: AgentClient, request: Order, node: str, *, as_json: bool) -> int:
    """Print what the request would do. Raises CommandError where it would be refused."""
    found = await client.plan(request)
    if as_json:
        put_json(found)
    else:
        put(_words(found, node))
    if found.refusal:
        raise CommandError(f"it would be refused: {found.refusal}", Exit.REFUSED)
    return Exit.DONE


def _words(found: Plan, node: str) -> str:
    """A plan for people."""
    name = target(found.request)
    where = f" on {node}, context {context(found.context)}" if isinstance(found.request, Loading) else f" on {node}"
    verb = "load" if isinstance(found.request, Loading) else found.request.verb
    return table([(verb, f"{name}{where}"), *plan_rows(found)], width=screen_width())
