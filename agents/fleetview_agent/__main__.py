"""The command `fleetview-agent`: parse, build, call."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import math
import os
import platform
import signal
import sys
import time
from pathlib import Path

from fleetview_agent import __version__, paths
from fleetview_agent.errors import AgentError

LOG_BYTES = 1 << 20
LOG_FILES = 3
STOP_SECONDS = 15.0
"""How long `stop` waits for a tidy end."""
KILL_SECONDS = 2.0
"""How long it waits for an end by force."""
UNREACHABLE = 3
"""Exit status of `dial` where no agent serves."""


def main() -> int:
    """Run the command line; the exit status."""
    arguments = _parser().parse_args()
    if platform.system() not in {"Linux", "Darwin"}:
        return _fail("fleetview-agent runs on macOS and Linux; Windows is not supported", 2)
    try:
        _log_to(arguments.log_file, arguments.log_level)
        return int(arguments.command(arguments))
    except AgentError as problem:
        return _fail(_told(problem), 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # the edge of the program: a person gets a sentence, the log gets the trace
        logging.getLogger(__name__).exception("fleetview-agent failed")
        trace = f"; its trace is in {arguments.log_file}" if arguments.log_file else ""
        return _fail(f"an error in the agent: {type(problem).__name__}: {problem}{trace}", 1)


def _fail(sentence: str, status: int) -> int:
    """Tell a person what is wrong."""
    print(f"fleetview-agent: {sentence}", file=sys.stderr)
    return status


def _told(problem: AgentError) -> str:
    """A failure and what to do about it."""
    return problem.message + (f" ({problem.hint})" if problem.hint else "")


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fleetview-agent", description="The agent of fleetview on this machine.")
    parser.add_argument("--version", action="version", version=f"fleetview-agent {__version__}")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--log-file", type=Path, default=paths.default_log(), help="rotated; default %(default)s")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve this machine on a private socket")
    serve.add_argument("--socket", type=Path, default=paths.default_socket(), help="default %(default)s")
    serve.add_argument("--config", type=Path, help=f"default {paths.default_config()}")
    serve.add_argument(
        "--linger", type=_seconds, metavar="SECONDS", help="end this long after the last client, with nothing to do"
    )
    serve.set_defaults(command=_serve)

    help_stop = "end the agent of this machine, and its llama.cpp models with it; Ollama goes on"
    stop = commands.add_parser("stop", help=help_stop)
    stop.add_argument("--socket", type=Path, default=paths.default_socket(), help="default %(default)s")
    stop.set_defaults(command=_stop)

    sample = commands.add_parser("sample", help="read the counters of this machine")
    sample.add_argument("--count", type=_positive, default=1, help="readings, a second apart; default %(default)s")
    sample.add_argument("--json", action="store_true", help="one JSON object per line")
    sample.add_argument("--config", type=Path, help=f"default {paths.default_config()}")
    sample.set_defaults(command=_sample)

    help_test = "ask each source of figures by itself, and print a report without names to send to whoever helps"
    self_test = commands.add_parser("self-test", help=help_test)
    self_test.add_argument("--json", action="store_true", help="one JSON object")
    self_test.set_defaults(command=_self_test)

    help_simulate = "serve a fleet that is made up, until standard input closes; the folder is removed at the end"
    simulate = commands.add_parser("simulate", help=help_simulate)
    simulate.add_argument("folder", metavar="FOLDER", type=Path, help="sockets will be at FOLDER/NAME/agent.sock")
    simulate.add_argument("--nodes", type=_positive, metavar="N", help="so many alike, instead of six Macs of a studio")
    simulate.add_argument("--seed", default="1", help="what decides who asks what when; default %(default)s")
    simulate.set_defaults(command=_simulate, log_file=None)  # nothing is left behind

    dial = commands.add_parser("dial", help="carry standard input and output to the agent, as ssh may need it")
    dial.add_argument("--socket", type=Path, default=paths.default_socket(), help="default %(default)s")
    dial.set_defaults(command=_dial, log_file=None)  # it must work where nothing can be written
    return parser


def _positive(text: str) -> int:
    """A whole number above zero. Raises ValueError."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _seconds(text: str) -> float:
    """A time that will be over. Raises ValueError."""
    if not 0 <= (seconds := float(text)) < math.inf:
        raise ValueError
    return seconds


