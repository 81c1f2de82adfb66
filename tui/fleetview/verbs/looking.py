"""Verbs that look, measure or talk, and change nothing on a node."""

from __future__ import annotations

from dataclasses import replace

from fleetview.verbs.arguments import (
    CONTEXT,
    EVICT,
    FORCE,
    LOG_LEVELS,
    MODEL,
    NODE,
    NODES,
    OPTIONS,
    Argument,
    Verb,
)

CHAT = Verb(
    "chat",
    "chat",
    "Ask a resident model something.",
    "chat.open",
    "c",
    "fleetview chat NODE MODEL -p PROMPT",
    (
        NODE,
        Argument("MODEL", "BACKEND/MODEL; not needed where one model is ready", count="optional"),
        Argument("--prompt", "what to ask; otherwise it is read from standard input", "PROMPT", short="-p"),
        Argument("--system", "what the model should keep in mind", "SYSTEM", short="-s"),
    ),
)
STATUS = Verb(
    "status",
    "describe",
    "Show nodes, pressure, models and tokens per second.",
    "node.describe",
    "d,enter",
    "fleetview status NODE",
    (
        NODES,
        Argument("--watch", "again and again, until interrupted"),
        Argument("--tmux", "the one line that a running dashboard keeps, for a status line"),
    ),
    shown=False,
)
DOCTOR = Verb(
    "doctor",
    "health",
    "Tell what is wrong with nodes, and what to do about it.",
    "node.health",
    "h",
    "fleetview doctor NODE",
    (NODES,),
    shown=False,
)
MODELS = Verb("models", "models", "List what can be loaded where, and whether it fits.", arguments=(NODES,))
PLAN = Verb(
    "plan",
    "plan",
    "Show what a swap would do, or with --fleet where a model fits; changes nothing.",
    arguments=(
        replace(NODE, count="optional"),
        replace(MODEL, count="optional"),
        Argument("--fleet", "the model to look for a place for, on every node", "MODEL", field="anywhere"),
        CONTEXT,
        EVICT,
        *OPTIONS,
        FORCE,
    ),
)
JOURNAL = Verb(
    "journal",
    "journal",
    "List the operations that have ended, newest first.",
    arguments=(
        replace(NODE, summary="a node of the fleet file; all when none is named", count="optional"),
        Argument("--number", "how many", "N", "number", short="-n", most=1000),
    ),
)
LOGS = Verb(
    "logs",
    "logs",
    "Show what agent and engines of a node wrote, and follow it.",
    "logs.open",
    "l",
    "fleetview logs NODE -f",
    (
        NODE,
        Argument("BACKEND", "an engine of the node, or agent; all when none is named", count="optional"),
        Argument("--follow", "go on with what is written from now on, until interrupted", short="-f"),
        Argument(
            "--level", "only lines at least so serious: debug, info, warning or error", "LEVEL", choices=LOG_LEVELS
        ),
        Argument(
            "--number",
            "how many lines of the past; 50 when nothing is said",
            "N",
            "number",
            short="-n",
            least=0,
            most=1000,
        ),
    ),
    shown=False,
)
BENCH = Verb(
    "bench",
    "bench",
    "Measure how fast the models in memory read and write.",
    "node.bench",
    "b",
    "fleetview bench NODE",
    shown=False,
    arguments=(
        replace(NODES, summary="nodes of the fleet file, measured at the same time", count="some"),
        Argument("--model", "BACKEND/MODEL; every one that is in memory when none is named", "MODEL"),
        Argument("--pp", "tokens of the prompt; 512 when nothing is said", "N", "number", least=16, most=1_000_000),
        Argument("--tg", "tokens to generate; 128 when nothing is said", "N", "number", least=2, most=100_000),
        Argument("--runs", "how often, after one that does not count; 5 when nothing is said", "N", "number", most=100),
        Argument("--history", "list what was measured before; measures nothing"),
    ),
)
CONFIG = Verb(
    "config",
    "config",
    "Check the fleet file.",
    arguments=(
        Argument("ACTION", "check it, print its path, or its JSON schema", choices=("check", "path", "schema")),
    ),
)
