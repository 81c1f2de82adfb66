"""`fleetview plan --fleet`: where in the fleet a model fits, now and when everything that is not pinned leaves."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from dataclasses import dataclass

from fleetview.author import author
from fleetview.cli.bounds import answering
from fleetview.cli.exits import CommandError, Exit
from fleetview.cli.names import pick_model
from fleetview.cli.output import put, put_json, say, table
from fleetview.cli.requests import load_options
from fleetview.config import FleetConfig, NodeConfig
from fleetview.fleet import NodeState, apply
from fleetview.present import measures, plans
from fleetview.present.numbers import count, size
from fleetview.present.text import DASH, text_of
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview_agent.wire import LoadOptions, Plan, Snapshot, SwapRequest

HEADING = ("NODE", "MODEL", "NEEDS", "ROOM NOW", "EMPTIED", "FITS", "SURE", "EXPECTED")
NUMBERS = frozenset((2, 3, 4))
ORDER = ("fits", "tight", "unknown", "does_not_fit")
FITTING = frozenset(("fits", "tight"))


@dataclass(frozen=True)
class Place:
    """What one node has to say."""

    node: str
    model: str | None = None
    """`BACKEND/MODEL`; None where it has no such file."""
    resident: bool = False
    now: Plan | None = None
    """Beside what is in memory."""
    emptied: Plan | None = None
    """In place of everything that is not pinned."""
    room_now: float | None = None
    """Of a node without the file, by its newest sample."""
    lack: str | None = None
    """Why there is no plan, though the node answers."""
    unknown: bool = False
    """Whether that is because no model of it is meant."""
    problem: RemoteError | None = None
    """Why it does not answer."""

    @property
    def fits_now(self) -> bool:
        """Whether it is there already, or could come without anyone leaving."""
        return self.resident or _fits(self.now)

    @property
    def best(self) -> Plan | None:
        """The plan that stands for the node: without anyone leaving, where that is enough or nothing else helps."""
        return (
            self.emptied if self.emptied and not self.fits_now and _rank(self.emptied) < _rank(self.now) else self.now
        )

    @property
    def fits(self) -> bool:
        """Whether it fits one way or the other."""
        return self.resident or _fits(self.best)


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print where the model fits, the best place first."""
    options = load_options(arguments)
    looks = (_look(node, logins, arguments.anywhere, options) for node in config.nodes)
    places = sorted(await asyncio.gather(*looks), key=_goodness)
    answers = [place for place in places if place.problem is None]
    for place in places:
        if place.problem:
            told = str(place.problem)
            say(told if place.node in told else f"{place.node}: {told}")
    if arguments.json:
        put_json([_object(place) for place in places])
    elif answers:
        put(table((HEADING, *map(_row, answers)), NUMBERS))
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
        return Place(node.name, problem=problem)


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
    unusable = now.refusal if now.refusal and _fits(now) else None
    return Place(node, name, now.already_resident, now, emptied, lack=unusable)


def _room(node: str, snapshot: Snapshot) -> float | None:
    """What a further model could take on a node that cannot be asked for a plan."""
    return measures.memory_free(apply({node: NodeState(node)}, node, snapshot, time.monotonic())[node])


def _fits(plan: Plan | None) -> bool:
    """Whether there is room, and nothing else stands in the way."""
    return plan is not None and plan.verdict in FITTING and plan.refusal is None


def _rank(plan: Plan | None) -> int:
    """How good a verdict is; the lower the better."""
    if plan is None or (plan.refusal and plan.verdict in FITTING):
        return len(ORDER)
    return ORDER.index(plan.verdict)


def _goodness(place: Place) -> tuple[bool, bool, bool, bool, int, float]:
    """By this the best place comes first: in memory, beside the others, then by verdict and what is left."""
    spare = plans.spare_bytes(place.best) if place.best else None
    return (
        place.problem is not None,
        place.model is None,
        not place.resident,
        not place.fits_now,
        _rank(place.best),
        -(spare or 0),
    )


def _object(place: Place) -> dict[str, object]:
    """A place for programs."""
    return {
        "node": place.node,
        "model": place.model,
        "fits": place.fits,
        "resident": place.resident,
        "now": place.now,
        "emptied": place.emptied,
        "problem": str(place.problem) if place.problem else place.lack,
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
