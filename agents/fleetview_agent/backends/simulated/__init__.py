"""A backend without an engine, for demonstrations and tests."""

from fleetview_agent.backends.simulated.backend import SimulatedBackend

__all__ = ["SimulatedBackend"]
