"""The figures of the last 48 hours, in a file that never grows.

The file is a ring: a header, then one slot for each ten seconds, whose place follows from its time. So no pointer
can be wrong, and a slot that is older, or torn, or damaged, is simply not there. It is written in place with every
reading: an agent that is killed loses nothing of what it read.
"""

from __future__ import annotations

import errno
import itertools
import logging
import math
import os
import struct
import threading
import time
import zlib
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from fleetview_agent.wire import History, HistoryCurve, Sample

logger = logging.getLogger(__name__)

SLOT_SECONDS = 10
SLOTS = 48 * 3600 // SLOT_SECONDS
SAMPLED = (
    "cpu_ratio",
    "cpu_celsius",
    "memory_used_bytes",
    "swap_used_bytes",
    "swap_bytes_per_second",
    "gpu_ratio",
    "gpu_memory_used_bytes",
    "gpu_memory_allocated_bytes",
    "gpu_celsius",
    "gpu_watts",
    "power_watts",
)
"""Fields of a sample that are kept as they are."""
TRAFFIC = ("in_flight", "generation_tokens_per_second", "prompt_tokens_per_second")
"""Fields of its traffic, of which the sum over all models is kept."""
FIGURES = (*SAMPLED, "pressure", *TRAFFIC)
PRESSURES = {"normal": 0.0, "warning": 1.0, "critical": 2.0}
LARGEST = 1e38
"""What is larger goes into no 32 bits."""

_CHECK = struct.Struct("=I")
_SLOT = struct.Struct(f"=qI{2 * len(FIGURES)}f")
"""Time in slots since 1970, how many readings; the mean of each figure, then the highest of each; NaN is unknown.

32 bits give seven digits, which is a megabyte in ten terabytes: more than a chart can show.
"""
SLOT_BYTES = _CHECK.size + _SLOT.size
_TIMES = struct.Struct(f"=Iq{SLOT_BYTES - 12}x")
_FLOATS = SLOT_BYTES // 4
"""A slot taken for an array of floats."""
_FIRST_MEAN = _FLOATS - 2 * len(FIGURES)
_NOTHING = bytes(SLOT_BYTES - 8 * len(FIGURES)) + struct.pack(f"={2 * len(FIGURES)}f", *[math.nan] * 2 * len(FIGURES))
HEADER = f"fleetview history 1: {SLOTS} slots of {SLOT_SECONDS} s, {' '.join(FIGURES)}\n".encode().ljust(512, b"\0")
"""Says what is in the file; a file that says anything else is of another version."""
FILE_BYTES = len(HEADER) + SLOTS * SLOT_BYTES


