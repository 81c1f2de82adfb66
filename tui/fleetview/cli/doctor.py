"""`fleetview doctor`: what is wrong with the nodes, and what to do about it."""

from __future__ import annotations

import asyncio
import shutil
from argparse import Namespace

from fleetview.cli.output import put, put_json
from fleetview.cli.status import Look, look
from fleetview.config import FleetConfig, NodeConfig
from fleetview.fleet import condition
from fleetview.paths import agent_socket, tilde
from fleetview.present.node.health import Finding, health, health_lines
from fleetview.present.text import plain, text_of
from fleetview.remote.logins import Logins
from fleetview.words.exits import Exit
from fleetview.words.names import pick_nodes

READINGS = 2
"""Rates are of two readings: the first one of an agent that was just started has none."""
WIDTH = 120
"""Where there is no terminal that says how wide it is."""
NARROWEST = 40


async def run(arguments: Namespace, config: FleetConfig, logins: Logins) -> int:
    """Print what was found on the nodes, all looked at at once."""
    nodes = pick_nodes(config, arguments.nodes)
    looks = await asyncio.gather(*(look(node, logins, READINGS) for node in nodes))
    found = [(one, health(one.node, one.at, _way(node))) for node, one in zip(nodes, looks, strict=True)]
    if arguments.json:
        put_json([_object(one, findings) for one, findings in found])
    else:
        ordered = sorted(found, key=lambda pair: pair[0].node.link != "down")  # failures first, else as in the file
        put("\n".join(line for one, findings in ordered for line in _words(one, findings)))
    if any(one.node.link == "down" for one in looks):
        return Exit.UNREACHABLE
    wrong = any(finding.grade == "wrong" for _, findings in found for finding in findings)
    return Exit.FAILED if wrong else Exit.DONE


def _way(node: NodeConfig) -> str:
    """How a node that answers was reached; a machine whose host key is not the known one never is."""
    if node.local:
        return f"at {tilde(node.socket or agent_socket())} on this machine"
    return f"over ssh to {node.host}, whose host key is the known one"


def _object(found: Look, findings: tuple[Finding, ...]) -> dict[str, object]:
    """A node for programs."""
    node = found.node
    return {
        "name": node.name,
        "condition": condition(node, found.at),
        "reachable": node.link != "down",
        "agent_version": node.machine.agent_version if node.machine else None,
        "protocol": node.protocol if node.machine else None,
        "dropped": node.dropped,
        "findings": findings,
    }


def _words(found: Look, findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """A node for people."""
    width = max(NARROWEST, shutil.get_terminal_size((WIDTH, 0)).columns - 2)
    lines = (f"  {text_of(line).rstrip()}" for line in health_lines(findings, width))
    return (f"{plain(found.node.name)}  {condition(found.node, found.at)}", *lines)
