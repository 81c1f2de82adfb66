"""The terminal program of fleetview."""

__version__ = "0.1.0"
