"""What can go wrong with a benchmark, beside the network."""

from __future__ import annotations


class BenchError(Exception):
    """It could not be measured or kept: one sentence."""


class TooLong(BenchError):
    """More tokens are asked for than the model's context has."""
