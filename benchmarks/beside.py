"""The agent beside glances and Prometheus's node exporter, all at once, so that each second is the same for all.

Each tells its figures once a second. The agent has Ollama off, and so reads what the others read. glances has no screen
and prints; once as it comes, and once with nothing but what the agent reads too. The exporter is as it comes, and is
scraped. What is not on PATH is left out.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection

import psutil
from at_rest import OFF, Cost, tell, watch
from machine import a_machine

from tests.ollama.servers import free_port

AGENT = "fleetview-agent"
GLANCES, EXPORTER = "glances", "prometheus-node-exporter"
FIGURES = "cpu,mem,memswap,load,sensors,gpu,uptime"
SETTLE_SECONDS = 10.0
"""glances imports for a while before it prints."""
OK = 200


def measure(seconds: int, rounds: int) -> None:
    """Measure and tell."""
    costs: dict[str, list[Cost]] = {}
    for _ in range(rounds):
        for name, cost in one_round(seconds).items():
            costs.setdefault(name, []).append(cost)
    for name, measured in costs.items():
        tell(name, measured)
        if name != AGENT:
            share, memory = (
                statistics.median(pick(other) / pick(own) for other, own in zip(measured, costs[AGENT], strict=True))
                for pick in (lambda cost: cost.share, lambda cost: cost.memory_mib)
            )
            print(f"  {share:.1f} times the agent's time, {memory:.1f} times its memory", flush=True)


def one_round(seconds: int) -> dict[str, Cost]:
    """What each of them took in the same seconds."""
    port = free_port()
    with ExitStack() as stack:
        others = {
            name: stack.enter_context(running(command)) for name, command in commands(port).items() if found(command)
        }
        time.sleep(SETTLE_SECONDS)
        machine = stack.enter_context(a_machine(OFF))
        scraping = (lambda: scrape(port)) if EXPORTER in others else (lambda: None)
        costs = asyncio.run(watch(machine, seconds, tuple(others.values()), scraping))
        return dict(zip((AGENT, *others), costs, strict=True))


def commands(port: int) -> dict[str, Sequence[str]]:
    """How each of the others is started."""
    glances = (GLANCES, "--stdout", FIGURES, "--time", "1", "--disable-check-update")
    return {
        "glances, all that it reads": glances,
        "glances, what the agent reads": (*glances, "--disable-plugin", "all", "--enable-plugin", FIGURES),
        EXPORTER: (EXPORTER, f"--web.listen-address=127.0.0.1:{port}"),
    }


def found(command: Sequence[str]) -> bool:
    """Whether the program is there; says so where it is not."""
    if shutil.which(command[0]) is None:
        print(f"left out: {command[0]} is not on PATH")
        return False
    return True


@contextmanager
def running(command: Sequence[str]) -> Iterator[psutil.Popen]:
    """A program while it runs; what it prints is thrown away."""
    quiet = subprocess.DEVNULL
    with psutil.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
            assert process.poll() is None, f"{command[0]} ended by itself"
        finally:
            process.terminate()


def scrape(port: int) -> None:
    """Read all that the exporter tells."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == OK
        answer.read()
    finally:
        connection.close()
