"""The ring of 48 hours: what it serves, what it survives, and that it never grows."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleetview_agent.records.history import FILE_BYTES, HEADER, SLOT_BYTES, SLOT_SECONDS, SLOTS, HistoryRing
from fleetview_agent.wire import Sample
from tests.builders import a_sample, a_traffic

TURN = 590 * SLOTS * SLOT_SECONDS
"""A time at which the ring begins again at its first slot."""
HOUR = 3600


class Clock:
    """Stands where it is put."""

    def __init__(self, now: float = TURN) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.ring"


def a_reading(at: float, cpu: float | None = 0.5, watts: float | None = None) -> Sample:
    """One that knows nothing but these."""
    return Sample(at=at, cpu_ratio=cpu, power_watts=watts)


def test_each_figure_has_its_mean_and_its_highest_reading(file: Path, clock: Clock) -> None:
    ring = HistoryRing(file, clock)
    rows = (a_traffic(in_flight=2, generation_tokens_per_second=30.0), a_traffic(in_flight=1))
    unknown = (a_traffic(in_flight=0, generation_tokens_per_second=None),)
    unread = {"cpu_celsius": None, "gpu_watts": None}
    ring.keep(a_sample(at=TURN, pressure="normal", cpu_ratio=0.25, traffic=rows, **unread))
    ring.keep(a_sample(at=TURN + 1, pressure="critical", cpu_ratio=0.75, traffic=unknown, **unread))
    history = ring.read(TURN, 10)
    assert (history.began_at, history.step_seconds) == (TURN, 10)
    told = {name: (curve.mean, curve.high) for name, curve in history.figures.items()}
    assert told["cpu_ratio"] == ((0.5,), (0.75,))
    assert told["pressure"] == ((1.0,), (2.0,))
    assert told["in_flight"] == ((1.5,), (3.0,))
    assert told["generation_tokens_per_second"] == ((30.0,), (30.0,))  # of the readings in which it was known
    assert told["memory_used_bytes"] == ((6.8719e10,), (6.8719e10,))
    assert told["swap_used_bytes"] == ((0.0,), (0.0,))  # zero is measured
    assert not told.keys() & {*unread, "prompt_tokens_per_second"}


def test_a_minute_between_readings_leaves_gaps_and_no_zeros(file: Path, clock: Clock) -> None:
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN + 5, 0.1))
    ring.keep(a_reading(TURN + 65, 0.2))
    clock.now = TURN + 65
    nothing = (None,) * 5
    assert ring.read(TURN, 10).figures["cpu_ratio"].mean == (0.1, *nothing, 0.2)
    assert ring.read(TURN, 60).figures["cpu_ratio"].mean == (0.1, 0.2)


def test_what_is_older_than_48_hours_is_gone_and_the_file_is_as_large_as_ever(file: Path, clock: Clock) -> None:
    ring = HistoryRing(file, clock)
    for minute in range(49 * 60):
        ring.keep(a_reading(TURN + 60 * minute, minute / 3000))
        clock.now = TURN + 60 * minute
        if minute == 0:
            assert file.stat().st_size == FILE_BYTES
    assert file.stat().st_size == FILE_BYTES
    assert file.stat().st_mode & 0o777 == 0o600
    history = ring.read(0, 60)
    curve = history.figures["cpu_ratio"]
    assert history.began_at == TURN + HOUR
    assert curve.mean == tuple(pytest.approx(minute / 3000, rel=1e-4) for minute in range(60, 49 * 60))
    assert len(ring.read(0, 70).figures["cpu_ratio"].mean) == SLOTS // 7


Readings = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 9), st.integers(10, 600)),
        st.none() | st.floats(0, 1),
        st.none() | st.floats(0, 1e6),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(readings=Readings, step=st.sampled_from((10, 20, 60, 70, 600)), since=st.integers(-600, 4000))
def test_what_is_served_is_what_one_would_reckon_by_hand(
    readings: list[tuple[int, float | None, float | None]], step: int, since: int
) -> None:
    clock = Clock(TURN - 1000)  # the ring turns in the midst of it
    slots: dict[int, list[tuple[float | None, ...]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        ring = HistoryRing(Path(folder) / "history.ring", clock)
        for later, cpu, watts in readings:
            if later >= SLOT_SECONDS:
                ring.close()  # another agent goes on with the file
                ring = HistoryRing(Path(folder) / "history.ring", clock)
            clock.now += later
            ring.keep(a_reading(clock.now, cpu, watts))
            slots[int(clock.now // SLOT_SECONDS)].append((cpu, watts))
        history = ring.read(TURN - 1000 + since, step)
        ring.close()
    assert history.began_at <= TURN - 1000 + since
    assert history.began_at % step == 0
    for index, name in enumerate(("cpu_ratio", "power_watts")):
        means, highs = by_hand(slots, index, history.began_at, clock.now, step)
        if not any(mean is not None for mean in means):
            assert name not in history.figures
        else:
            assert history.figures[name].mean == tuple(means)
            assert history.figures[name].high == tuple(highs)


def by_hand(
    slots: dict[int, list[tuple[float | None, ...]]], index: int, began: float, now: float, step: int
) -> tuple[list[object], list[object]]:
    """Mean and highest value of a figure in each step, to about four digits."""
    means: list[object] = []
    highs: list[object] = []
    for begin in range(int(began), int(now) + 1, step):
        numbers = range(begin // SLOT_SECONDS, (begin + step) // SLOT_SECONDS)
        known = [[row[index] for row in slots.get(number, ()) if row[index] is not None] for number in numbers]
        each = [sum(values) / len(values) for values in known if values]
        means.append(pytest.approx(sum(each) / len(each), rel=1e-4, abs=1e-30) if each else None)
        highs.append(pytest.approx(max(map(max, filter(None, known))), rel=1e-4, abs=1e-30) if each else None)
    return means, highs


def test_an_agent_that_is_begun_again_goes_on_with_the_same_slot(file: Path, clock: Clock) -> None:
    for cpu in (0.25, 0.5, 0.75, 0.5):
        ring = HistoryRing(file, clock)
        ring.keep(a_reading(TURN, cpu))
        ring.close()
    curve = HistoryRing(file, clock).read(TURN, 10).figures["cpu_ratio"]
    assert (curve.mean, curve.high) == ((0.5,), (0.75,))


def test_a_clock_that_is_set_back_shows_nothing_of_the_future_and_goes_on(file: Path, clock: Clock) -> None:
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN + HOUR, 0.9))
    ring.keep(a_reading(TURN, 0.2))
    assert ring.read(0, 600).figures["cpu_ratio"].high[-1] == 0.2
    assert set(ring.read(0, 600).figures["cpu_ratio"].high[:-1]) == {None}
    assert ring.read(TURN + HOUR, 600).figures == {}
    clock.now += HOUR
    assert ring.read(TURN, 600).figures["cpu_ratio"].high == (0.2, None, None, None, None, None, 0.9)


CHILD = """
import sys
from pathlib import Path
from fleetview_agent.records.history import HistoryRing
from fleetview_agent.wire import Sample
ring, began = HistoryRing(Path(sys.argv[1])), int(sys.argv[2])
for slot in range(10**9):
    for reading in range(2):
        ring.keep(Sample(at=began + 10 * slot + reading, cpu_ratio=slot % 100 / 100))
    print(slot, flush=True)
