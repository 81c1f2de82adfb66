"""The fleet in one line for the status line of tmux."""

from __future__ import annotations

from fleetview.config import FleetConfig
from fleetview.fleet import Fleet
from fleetview.present import measures
from fleetview.present.numbers import count, powers, rate, size
from fleetview.present.text import SEPARATOR, plain


def tmux_line(config: FleetConfig, fleet: Fleet, now: float) -> str:
    """Nodes up, free memory, tokens per second, power and alerts; what is unknown of them is left out."""
    living = measures.living(fleet, now)
    samples = [node.sample for node in living if node.sample]
    free = measures.total(measures.memory_free(node) for node in living)
    tokens = measures.total(map(measures.tokens_per_second, samples))
    alerts = sum(measures.alert(node, now) is not None for node in fleet.values())
    parts = (
        f"{plain(config.fleet.name, 20)} {len(living)}/{len(fleet)} up",
        None if free is None else f"{size(free)} free",
        None if tokens is None else f"{rate(tokens)} tok/s",
        powers(samples),
        f"▲ {count(alerts, 'alert')}" if alerts else None,
    )
    return SEPARATOR.join(part for part in parts if part).replace("#", "##")  # tmux reads # as a command
