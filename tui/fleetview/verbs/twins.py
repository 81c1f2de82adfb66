"""What to type in a shell instead of a key that is no verb's. Verbs have their own in the table."""

from __future__ import annotations

from collections.abc import Mapping

from fleetview.verbs.table import VERBS

_VIEWS: Mapping[str, str] = {
    "view.fleet": "fleetview status --watch",
    "view.models": "fleetview models",
    "view.chat": "fleetview chat NODE MODEL -p PROMPT",
    "view.logs": "fleetview logs NODE -f",
    "view.journal": "fleetview journal",
    "journal.open": "fleetview journal NODE",
    "model.fit": "fleetview plan --fleet MODEL",
    "node.actions": "fleetview restart NODE BACKEND",
    "logs.level": "fleetview logs NODE --level LEVEL",
    "logs.source": "fleetview logs NODE BACKEND",
    "journal.node": "fleetview journal NODE",
    "app.help": "fleetview --help",
}
TWINS: Mapping[str, str] = {**_VIEWS, **{verb.id: verb.twin for verb in VERBS if verb.id and verb.twin}}
"""Ids of actions → the command line that does the same."""
