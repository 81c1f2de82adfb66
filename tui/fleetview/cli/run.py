"""One verb of the command line, from its arguments to its exit status."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from fleetview.cli.output import say
from fleetview.config import ConfigError, FleetConfig, find_config, read_config
from fleetview.own_log import start_log
from fleetview.paths import default_log
from fleetview.remote.errors import RemoteError
from fleetview.verbs import VERBS
from fleetview.words.exits import CommandError, Exit, status_of

if TYPE_CHECKING:
    from fleetview.remote.logins import Logins

CHANGING = frozenset(verb.name for verb in VERBS if verb.changes)

logger = logging.getLogger(__name__)


def run(arguments: Namespace) -> int:
    """Carry out one verb; the exit status."""
    return guarded(arguments, lambda: _perform(arguments))


def guarded(arguments: Namespace, action: Callable[[], int]) -> int:
    """Carry out `action` and turn whatever it raises into a sentence and an exit status."""
    try:
        _prepare(arguments)
        exit_status = action()
        sys.stdout.flush()
    except CommandError as problem:
        say(str(problem))
        return problem.status
    except ConfigError as problem:
        say(str(problem))
        return Exit.USAGE
    except RemoteError as problem:
        say(str(problem))
        return status_of(problem)
    except KeyboardInterrupt:
        say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # whoever read has enough; nothing is left to be flushed at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except Exception as problem:  # the edge of the program: a person gets a sentence, the log gets the trace
        logger.exception("fleetview failed")
        log = arguments.log_file or default_log()
        say(f"an error in fleetview: {type(problem).__name__}: {problem}; its trace is in {log}")
        return Exit.FAILED
    return exit_status


def _prepare(arguments: Namespace) -> None:
    """Start the log, and let every text be written however poor the terminal. Raises CommandError."""
    sys.stdout = sys.stdout or io.StringIO()  # None where the caller has closed it
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        start_log(arguments.log_file or default_log(), arguments.log_level)
    except OSError as problem:
        if file := arguments.log_file:
            raise CommandError(f"{file}: it cannot be written: {problem.strerror}", Exit.USAGE) from problem
        logging.getLogger().addHandler(logging.NullHandler())  # a full disk must not keep anyone from looking


def read_fleet(arguments: Namespace) -> FleetConfig:
    """The fleet that is meant. Raises ConfigError."""
    return read_config(find_config(arguments.fleet))


def _perform(arguments: Namespace) -> int:
    """Call what carries out the verb."""
    if arguments.readonly and arguments.verb in CHANGING and not arguments.dry_run:
        raise CommandError(f"{arguments.verb} would change a node, and --readonly forbids that", Exit.REFUSED)
    from fleetview.cli import fleet_file  # for which the dashboard does not wait, as for what follows
    from fleetview.cli.terminal import Terminal
    from fleetview.remote.logins import Logins

    if arguments.verb == "config":
        return fleet_file.run(arguments)
    config = read_fleet(arguments)
    return asyncio.run(_verb(arguments, config, Logins(Terminal())))


def _verb(arguments: Namespace, config: FleetConfig, logins: Logins) -> Coroutine[None, None, int]:
    """What carries out the verb. Raises CommandError."""
    from fleetview.cli import (  # they bring httpx, which the dashboard must not wait for
        anywhere,
        bench,
        chat,
        copy,
        doctor,
        journal,
        logs,
        models,
        operate,
        plans,
        status,
    )

    match arguments.verb:
        case "chat":
            return chat.run(arguments, config, logins, chat.read_prompt(arguments))
        case "plan" if arguments.anywhere is not None:
            return anywhere.run(arguments, config, logins)
    carried = {
        "status": status.run,
        "doctor": doctor.run,
        "models": models.run,
        "plan": plans.run,
        "journal": journal.run,
        "logs": logs.run,
        "copy": copy.run,
        "bench": bench.run,
    }
    return carried.get(arguments.verb, operate.run)(arguments, config, logins)