"""


def test_a_kill_in_the_midst_of_writing_loses_nothing_that_was_kept(file: Path, clock: Clock) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(file), str(TURN)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout
        told = [int(next(child.stdout)) for _ in range(300)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]
    assert len(told) < SLOTS  # else it has gone round
    clock.now = TURN + 10 * told[-1]
    means = HistoryRing(file, clock).read(TURN, 10).figures["cpu_ratio"].mean
    assert means == tuple(slot % 100 / 100 for slot in told)


def a_full_hour() -> bytes:
    """A file with an hour of readings, each of them the share of its hour that has gone by."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.ring"
        ring = HistoryRing(file)
        for slot in range(360):
            ring.keep(a_reading(TURN + 10 * slot, slot / 360))
        ring.close()
        return file.read_bytes()


FULL_HOUR = a_full_hour()
PLACES = st.integers(len(HEADER), len(HEADER) + 360 * SLOT_BYTES - 1) | st.integers(0, FILE_BYTES - 1)


@settings(max_examples=150, deadline=None)
@given(flips=st.lists(st.tuples(PLACES, st.integers(1, 255)), max_size=40), size=st.just(0) | st.integers(-4000, 4000))
@example(flips=[(0, 1)], size=0)
def test_a_damaged_file_loses_its_damaged_slots_and_never_tells_what_was_not_read(
    flips: list[tuple[int, int]], size: int
) -> None:
    damaged = bytearray(FULL_HOUR)
    for place, mask in flips:
        damaged[place] ^= mask
    damaged = damaged[: len(damaged) + size] if size < 0 else damaged + bytes(size)
    clock = Clock(TURN + HOUR - 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.ring"
        file.write_bytes(damaged)
        ring = HistoryRing(file, clock)
        figures = ring.read(TURN, 10).figures
        means = figures["cpu_ratio"].mean if figures else (None,) * 360
        hit = {
            (place - len(HEADER)) // SLOT_BYTES for place in {place for place, _ in flips} if is_changed(place, flips)
        }
        assert figures.keys() <= {"cpu_ratio"}
        if len(damaged) != FILE_BYTES or damaged[: len(HEADER)] != HEADER:
            assert set(means) == {None}
        else:
            for slot, mean in enumerate(means):
                assert mean == (None if slot in hit else pytest.approx(slot / 360, rel=1e-4))
        ring.keep(a_reading(clock.now, 1.0))  # and it goes on
        assert ring.read(clock.now, 10).figures["cpu_ratio"].high == (1.0,)
        ring.close()
        assert file.stat().st_size == FILE_BYTES


def is_changed(place: int, flips: Iterable[tuple[int, int]]) -> bool:
    """Whether two flips of the same place have not undone one another."""
    mask = 0
    for one, more in flips:
        mask ^= more if one == place else 0
    return bool(mask)


def test_a_file_of_another_version_is_begun_anew(file: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(FULL_HOUR.replace(b"history 1", b"history 2", 1))
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN))
    assert "is damaged or of another version" in caplog.text
    clock.now += HOUR
    assert [mean for mean in ring.read(TURN, 10).figures["cpu_ratio"].mean if mean is not None] == [0.5]


def test_a_disk_that_fails_is_told_once_and_tried_again(
    file: Path, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        for second in range(100):
            ring.keep(a_reading(TURN + 10 + second))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "No space left on device; free some space" in caplog.text
    ring.keep(a_reading(TURN + 109))  # still in the slot in which it failed
    ring.keep(a_reading(TURN + 110))
    clock.now = TURN + 110
    assert ring.read(TURN, 10).figures["cpu_ratio"].mean == (0.5, *(None,) * 10, 0.5)


def test_a_folder_in_the_place_of_the_file_costs_the_history_alone(
    file: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file.mkdir()
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN))
    assert ring.read(0, 60).figures == {}
    assert "Is a directory" in caplog.text


@pytest.mark.parametrize("cpu", [1e300, -1e300])
def test_what_is_too_large_for_the_file_is_not_kept(file: Path, clock: Clock, cpu: float) -> None:
    ring = HistoryRing(file, clock)
    ring.keep(a_reading(TURN, cpu, 42.0))
    assert ring.read(0, 60).figures.keys() == {"power_watts"}
