"""`fleetview config`: the fleet file checked, found, and described."""

from __future__ import annotations

import json
from argparse import Namespace

from fleetview.cli.exits import Exit
from fleetview.cli.output import put, put_json, say
from fleetview.config import FleetConfig, find_config, read_config
from fleetview.present.numbers import count


def run(arguments: Namespace) -> int:
    """Check the file, print its path, or print its JSON schema."""
    if arguments.action == "schema":
        put(json.dumps(FleetConfig.model_json_schema(), indent=None if arguments.json else 2))
        return Exit.DONE
    file = find_config(arguments.fleet)
    if arguments.action == "path":
        if arguments.json:
            put_json(file)
        elif file:
            put(str(file))
        else:
            say("there is no fleet file, so the fleet is this machine alone")
        return Exit.DONE
    config = read_config(file)
    names = tuple(node.name for node in config.nodes)
    if arguments.json:
        put_json({"file": file, "nodes": names})
    else:
        put(f"{file or 'no fleet file, which is fine'}: {count(len(names), 'node')}: {', '.join(names)}")
    return Exit.DONE
