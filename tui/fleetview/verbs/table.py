"""The one table of what can be done to a node: keys, palette, help and command line read it."""

from __future__ import annotations

from dataclasses import replace

from fleetview.verbs.arguments import (
    BACKEND,
    CONTEXT,
    DRY_RUN,
    EVICT,
    FORCE,
    HOW,
    KEEP_FOR,
    LOG_LEVELS,
    MODEL,
    NAME,
    NODE,
    NODES,
    OPTIONS,
    Argument,
    Verb,
)

SWAP = Verb(
    "swap",
    "swap",
    "Load a model in place of others, after showing the plan.",
    "node.swap",
    "s",
    "fleetview swap NODE MODEL",
    (NODE, MODEL, CONTEXT, EVICT, KEEP_FOR, *OPTIONS, FORCE, *HOW),
)
UNLOAD = Verb(
    "unload",
    "unload",
    "Take a model out of memory.",
    "model.unload",
    "x",
    "fleetview unload NODE MODEL",
    (NODE, MODEL, *HOW),
)
KEEP = Verb(
    "keep",
    "keep",
    "Say how long a resident model stays, or pin it.",
    "model.keep",
    "t",
    "fleetview keep NODE MODEL DURATION",
    (
        NODE,
        MODEL,
        Argument("DURATION", "after its last answer: 30m, 2h, 24h, forever, or default for the engine's own time"),
        *HOW,
    ),
)
PULL = Verb(
    "pull",
    "pull",
    "Fetch a model by name, or the rest of one that was cut short.",
    "model.pull",
    "P",
    "fleetview pull NODE MODEL",
    (NODE, NAME, *HOW),
    shown=False,
)
DELETE = Verb(
    "delete",
    "delete",
    "Delete a model from the disk; for 30 s that can be cancelled.",
    "model.delete",
    "D",
    "fleetview delete NODE MODEL",
    (NODE, MODEL, *HOW),
    shown=False,
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
LOAD = Verb(
    "load",
    "load",
    "Load a model beside what is there.",
    arguments=(NODE, MODEL, CONTEXT, KEEP_FOR, *OPTIONS, FORCE, *HOW),
)
START = Verb("start", "start", "Start the server of an engine.", arguments=(NODE, BACKEND, *HOW))
STOP = Verb(
    "stop", "stop", "End the server of an engine, and with it all of its models.", arguments=(NODE, BACKEND, *HOW)
)
RESTART = Verb("restart", "restart", "End the server of an engine and start it again.", arguments=(NODE, BACKEND, *HOW))
PIN = Verb("pin", "pin", "Let a resident model leave only when it is named.", arguments=(NODE, MODEL, *HOW))
UNPIN = Verb("unpin", "unpin", "Let a pinned model make room for others again.", arguments=(NODE, MODEL, *HOW))
CREATE = Verb(
    "create",
    "create",
    "Make a model of an engine out of a GGUF file on the node, or out of another model.",
    arguments=(
        NODE,
        NAME,
        Argument("--from", "BACKEND/MODEL, or the absolute path of a GGUF file on the node", "SOURCE", required=True),
        Argument("--ctx", "tokens of context that stay with the model, whoever loads it", "N", "number"),
        *HOW,
    ),
)
COPY = Verb(
    "copy",
    "copy",
    "Copy a model from one node to others, or the rest of it.",
    "model.copy",
    "C",
    "fleetview copy NODE MODEL TO",
    shown=False,
    arguments=(
        replace(NODE, name="FROM", summary="the node that has it"),
        MODEL,
        replace(NODES, name="TO", summary="the nodes that should get it", count="some"),
        Argument("--limit", "bytes per second over all nodes: 500K, 50M or 1G", "SPEED"),
        Argument("--no-wait", "not possible here: the files go through this program"),
        DRY_RUN,
    ),
)
UNDO = Verb(
    "undo",
    "undo",
    "Take back the last operation, after showing the plan.",
    "node.undo",
    "u",
    "fleetview undo NODE",
    (NODE, Argument("--operation", "another one, by its id in the journal", "ID"), *HOW),
    shown=False,
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

VERBS = (
    STATUS,
    DOCTOR,
    MODELS,
    PLAN,
    SWAP,
    LOAD,
    UNLOAD,
    PIN,
    UNPIN,
    KEEP,
    START,
    STOP,
    RESTART,
    PULL,
    CREATE,
    COPY,
    DELETE,
    UNDO,
    JOURNAL,
    LOGS,
    CHAT,
    BENCH,
    CONFIG,
)
