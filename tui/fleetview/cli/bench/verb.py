"""The verb: which models on which nodes, one after the other on each, all nodes at the same time."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from fleetview.bench.book import Book, Kept, book_file
from fleetview.bench.errors import BenchError, TooLong
from fleetview.bench.results import Result
from fleetview.bench.task import GENERATED_TOKENS, PROMPT_TOKENS, RUNS, Lengths, Task, ready_tasks
from fleetview.cli.bench.words import block, history
from fleetview.cli.output import Progress, put, put_json, say
from fleetview.config import FleetConfig, NodeConfig
from fleetview.measuring import measure
from fleetview.remote.client import AgentClient
from fleetview.remote.connect import connect
from fleetview.remote.errors import Refused, RemoteError
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit, status_of
from fleetview.words.names import pick_model, pick_nodes
from fleetview_agent.wire import Snapshot


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Measure and print; with `--history`, print what was measured before."""
    nodes = pick_nodes(config, arguments.nodes)
    book = Book(book_file())
    if arguments.history:
        return _history(arguments, book, {node.name for node in nodes})
    bench = Bench(arguments, book, logins)
    statuses = await asyncio.gather(*(bench.node(node) for node in nodes))
    if arguments.json:
        put_json([_object(kept) for kept in bench.kept])
    elif len(bench.kept) > 1:
        put(f"\n{history(kept.result for kept in bench.kept)}")
    return max(statuses)


def _history(arguments: Namespace, book: Book, nodes: set[str]) -> int:
    """What was measured on these nodes, newest first. Raises CommandError."""
    found = [
        result
        for result in _results(book)
        if result.node in nodes
        and (arguments.model is None or arguments.model in {result.model, result.model.partition("/")[2]})
    ]
    if arguments.json:
        put_json(found)
    elif found:
        put(history(found))
    else:
        say("nothing was measured there yet")
    return Exit.DONE


def _results(book: Book) -> tuple[Result, ...]:
    """What the book has. Raises CommandError where it cannot be read."""
    try:
        return book.results()
    except BenchError as problem:
        raise CommandError(str(problem), Exit.FAILED) from problem


class Bench:
    """Measures node by node, and prints and keeps every result as soon as it is there."""

    def __init__(self, arguments: Namespace, book: Book, logins: Logins) -> None:
        self._arguments = arguments
        self._book = book
        self._logins = logins
        self._progress = Progress()
        self.kept: list[Kept] = []

    async def node(self, node: NodeConfig) -> Exit:
        """Measure the models of a node; what it comes to, which is told where it is not done."""
        try:
            async with connect(node, self._logins) as client:
                tasks = _tasks(self._arguments, node.name, await client.snapshot())
                return max([await self._model(client, task) for task in tasks])
        except RemoteError as problem:
            self._say(f"{node.name}: {problem}")
            return status_of(problem)
        except CommandError as problem:
            self._say(str(problem))
            return problem.status

    async def _model(self, client: AgentClient, task: Task) -> Exit:
        """Measure one model. Raises RemoteError where the others could not be measured either."""

        def tell(step: str) -> None:
            self._progress.show(f"{task.model} on {task.node}: {step}")

        try:
            result = await measure(client, task, tell)
        except BenchError as problem:
            self._say(str(problem))
            return Exit.USAGE if isinstance(problem, TooLong) else Exit.FAILED
        except Refused as problem:  # it may have left meanwhile; the others are there
            self._say(f"{task.node}: {problem}")
            return status_of(problem)
        finally:
            self._progress.clear()
        self._keep(result)
        return Exit.DONE

    def _keep(self, result: Result) -> None:
        """Write a result down and print it; one that cannot be written down is printed all the same."""
        kept = self._book.kept(result)
        if kept.trouble:
            self._say(kept.trouble)
        self.kept.append(kept)
        if not self._arguments.json:
            put(block(result, kept.before))

    def _say(self, sentence: str) -> None:
        """Something that is no result, on a line of its own."""
        self._progress.clear()
        say(sentence)


def _tasks(arguments: Namespace, node: str, snapshot: Snapshot) -> tuple[Task, ...]:
    """What is to be measured on a node. Raises CommandError where nothing can be."""
    lengths = Lengths(arguments.pp or PROMPT_TOKENS, arguments.tg or GENERATED_TOKENS, arguments.runs or RUNS)
    sample = snapshot.samples[-1] if snapshot.samples else None
    ready = {task.model: task for task in ready_tasks(node, snapshot.machine, snapshot.backends, sample, lengths)}
    names = tuple(ready)
    if arguments.model is not None:
        names = ("/".join(pick_model(node, snapshot.backends, arguments.model)),)
    if not names:
        raise CommandError(f"no model is ready on {node}; `fleetview load {node} MODEL` loads one", Exit.REFUSED)
    if names[0] not in ready:
        there = f"in memory there: {', '.join(ready)}" if ready else f"`fleetview load {node} {names[0]}` loads it"
        raise CommandError(f"{names[0]} is not in memory on {node}; {there}", Exit.USAGE)
    return tuple(ready[name] for name in names)


def _object(kept: Kept) -> dict[str, object]:
    """A result for programs."""
    return {
        **kept.result.model_dump(),
        "efficiency_ratio": kept.result.efficiency_ratio,
        "before": kept.before,
    }
