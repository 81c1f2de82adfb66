"""A backend without an engine, for demonstrations and tests."""

from fleetview_agent.backends.simulated.backend import SimulatedBackend
from fleetview_agent.backends.simulated.callers import Callers, shares
from fleetview_agent.backends.simulated.engine import Answer, Begun, Engine, plain_engine
from fleetview_agent.backends.simulated.models import ENGINE_LOG, ENGINE_STATUS, SimulatedModel

__all__ = [
    "ENGINE_LOG",
    "ENGINE_STATUS",
    "Answer",
    "Begun",
    "Callers",
    "Engine",
    "SimulatedBackend",
    "SimulatedModel",
    "plain_engine",
    "shares",
]
