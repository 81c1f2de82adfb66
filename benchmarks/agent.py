"""What the agent costs: at rest, to start, for each thing that it reads, and beside two programs of its trade.

Four parts, of which the first two are promised: `at_rest`, `cold_start`, `beside` and `ticks` say what is done in each.
Where Ollama plays a part it is the real one if that is on PATH, else a stand-in.
"""

from __future__ import annotations

import argparse
import sys

import at_rest
import beside
import cold_start
import ticks
from figures import this_machine

PARTS = ("at-rest", "cold-start", "beside", "ticks")


def main() -> int:
    """Measure and tell; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all of them")
    parser.add_argument("--seconds", type=int, default=60, help="measured each; default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="of each case; default %(default)s")
    parser.add_argument("--starts", type=int, default=7, help="of each case; default %(default)s")
    arguments = parser.parse_args()
    if wrong := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(wrong))}")  # `choices` would refuse an empty list
    statuses = []
    for part in arguments.parts or PARTS:
        print(f"\n{part}; {this_machine()}", flush=True)
        match part:
            case "at-rest":
                statuses.append(at_rest.measure(arguments.seconds, arguments.rounds))
            case "cold-start":
                statuses.append(cold_start.measure(arguments.starts))
            case "beside":
                beside.measure(arguments.seconds, arguments.rounds)
            case _:
                ticks.measure(arguments.seconds)
    return max(statuses, default=0)


if __name__ == "__main__":
    sys.exit(main())
