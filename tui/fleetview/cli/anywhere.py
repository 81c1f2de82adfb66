"""`fleetview plan --fleet`: where in the fleet a model fits, now and when everything that is not pinned leaves."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace

from fleetview.author import author
from fleetview.cli.bounds import answering
from fleetview.cli.output import put, put_json, say, screen_width, table
from fleetview.config import FleetConfig, NodeConfig
from fleetview.fleet import NodeState, apply
from fleetview.models.fitting import Place, goodness, planned
from fleetview.present import measures
from fleetview.present.numbers import count, size
from fleetview.present.operations import plans
from fleetview.present.text import DASH, text_of
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_model
from fleetview.words.requests import load_options
from fleetview_agent.wire import LoadOptions, Plan, Snapshot, SwapRequest

HEADING = ("NODE", "MODEL", "NEEDS", "ROOM NOW", "EMPTIED", "FITS", "SURE", "EXPECTED")
NUMBERS = frozenset((2, 3, 4))


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print where the model fits, the best place first."""
    options = load_options(arguments)
    looks = (_look(node, logins, arguments.anywhere, options) for node in config.nodes)
    places = sorted(await asyncio.gather(*looks), key=goodness)
    answers = [place for place in places if place.problem is None]
    for place in places:
        if place.problem:
            say(place.problem if place.node in place.problem else f"{place.node}: {place.problem}")
    if arguments.json:
        put_json([_object(place) for place in places])
    elif answers:
        put(table((HEADING, *map(_row, answers)), NUMBERS, screen_width()))
    if any(place.fits for place in answers):
        return Exit.DONE
    if not answers:
        return Exit.UNREACHABLE
    if all(place.unknown for place in answers):
        raise CommandError(answers[0].lack or f"no node has {arguments.anywhere}", Exit.USAGE)
    raise CommandError(f"{arguments.anywhere} fits on none of the nodes that answer", Exit.REFUSED)


async def _look(node: NodeConfig, logins: Logins, word: str, options: LoadOptions) -> Place:
    """What one node says of the model."""
    try:
        async with connect(node, logins) as client, answering(node.name):
            return await _ask(client, node.name, word, options)
    except RemoteError as problem:
        return Place(node.name, problem=str(problem))


async def _ask(client: AgentClient, node: str, word: str, options: LoadOptions) -> Place:
    """The two plans of a node that has the model."""
    snapshot = await client.snapshot()
    try:
        backend, model = pick_model(node, snapshot.backends, word)
    except CommandError as problem:
        return Place(node, lack=str(problem), unknown=True, room_now=_room(node, snapshot))
    name = f"{backend}/{model}"
    wish = SwapRequest(author=author(), backend=backend, model=model, options=options, evict="none")
    try:
        now = await client.plan(wish)
        emptied = await client.plan(wish.model_copy(update={"evict": "all"}))
    except Refused as problem:
        return Place(node, name, lack=str(problem))
    return planned(node, name, now, emptied)


def _room(node: str, snapshot: Snapshot) -> float | None:
    """What a further model could take on a node that cannot be asked for a plan."""
    return measures.memory_free(apply({node: NodeState(node)}, node, snapshot, time.monotonic())[node])


def _object(place: Place) -> dict[str, object]:
    """A place for programs."""
    return {
        "node": place.node,
        "model": place.model,
        "fits": place.fits,
        "resident": place.resident,
        "now": place.now,
        "emptied": place.emptied,
        "problem": place.problem or place.lack,
    }


def _row(place: Place) -> tuple[str, ...]:
    """A place for people."""
    plan = place.best
    if plan is None:
        return (place.node, place.model or DASH, DASH, size(place.room_now), DASH, _why_not(place), DASH, DASH)
    return (
        place.node,
        place.model or DASH,
        size(plan.need_bytes),
        size(place.now.room_bytes if place.now else None),
        size(place.emptied.room_bytes if place.emptied else None),
        _verdict(place, plan),
        plans.sure(plan),
        DASH if place.resident else plans.expected(plan),
    )


def _why_not(place: Place) -> str:
    """Why there is no plan."""
    return "no such file here" if place.unknown else f"no: {place.lack}"


def _verdict(place: Place, plan: Plan) -> str:
    """Whether it fits, and what that costs."""
    if place.resident:
        return "resident"
    if place.lack:
        return f"no: {place.lack}"
    words = text_of(plans.fits(plan))
    return f"{words}, {count(len(plan.evictions), 'model')} would leave" if plan.evictions else words
