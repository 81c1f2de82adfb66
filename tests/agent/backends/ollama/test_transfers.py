from __future__ import annotations

import pytest

from fleetview_agent.backends.ollama.transfers import Pulling
from fleetview_agent.speed import Speed
from fleetview_agent.wire import Transfer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def layer(name: str, total: int, completed: int | None = None) -> dict[str, object]:
    """A line as the server writes it: what is zero is left out."""
    line: dict[str, object] = {"status": f"pulling {name}", "digest": f"sha256:{name}", "total": total}
    return line if completed is None else {**line, "completed": completed}


def test_progress_is_the_sum_over_all_layers() -> None:
    pulling = Pulling(Clock())
    pulling.receive({"status": "pulling manifest"})
    pulling.receive(layer("aa", 1000, 1000))
    told = pulling.receive(layer("bb", 500))
    assert (told.done_bytes, told.total_bytes, told.step) == (1000, 1500, "pulling bb")


def test_the_size_of_a_pull_is_unknown_before_its_layers_are() -> None:
    told = Pulling(Clock()).receive({"status": "pulling manifest"})
    assert told == Transfer(done_bytes=0, step="pulling manifest")


def test_the_speed_is_measured_and_tells_the_time_left() -> None:
    clock = Clock()
    pulling = Pulling(clock)
    assert pulling.receive(layer("aa", 10_000)).bytes_per_second is None
    clock.now += 2
    told = pulling.receive(layer("aa", 10_000, 1000))
    assert told.bytes_per_second == pytest.approx(500)
    assert told.seconds_left == pytest.approx(18)


def test_what_an_earlier_pull_fetched_is_no_speed() -> None:
    clock = Clock()
    pulling = Pulling(clock)
    pulling.receive({"status": "pulling manifest"})
    clock.now += 1
    pulling.receive(layer("cached", 5_000, 5_000))
    resumed = pulling.receive(layer("aa", 10_000, 8_000))
    assert resumed.done_bytes == 13_000
    assert resumed.bytes_per_second == 0
    assert resumed.seconds_left is None
    clock.now += 1
    assert pulling.receive(layer("aa", 10_000, 8_200)).bytes_per_second == pytest.approx(100)


def test_the_speed_follows_within_a_few_seconds() -> None:
    clock = Clock()
    speed = Speed(clock)
    moved = 0
    for rate in (1000,) * 60 + (10,) * 60:
        moved += rate // 10
        clock.now += 0.1
        measured = speed.measure(moved)
    assert measured == pytest.approx(10)


def test_bytes_that_were_lost_again_are_no_negative_speed() -> None:
    clock = Clock()
    pulling = Pulling(clock)
    pulling.receive(layer("aa", 10_000, 5_000))
    clock.now += 2
    assert pulling.receive(layer("aa", 10_000, 4_000)).bytes_per_second == 0


def test_verifying_has_no_speed_and_the_end_is_known() -> None:
    pulling = Pulling(Clock())
    pulling.receive(layer("aa", 10, 10))
    told = pulling.receive({"status": "verifying sha256 digest"})
    assert (told.step, told.bytes_per_second, told.done_bytes, pulling.ended) == (
        "verifying sha256 digest",
        None,
        10,
        False,
    )
    pulling.receive({"status": "success"})
    assert pulling.ended
