"""When garbage is looked for."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from fleetview.config import config_of
from fleetview.garbage import ALL_SECONDS, IDLE_SECONDS, LATEST_SECONDS, Garbage

CONFIG = config_of({"node": [{"name": "here", "local": True}]})


@pytest.fixture
def looks() -> Iterator[list[int]]:
    """Generations that were looked at; Python's own settings come back afterwards."""
    threshold, seen = gc.get_threshold(), []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "stop" and about["generation"] == 2:
            seen.append(about["generation"])

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*threshold)
    gc.unfreeze()
    gc.enable()


@pytest.mark.parametrize(
    ("idle", "then", "looked"),
    [
        (IDLE_SECONDS, ALL_SECONDS - 1, 0),
        (IDLE_SECONDS, ALL_SECONDS, 1),
        (0.1, ALL_SECONDS, 0),
        (0.1, LATEST_SECONDS, 1),
    ],
)
def test_everything_is_looked_at_while_nobody_presses_a_key(
    looks: list[int], idle: float, then: float, looked: int
) -> None:
    gc.disable()
    garbage = Garbage(lambda: idle)
    garbage.note(CONFIG, {}, 100.0)
    assert gc.isenabled()
    assert not looks
    garbage.note(CONFIG, {}, 100.0 + then)
    assert len(looks) == looked
