"""`fleetview plan`, and `--dry-run` of every verb that changes a node: what would be done, and nothing is."""

from __future__ import annotations

from argparse import Namespace

from fleetview.cli.exits import CommandError, Exit
from fleetview.cli.names import pick_model, pick_node
from fleetview.cli.output import put, put_json, table
from fleetview.cli.requests import swap_request
from fleetview.config import FleetConfig
from fleetview.present import plans
from fleetview.present.numbers import context, count, size
from fleetview.present.text import plain, text_of
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.logins import Logins
from fleetview_agent.wire import LoadRequest, Plan, Request, SwapRequest, target


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print what a swap would do."""
    node = pick_node(config, arguments.node)
    async with connect(node, logins) as client:
        snapshot = await client.snapshot()
        backend, model = pick_model(node.name, snapshot.backends, arguments.model)
        request = swap_request(arguments, node.name, snapshot, backend, model)
        return await show(client, request, node.name, as_json=arguments.json)


async def show(client: AgentClient, request: Request, node: str, *, as_json: bool) -> int:
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
    request = found.request
    if isinstance(request, LoadRequest | SwapRequest):
        return table([("load", f"{target(request)} on {node}, context {context(found.context)}"), *_memory(found)])
    return table([(request.verb, f"{target(request)} on {node}"), *plans.change_rows(found)])


def _memory(found: Plan) -> tuple[tuple[str, str], ...]:
    """What putting a model into memory takes."""
    leaves = ", ".join(found.evictions) or "nothing"
    waits = f", after {count(found.waits_for, 'answer')} in progress" if found.waits_for else ""
    before, after, limit = map(size, (found.memory_before_bytes, found.memory_after_bytes, found.memory_limit_bytes))
    rows = (
        ("leaves", f"{leaves}{waits}"),
        ("fit", text_of(plans.verdict(found))),
        ("needs", text_of(plans.need(found))),
        ("memory", f"{before} now, {after} after, of {limit}"),
    )
    return tuple((label, plain(words)) for label, words in rows)
