"""What the command line of the dashboard understands: the verbs of a shell, and what changes the picture."""

from __future__ import annotations

from dataclasses import replace

from fleetview.verbs import CHAT, CONFIG, LOGS, VERBS, Argument, Verb
from fleetview.verbs.arguments import HOW, NODE

COLUMN = Argument("COLUMN", "a column of the table of nodes, or file for the order of the fleet file")
COLUMNS = Argument("COLUMN", "columns of the table of nodes; none: those that suit the width", count="any")
THEME = Argument("THEME", "the name of a theme")
FILTER = "filter"
"""Takes the rest of its line as it is."""

OWN = (
    Verb("fleet", "fleet", "The fleet: one row for each node."),
    Verb("node", "node", "Everything about a node.", arguments=(NODE,)),
    Verb("sort", "sort", "Put the nodes in order by a column; again: the other way round.", arguments=(COLUMN,)),
    Verb(
        "group",
        "group",
        "Put nodes together by what they have in common.",
        arguments=(Argument("BY", "role, tag or none", choices=("role", "tag", "none")),),
    ),
    Verb("columns", "columns", "Show these columns of the table of nodes.", arguments=(COLUMNS,)),
    Verb("wide", "wide", "More columns, as far as there is room; again: fewer."),
    Verb(
        FILTER,
        "filter",
        "Show only nodes that match, as in mem>80 & role=head; alone: all.",
        arguments=(Argument("TEXT", "text, !not, field>value", count="any"),),
    ),
    Verb("theme", "theme", "Other colours.", arguments=(THEME,)),
    Verb(
        "mouse",
        "mouse",
        "Whether the mouse is ours, or the terminal's for selecting text.",
        arguments=(Argument("SWITCH", "on or off", choices=("on", "off")),),
    ),
    Verb("pause", "pause", "Let the picture stay as it is, or go on."),
    Verb("palette", "palette", "Everything by name, to search in."),
    Verb("help", "help", "What the keys of this screen do."),
    Verb("quit", "quit", "Leave; operations go on, on the nodes."),
    Verb("q", "quit", "Leave; operations go on, on the nodes."),
)
_OPTIONAL = {CHAT.name, LOGS.name}
"""Verbs that mean the whole view where no node is named."""


def _here(verb: Verb) -> Verb:
    """The verb without what only a shell needs."""
    arguments = tuple(argument for argument in verb.arguments if argument not in HOW)
    if verb.name in _OPTIONAL:
        arguments = tuple(replace(one, count="optional") if one == NODE else one for one in arguments)
    return replace(verb, arguments=arguments)


COMMANDS = (*OWN[:1], *(_here(verb) for verb in VERBS if verb is not CONFIG), *OWN[1:])
CHANGES = frozenset(verb.name for verb in VERBS if verb.changes)
"""Names of those that change a node."""
