"""`fleetview journal`: the operations that have ended, newest first."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import dataclass

from fleetview.cli.bounds import answering
from fleetview.cli.output import put, put_json, say, screen_width, table
from fleetview.config import FleetConfig, NodeConfig
from fleetview.present.numbers import duration, moment
from fleetview.present.operations.journal import Entry, newest_first, result
from fleetview.present.operations.progress import named
from fleetview.remote.connect import connect
from fleetview.remote.errors import RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import Exit
from fleetview.words.names import pick_nodes

HEADING = ("WHEN", "NODE", "ID", "TOOK", "BY", "WHAT", "RESULT")
NUMBERS = frozenset((3,))
USUAL_NUMBER = 20


@dataclass(frozen=True)
class Read:
    """What was read of the journal of one node, or why nothing was."""

    entries: tuple[Entry, ...] = ()
    problem: RemoteError | None = None


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print the newest operations of one node, or of all."""
    nodes = pick_nodes(config, () if arguments.node is None else (arguments.node,))
    number = arguments.number or USUAL_NUMBER
    reads = await asyncio.gather(*(_read(node, logins, number) for node in nodes))
    problems = [read.problem for read in reads if read.problem]
    for problem in problems:
        say(str(problem))
    entries = newest_first(entry for read in reads for entry in read.entries)[:number]
    if arguments.json:
        put_json([{"node": entry.node, "operation": entry.operation} for entry in entries])
    elif entries:
        put(table((HEADING, *map(_row, entries)), NUMBERS, screen_width()))
    elif not problems:
        say("no operation has ended yet")
    return Exit.UNREACHABLE if len(problems) == len(nodes) else Exit.DONE


async def _read(node: NodeConfig, logins: Logins, number: int) -> Read:
    """The newest operations of a node."""
    try:
        async with connect(node, logins) as client, answering(node.name):
            return Read(tuple(Entry(node.name, operation) for operation in await client.journal(number)))
    except RemoteError as problem:
        return Read(problem=problem)


def _row(entry: Entry) -> tuple[str, ...]:
    """An operation for people."""
    operation = entry.operation
    return (
        moment(entry.at),
        entry.node,
        operation.id,
        duration(entry.seconds),
        operation.request.author,
        f"{operation.request.verb} {named(operation.request)}",
        result(operation),
    )