def _log_to(file: Path | None, level: str) -> None:
    """Log to a rotated file that nobody else may read, or nowhere."""
    if file is None:
        logging.basicConfig(handlers=[logging.NullHandler()])
        return
    from logging.handlers import RotatingFileHandler  # dial starts for each connection and needs none of this

    os.umask(0o077)
    try:
        paths.private_folder(file.parent)
        handler = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    except OSError as problem:
        raise AgentError(f"{file}: {problem.strerror or problem}", "--log-file names another place") from problem
    logging.basicConfig(
        level=level.upper(), handlers=[handler], format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"
    )


def _serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop."""
    gc.disable()  # what is made until then stays: looking for garbage in it takes a twentieth of the start
    from fleetview_agent.config import read_config  # --version and stop need none of this
    from fleetview_agent.serving.serve import serve

    config = read_config(arguments.config or paths.default_config(), required=arguments.config is not None)
    path = arguments.socket.absolute()

    def tell() -> None:
        gc.freeze()
        gc.enable()
        if sys.stderr.isatty():  # a person, and no service manager
            print(f"serving at {path}; ctrl+c ends it", file=sys.stderr)

    serve(path, config, arguments.linger, tell)
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    """End the agent that serves at the socket, tidily if it can."""
    from fleetview_agent.serving.listener import Holder  # as in _serve

    holder = Holder(arguments.socket)
    process = holder.process
    if process is None:
        print("no agent is running here")
        return 0
    for number, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
        deadline = time.monotonic() + patience
        while holder.process == process and time.monotonic() < deadline:
            time.sleep(0.02)
        if holder.process != process:
            print(f"the agent has ended (process {process})")
            return 0
    return _fail(f"process {process} does not end", 1)


def _sample(arguments: argparse.Namespace) -> int:
    """Print readings of this machine."""
    from fleetview_agent.config import read_config  # as in _serve
    from fleetview_agent.sample_text import complete, describe
    from fleetview_agent.samplers import detect

    config = read_config(arguments.config or paths.default_config(), required=arguments.config is not None)
    sampler = detect(config.sampler)
    try:
        sampler.read()  # rates need a reading before the first
        for _ in range(arguments.count):
            time.sleep(1.0)
            sample = complete(sampler.machine, sampler.read())
            text = sample.model_dump_json(exclude={"traffic"}) if arguments.json else describe(sampler.machine, sample)
            print(text, flush=True)
    finally:
        sampler.close()
    return 0


def _self_test(arguments: argparse.Namespace) -> int:
    """Print what each source of this machine's figures gives, and what it costs."""
    from fleetview_agent.samplers import detect  # as in _serve
    from fleetview_agent.samplers.probing import ProbedSampler
    from fleetview_agent.self_test import examine
    from fleetview_agent.self_test_text import describe

    sampler = detect()
    assert isinstance(sampler, ProbedSampler)
    try:
        report = examine(sampler)
    finally:
        sampler.close()
    print(report.model_dump_json() if arguments.json else describe(report))
    return 1 if report.is_empty else 0


def _simulate(arguments: argparse.Namespace) -> int:
    """Serve machines that are not there."""
    from fleetview_agent.simulation.fleet import simulate  # as in _serve
    from fleetview_agent.simulation.machines import DEMO, alike

    specs = DEMO if arguments.nodes is None else alike(arguments.nodes)
    simulate(arguments.folder.absolute(), specs, arguments.seed, has_past=arguments.nodes is None)
    return 0


def _dial(arguments: argparse.Namespace) -> int:
    """Be a connection to the agent."""
    from fleetview_agent.serving.dial import reach, relay  # as in _serve

    try:
        agent = reach(arguments.socket)
    except AgentError as problem:
        return _fail(_told(problem), UNREACHABLE)
    with agent:
        relay(agent, sys.stdin.fileno(), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