class HistoryRing:
    """The file `history.ring` of the agent. A disk that fails costs the history, and never raises.

    It may be used from several threads at once.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._filling = _Filling(-1)
        self._failing = False
        self._tried_in = -1
        """The slot in whose time the file was last tried, while it fails."""

    def keep(self, sample: Sample) -> None:
        """Add a reading to the slot of its time."""
        number = int(sample.at // SLOT_SECONDS)
        with self._lock:
            if self._failing and number == self._tried_in:
                return
            self._tried_in = number
            try:
                file = self._open()
                if self._filling.number != number:
                    self._filling = self._continued(file, number)
                self._filling.add(_figures(sample))
                _write(file, self._filling.packed(), _place(number))
            except OSError as problem:
                self._give_up(problem)
            else:
                self._failing = False

    def read(self, since: float, step_seconds: int) -> History:
        """The figures from this time on, in steps of a multiple of ten seconds; takes a while for all of them."""
        per_step = step_seconds // SLOT_SECONDS
        now = int(self._clock() // SLOT_SECONDS)
        last = now // per_step
        first = max(int(since // SLOT_SECONDS) // per_step, last - SLOTS // per_step + 1)  # none but its own in a place
        floats = self._floats(first * per_step, max(0, now + 1 - first * per_step))
        figures = {}
        for index, name in enumerate(FIGURES, start=_FIRST_MEAN):
            means, highs = floats[index::_FLOATS], floats[index + len(FIGURES) :: _FLOATS]
            if any(value == value for value in means):  # noqa: PLR0124  # alone of all values, NaN is not itself
                figures[name] = HistoryCurve(
                    mean=_in_steps(means, per_step, _mean), high=_in_steps(highs, per_step, max)
                )
        return History(began_at=first * step_seconds, step_seconds=step_seconds, figures=figures)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()

    def _open(self) -> int:
        """The file, ready to be read and written. Raises OSError."""
        if self._descriptor is None:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._prepare(descriptor)
            except OSError:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return self._descriptor

    def _prepare(self, file: int) -> None:
        """Begin the file anew where it is not one of ours. Raises OSError."""
        os.fchmod(file, 0o600)
        size = os.fstat(file).st_size
        if size == FILE_BYTES and os.pread(file, len(HEADER), 0) == HEADER:
            return
        if size:
            logger.warning("%s is damaged or of another version, and is begun anew", self._file)
        os.ftruncate(file, 0)
        os.ftruncate(file, FILE_BYTES)  # a hole: the disk gives room for a slot when its time has come
        _write(file, HEADER, 0)

    def _continued(self, file: int, number: int) -> _Filling:
        """The slot of this time, with what an agent before this one read in it. Raises OSError."""
        kept = os.pread(file, SLOT_BYTES, _place(number))
        return _Filling(number, kept if _is_sound(kept, number) else None)

    def _give_up(self, problem: OSError) -> None:
        """Leave the file alone until the next slot."""
        if not self._failing:
            logger.warning(
                "the history of this machine is not kept: %s: %s; free some space, or check who may write there",
                self._file,
                problem.strerror,
            )
        self._failing = True
        self._filling = _Filling(-1)
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _floats(self, first: int, count: int) -> array[float]:
        """Slots that follow one another in time; those that are not there say nothing."""
        read = self._bytes(first, count).ljust(count * SLOT_BYTES, b"\0")
        sound = memoryview(bytearray(read))
        for place, (check, number) in enumerate(_TIMES.iter_unpack(read)):
            slot = sound[place * SLOT_BYTES : (place + 1) * SLOT_BYTES]
            if number != first + place or zlib.crc32(slot[_CHECK.size :]) != check:
                slot[:] = _NOTHING
        floats = array("f")
        floats.frombytes(sound)
        return floats

    def _bytes(self, first: int, count: int) -> bytes:
        """Slots that should follow one another, as they lie in the file; none where it cannot be read."""
        until_the_end = min(count, SLOTS - first % SLOTS)
        try:
            with self._lock:
                file = self._open()
                return os.pread(file, until_the_end * SLOT_BYTES, _place(first)) + os.pread(
                    file, (count - until_the_end) * SLOT_BYTES, _place(0)
                )
        except OSError as problem:
            logger.warning("%s cannot be read: %s", self._file, problem.strerror)
            return b""


class _Filling:
    """The slot that readings are added to, for whose means the sums must be known."""

    def __init__(self, number: int, kept: bytes | None = None) -> None:
        self.number = number
        self._readings = 0
        self._sums = [0.0] * len(FIGURES)
        self._counts = [0] * len(FIGURES)
        self._highs = [math.nan] * len(FIGURES)
        if kept is not None:
            _, self._readings, *floats = _SLOT.unpack_from(kept, _CHECK.size)
            means, self._highs = floats[: len(FIGURES)], floats[len(FIGURES) :]
            self._counts = [0 if math.isnan(mean) else self._readings for mean in means]
            self._sums = [mean * count if count else 0.0 for mean, count in zip(means, self._counts, strict=True)]

    def add(self, figures: Sequence[float | None]) -> None:
        """Take in a reading."""
        self._readings += 1
        for index, value in enumerate(figures):
            if value is not None:
                self._sums[index] += value
                self._counts[index] += 1
                if not value <= self._highs[index]:  # nothing is in any order with NaN
                    self._highs[index] = value

    def packed(self) -> bytes:
        """The slot as it lies in the file."""
        means = [total / count if count else math.nan for total, count in zip(self._sums, self._counts, strict=True)]
        body = _SLOT.pack(self.number, self._readings, *means, *self._highs)
        return _CHECK.pack(zlib.crc32(body)) + body


def _figures(sample: Sample) -> list[float | None]:
    """What is kept of a sample, in the order of `FIGURES`."""
    values: list[float | None] = [getattr(sample, name) for name in SAMPLED]
    values.append(None if sample.pressure is None else PRESSURES[sample.pressure])
    for name in TRAFFIC:
        known = [value for row in sample.traffic if (value := getattr(row, name)) is not None]
        values.append(sum(known) if known else None)
    return [None if value is None or not -LARGEST <= value <= LARGEST else value for value in values]


def _place(number: int) -> int:
    """Where in the file the slot of this time is."""
    return len(HEADER) + number % SLOTS * SLOT_BYTES


def _write(file: int, content: bytes, place: int) -> None:
    """Write all of it. Raises OSError."""
    if os.pwrite(file, content, place) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_sound(slot: bytes, number: int) -> bool:
    """Whether these are the bytes of the slot of this time."""
    if len(slot) != SLOT_BYTES:
        return False
    check, known = _TIMES.unpack(slot)
    return bool(known == number and zlib.crc32(slot[_CHECK.size :]) == check)


def _in_steps(values: array[float], per_step: int, joined: Callable[[list[float]], float]) -> tuple[float | None, ...]:
    """Several slots as one each, in numbers that are short to write."""
    told: list[float | None] = []
    rest = iter(values)
    while step := tuple(itertools.islice(rest, per_step)):
        known = [value for value in step if value == value]  # noqa: PLR0124  # as in `read`
        told.append(float(f"{joined(known):.5g}") if known else None)
    return tuple(told)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
