"""`fleetview bench`: how fast the models in memory read and write, and what was measured before."""

from fleetview.cli.bench.verb import run

__all__ = ["run"]
