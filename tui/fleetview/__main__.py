"""The command `fleetview`: parse, build, call."""

from __future__ import annotations

import gc
import io
import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from fleetview.words.parser import parse

if TYPE_CHECKING:
    from fleetview.chats.store import ChatStore


def main() -> int:
    """Run the dashboard or one verb; the exit status."""
    if sys.platform == "win32":
        sys.stderr.write("fleetview: it runs on macOS and Linux; Windows is not supported\n")
        return 2
    arguments = parse(sys.argv[1:])
    if arguments.verb == "status" and arguments.tmux:
        return _status_line(arguments)
    if arguments.verb == "demo":
        return _demo(arguments)
    if arguments.verb is None:
        gc.disable()  # what is made until the first paint stays: looking for garbage in it takes a tenth of the start
    from fleetview.cli.run import guarded, run  # --version and --help need none of what this imports

    if arguments.verb is not None:
        return run(arguments)
    return guarded(arguments, lambda: _dashboard(arguments))


def _status_line(arguments: Namespace) -> int:
    """Print the line that a running dashboard keeps; a dash where none runs."""
    from fleetview.status_line import kept_line  # no other verb needs it

    try:
        line = kept_line(arguments.fleet)
    except ValueError as problem:
        sys.stderr.write(f"fleetview: {problem}: nobody here has such a home\n")
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(f"{line or '–'}\n")
    if line is None:
        sys.stderr.write("fleetview: no dashboard of this fleet runs here, and nobody else keeps its line\n")
    return 0 if line else 1


def _demo(arguments: Namespace) -> int:
    """Show a fleet that is made up, and leave nothing behind."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("fleetview: the demo needs a terminal\n")
        return 2
    from fleetview.app import FleetApp  # as in main
    from fleetview.cli.run import guarded
    from fleetview.demo import SIGN, a_demo

    with a_demo(arguments.seed) as (demo, folder):
        arguments.log_file = arguments.log_file or folder / "fleetview.log"

        def show() -> int:
            app = FleetApp(demo.config, demo.link, readonly=arguments.readonly)
            app.sub_title = SIGN
            app.run(mouse=demo.config.ui.mouse)
            return app.return_code or 0

        return guarded(arguments, show)


def _dashboard(arguments: Namespace) -> int:
    """Show the fleet until the operator leaves."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("fleetview: the dashboard needs a terminal; `fleetview status` prints the fleet as text\n")
        return 2
    from fleetview.app import FleetApp  # a verb needs no screen
    from fleetview.commands.history import Typed, history_file
    from fleetview.config import find_config
    from fleetview.garbage import Garbage
    from fleetview.last_known import LastKnown, last_known_file
    from fleetview.present.tmux import tmux_line
    from fleetview.status_line import StatusLine, line_file
    from fleetview.watching import FleetFile

    def chats() -> ChatStore:
        from fleetview.chats.store import ChatStore, chats_file  # the first paint does not wait for chats

        return ChatStore(chats_file() if arguments.history else None)

    fleet_file = FleetFile(find_config(arguments.fleet))
    config = fleet_file.read()
    memory = LastKnown(last_known_file())
    app = FleetApp(config, readonly=arguments.readonly, memory=memory, fleet_file=fleet_file, chats=chats)
    app.typed = Typed(history_file())
    line = StatusLine(line_file(fleet_file.path), tmux_line)
    app.followers += (line.note, Garbage(app.idle_seconds).note)
    app.run(mouse=config.ui.mouse)
    app.close_chats()
    line.close()
    memory.save(app.config.nodes, app.fleet, time.monotonic())
    if app.farewell:
        sys.stdout.write(f"{app.farewell}\n")
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
