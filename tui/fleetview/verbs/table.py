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
    MODEL,
    NAME,
    NODE,
    NODES,
    OPTIONS,
    Argument,
    Verb,
)
from fleetview.verbs.looking import BENCH, CHAT, CONFIG, DOCTOR, JOURNAL, LOGS, MODELS, PLAN, STATUS

SWAP = Verb(
    "swap",
    "swap",
    "Load a model in place of others, after showing the plan.",
    "node.swap",
    "s",
    "fleetview swap NODE MODEL",
    (NODE, MODEL, CONTEXT, EVICT, KEEP_FOR, *OPTIONS, FORCE, *HOW),
    done="swapped in",
)
UNLOAD = Verb(
    "unload",
    "unload",
    "Take a model out of memory.",
    "model.unload",
    "x",
    "fleetview unload NODE MODEL",
    (NODE, MODEL, *HOW),
    done="unloaded",
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
    done="kept",
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
    done="pulled",
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
    done="deleted",
)
LOAD = Verb(
    "load",
    "load",
    "Load a model beside what is there.",
    arguments=(NODE, MODEL, CONTEXT, KEEP_FOR, *OPTIONS, FORCE, *HOW),
    done="loaded",
)
START = Verb("start", "start", "Start the server of an engine.", arguments=(NODE, BACKEND, *HOW), done="started")
STOP = Verb(
    "stop",
    "stop",
    "End the server of an engine, and with it all of its models.",
    arguments=(NODE, BACKEND, *HOW),
    done="stopped",
)
RESTART = Verb(
    "restart",
    "restart",
    "End the server of an engine and start it again.",
    arguments=(NODE, BACKEND, *HOW),
    done="restarted",
)
PIN = Verb(
    "pin",
    "pin",
    "Let a resident model leave only when it is named.",
    arguments=(NODE, MODEL, *HOW),
    done="pinned",
    about="resident",
)
UNPIN = Verb(
    "unpin",
    "unpin",
    "Let a pinned model make room for others again.",
    arguments=(NODE, MODEL, *HOW),
    done="unpinned",
    about="resident",
)
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
    done="made",
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
    done="copied here",
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
