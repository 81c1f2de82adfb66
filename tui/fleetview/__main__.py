"""The command `fleetview`: parse, build, call."""

from __future__ import annotations

import sys
import time
from argparse import Namespace

from fleetview.cli.arguments import parse


def main() -> int:
    """Run the dashboard or one verb; the exit status."""
    if sys.platform == "win32":
        sys.stderr.write("fleetview: it runs on macOS and Linux; Windows is not supported\n")
        return 2
    arguments = parse(sys.argv[1:])
    from fleetview.cli.run import guarded, run  # --version and --help need none of what this imports

    if arguments.verb is not None:
        return run(arguments)
    return guarded(arguments, lambda: _dashboard(arguments))


def _dashboard(arguments: Namespace) -> int:
    """Show the fleet until the operator leaves."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("fleetview: the dashboard needs a terminal; `fleetview status` prints the fleet as text\n")
        return 2
    from fleetview.app import FleetApp  # a verb needs no screen
    from fleetview.config import find_config
    from fleetview.last_known import LastKnown, last_known_file
    from fleetview.watching import FleetFile

    fleet_file = FleetFile(find_config(arguments.fleet))
    config = fleet_file.read()
    memory = LastKnown(last_known_file())
    app = FleetApp(config, readonly=arguments.readonly, memory=memory, fleet_file=fleet_file)
    app.run(mouse=config.ui.mouse)
    memory.save(app.config.nodes, app.fleet, time.monotonic())
    if app.farewell:
        sys.stdout.write(f"{app.farewell}\n")
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
