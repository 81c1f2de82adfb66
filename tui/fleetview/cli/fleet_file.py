"""`fleetview config`: the fleet file checked, found, and described."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleetview.cli.output import put, put_json, say
from fleetview.config import FleetConfig, find_config, read_config
from fleetview.config_errors import ConfigError, Finding, Mistake, spelled
from fleetview.form_schema import schema_of
from fleetview.present.numbers import count
from fleetview.toml_lines import Place
from fleetview.words.exits import Exit


def run(arguments: Namespace) -> int:
    """Check the file, print its path, or print its JSON schema."""
    match arguments.action:
        case "schema":
            put(json.dumps(schema(), indent=None if arguments.json else 2))
            return Exit.DONE
        case "path":
            return _path(find_config(arguments.fleet), as_json=arguments.json)
        case _:
            return _check(find_config(arguments.fleet), as_json=arguments.json)


def _path(file: Path | None, *, as_json: bool) -> int:
    """Print where the file is."""
    if as_json:
        put_json(file)
    elif file:
        put(str(file))
    else:
        say("there is no fleet file, so the fleet is this machine alone")
    return Exit.DONE


def _check(file: Path | None, *, as_json: bool) -> int:
    """Print what the file describes, or everything that is wrong with it."""
    from fleetview.keymap import wrong_keys  # brings Textual and every screen, for which no other verb waits
    from fleetview.present.table.wrong_columns import wrong_columns  # as above
    from fleetview.themes import wrong_theme  # as above

    checks = (wrong_theme, wrong_keys, wrong_columns, absent_identities)
    nodes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    try:
        nodes = tuple(node.name for node in read_config(file, *checks).nodes)
    except ConfigError as problem:
        mistakes = problem.mistakes
    if as_json:
        put_json({"file": file, "nodes": nodes, "mistakes": mistakes})
    elif not mistakes:
        put(f"{file or 'no fleet file, which is fine'}: {count(len(nodes), 'node')}: {', '.join(nodes)}")
    else:
        for mistake in mistakes:
            say(str(mistake))
    return Exit.USAGE if mistakes else Exit.DONE


def absent_identities(document: Mapping[str, Any]) -> Iterator[Finding]:  # Any: a parsed file, still without certainty
    """Private keys that are named and not there."""
    nodes = document.get("node")
    tables: list[tuple[Place, object]] = [(("defaults",), document.get("defaults"))]
    tables += [(("node", place), node) for place, node in enumerate(nodes if isinstance(nodes, list) else ())]
    for place, table in tables:
        named = table.get("identity") if isinstance(table, Mapping) else None
        if isinstance(named, str) and named.isprintable() and not _is_file(named):
            key = (*place, "identity")
            yield key, f"{spelled(key)} names {named}, and there is no such file"


def _is_file(named: str) -> bool:
    """Whether there is such a file, as far as this account can see."""
    try:
        return Path(named).expanduser().is_file()
    except RuntimeError:
        return True  # that nobody has such a home is said already
    except OSError:
        return False


def schema() -> dict[str, Any]:  # Any: JSON
    """What a fleet file may say, for editors: with every action that has keys, every theme and every column."""
    from fleetview.keymap import default_keys  # as above
    from fleetview.present.table.columns import COLUMNS  # as above
    from fleetview.themes import known_themes  # as above

    form = schema_of(FleetConfig)
    form["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    form["title"] = "fleet.toml"
    form["properties"]["keys"]["propertyNames"] = {"enum": sorted(default_keys())}
    form["$defs"]["Ui"]["properties"]["theme"] = {"enum": known_themes(), "title": "Theme"}
    form["$defs"]["Ui"]["properties"]["columns"] = {"items": {"enum": list(COLUMNS)}, "title": "Columns"}
    form["$defs"]["Ui"]["properties"]["columns"] |= {"type": "array", "minItems": 1}
    form["$defs"]["Ui"]["properties"]["sort"] = {"enum": list(COLUMNS), "title": "Sort"}
    form["$defs"]["NodeConfig"]["anyOf"] = [{"required": ["host"]}, {"required": ["local"]}]
    return form
