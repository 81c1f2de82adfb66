"""The agent of fleetview: reads one machine, runs its models, serves both on a private socket."""

__version__ = "0.1.0"
