"""`fleetview models`: what can be loaded where, and whether it fits."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from dataclasses import dataclass

from fleetview.author import author
from fleetview.cli.bounds import answering
from fleetview.cli.output import put, put_json, say, screen_width, table
from fleetview.config import FleetConfig, NodeConfig
from fleetview.fleet import NodeState, apply
from fleetview.models.picking import Choice, choices, request
from fleetview.present.numbers import context, size
from fleetview.present.operations import plans
from fleetview.present.text import DASH, text_of
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import Exit
from fleetview.words.names import pick_nodes
from fleetview_agent.wire import Plan

HEADING = ("NODE", "MODEL", "SIZE", "QUANT", "CONTEXT", "FITS", "SURE")
NUMBERS = frozenset((2, 4))
AT_ONCE = 4
MOST_PLANS = 100
"""Each costs the node a look at a file; who has more models asks for one plan at a time."""


@dataclass(frozen=True)
class Offer:
    """A model of a node, and what putting it into memory would do."""

    node: str
    choice: Choice
    plan: Plan | None


@dataclass(frozen=True)
class Look:
    """What was read of the models of one node, and why that is not all."""

    offers: tuple[Offer, ...] = ()
    problem: RemoteError | None = None


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print the models of the nodes, all asked at once; what cannot be read is told first."""
    nodes = pick_nodes(config, arguments.nodes)
    looks = await asyncio.gather(*(_look(node, logins) for node in nodes))
    offers = [offer for look in looks for offer in look.offers]
    problems = [(node.name, str(look.problem)) for node, look in zip(nodes, looks, strict=True) if look.problem]
    for name, told in problems:
        say(told if name in told else f"{name}: {told}")  # an address alone does not tell which
    if arguments.json:
        put_json([_object(offer) for offer in offers])
    elif offers:
        put(table((HEADING, *map(_row, offers)), NUMBERS, screen_width()))
    elif not problems:
        say("there is no model on any of these nodes; `fleetview status` tells about their backends")
    return Exit.UNREACHABLE if problems and (arguments.nodes or len(problems) == len(nodes)) else Exit.DONE


async def _look(node: NodeConfig, logins: Logins) -> Look:
    """The models of one node, with a plan for each that could be swapped in."""
    offers: dict[int, Offer] = {}
    try:
        async with connect(node, logins) as client:
            await _read(client, node.name, offers)
    except RemoteError as problem:
        return Look(tuple(offers.values()), problem)
    return Look(tuple(offers.values()))


async def _read(client: AgentClient, node: str, offers: dict[int, Offer]) -> None:
    """Fill in the models of one node in their order: first without plans, then with those that can be had."""
    async with answering(node):
        snapshot = await client.snapshot()
    found = choices(apply({node: NodeState(node)}, node, snapshot, time.monotonic())[node])
    offers.update((place, Offer(node, choice, None)) for place, choice in enumerate(found))
    turn = asyncio.Semaphore(AT_ONCE)

    async def add_plan(place: int, choice: Choice) -> None:
        async with turn, answering(node):
            offers[place] = Offer(node, choice, await _plan(client, choice))

    possible = [(place, choice) for place, choice in enumerate(found) if not (choice.refusal or choice.resident)]
    planning = [asyncio.create_task(add_plan(*one)) for one in possible if one[0] < MOST_PLANS]
    try:
        await asyncio.gather(*planning)
    finally:  # one that fails ends the others
        for task in planning:
            task.cancel()
        await asyncio.gather(*planning, return_exceptions=True)


async def _plan(client: AgentClient, choice: Choice) -> Plan | None:
    """What a swap to the model would do; None when the agent cannot say."""
    try:
        return await client.plan(request(choice, author(), None, "auto"))
    except Refused:
        return None


def _object(offer: Offer) -> dict[str, object]:
    """A model for programs."""
    choice = offer.choice
    return {
        "node": offer.node,
        "backend": choice.backend,
        "model": choice.file,
        "resident": choice.resident,
        "plan": offer.plan,
    }


def _row(offer: Offer) -> tuple[str, ...]:
    """A model for people."""
    choice, file = offer.choice, offer.choice.file
    if choice.resident:
        fits = "resident" if choice.resident == "ready" else choice.resident
    elif choice.refusal:
        fits = f"no: {choice.refusal}"
    else:
        fits = _fits(offer.plan) if offer.plan else DASH
    return (
        offer.node,
        choice.name,
        size(file.size_bytes),
        file.quantization or DASH,
        context(choice.context),
        fits,
        plans.sure(offer.plan) if offer.plan else DASH,
    )


def _fits(plan: Plan) -> str:
    """Whether it fits; where nobody knows, what speaks against it."""
    return f"no: {plan.refusal}" if plan.refusal and plan.verdict == "unknown" else text_of(plans.fits(plan))
