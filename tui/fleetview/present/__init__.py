"""Numbers to words: everything that is shown is worded here. Pure; knows no Textual."""

from fleetview.present.numbers import age, celsius, context, count, duration, percent, rate, size, watts
from fleetview.present.text import DASH, ELLIPSIS, cut, plain

__all__ = [
    "DASH",
    "ELLIPSIS",
    "age",
    "celsius",
    "context",
    "count",
    "cut",
    "duration",
    "percent",
    "plain",
    "rate",
    "size",
    "watts",
]
