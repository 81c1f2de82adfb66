"""Measuring a model of a node over a connection to its agent."""

from fleetview.measuring.runs import Measured, measure

__all__ = ["Measured", "measure"]
