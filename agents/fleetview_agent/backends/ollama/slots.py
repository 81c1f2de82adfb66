"""What a runner's `/slots` says: which requests it has in hand, how far each has come, and which have ended.

A slot answers one request (a task) at a time. After its end it keeps the task's number and the tokens in its cache,
while its counts go back to zero (llama.cpp : tools/server/server-context.cpp, server_slot::to_json).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleetview_agent.wire.numbers import parse


@dataclass(frozen=True)
class Slot:
    """One slot in one poll."""

    id: int
    task: int | None
    """The request in hand, else the last one; None where it has not had any."""
    is_busy: bool
    tokens: int
    """In its cache: of the prompt and of the answer, but for the last token of the answer."""
    processed: int
    """Tokens of the prompt that were read, without those that were cached."""
    cached: int
    decoded: int
    """Tokens of the answer."""


@dataclass(frozen=True)
class Live:
    """A request in hand, as the polls have seen it. Times are of the monotonic clock."""

    first: Slot
    first_at: float
    last: Slot
    last_at: float
    generating_from: tuple[float, int] | None = None
    """When it was first seen with tokens of an answer, and with how many."""
    prompt_until: tuple[float, int] | None = None
    """When the count of read prompt tokens was last seen to have changed, and to what."""
    tokens_per_second: float | None = None
    """Between the last two polls; None after the first."""

    @property
    def is_reading(self) -> bool:
        """Whether its prompt is being read."""
        return self.last.decoded == 0

    @property
    def prompt_tokens_per_second(self) -> float | None:
        """Of the uncached prompt; None until a part of it was seen to be read."""
        if self.prompt_until is None:
            return None
        until, processed = self.prompt_until
        return (processed - self.first.processed) / (until - self.first_at)

    @property
    def mean_tokens_per_second(self) -> float | None:
        """Over all of the answer that was seen."""
        if self.generating_from is None or self.last_at <= self.generating_from[0]:
            return None
        since, decoded = self.generating_from
        return (self.last.decoded - decoded) / (self.last_at - since)

    def seen(self, slot: Slot, at: float) -> Live:
        """The same request, one poll later."""
        rate = (slot.decoded - self.last.decoded) / (at - self.last_at) if slot.decoded and at > self.last_at else None
        moved = slot.processed > self.last.processed and at > self.first_at
        return Live(
            first=self.first,
            first_at=self.first_at,
            last=slot,
            last_at=at,
            generating_from=self.generating_from or ((at, slot.decoded) if slot.decoded else None),
            prompt_until=(at, slot.processed) if moved else self.prompt_until,
            tokens_per_second=rate,
        )


@dataclass(frozen=True)
class Finished:
    """A request that has ended since the poll before, and what the slots told of it."""

    slot: int
    task: int
    began_by: float
    """It had begun by then."""
    total_tokens: int | None = None
    """Left in the cache: of prompt and answer, less one."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    tokens_per_second: float | None = None
    prompt_tokens_per_second: float | None = None


class Slots:
    """Follows the slots of one runner from poll to poll."""

    def __init__(self) -> None:
        self.live: Mapping[int, Live] = {}
        """Slot → the request that it has in hand."""
        self.count = 0
        self._tasks: dict[int, int | None] | None = None
        self._highest = self._highest_before = -1

    def update(self, slots: Sequence[Slot], at: float) -> tuple[Finished, ...]:
        """Take in a poll; the requests that have ended since the one before. The first ends none."""
        finished = [end for slot in slots for end in self._ended(slot, at)]
        self.live = {slot.id: self._followed(slot, at) for slot in slots if slot.is_busy and slot.task is not None}
        self._tasks = {slot.id: slot.task for slot in slots}
        self.count = len(slots)
        self._highest_before = self._highest
        self._highest = max((slot.task for slot in slots if slot.task is not None), default=-1)
        return tuple(finished)

    def has_in_hand(self, slot: int, task: int) -> bool:
        """Whether this request was running at the last poll."""
        return slot in self.live and self.live[slot].last.task == task

    def may_have_had(self, task: int) -> bool:
        """Whether a request of that number can have come and gone between the last two polls."""
        return self._highest_before < task < self._highest

    def _followed(self, slot: Slot, at: float) -> Live:
        """The request in a busy slot."""
        known = self.live.get(slot.id)
        if known is not None and known.last.task == slot.task:
            return known.seen(slot, at)
        return Live(slot, at, slot, at, generating_from=(at, slot.decoded) if slot.decoded else None)

    def _ended(self, slot: Slot, at: float) -> list[Finished]:
        """What has ended in this slot: the request that it had, one that nobody saw running, or both."""
        ends = []
        known = self.live.get(slot.id)
        if known is not None and (not slot.is_busy or slot.task != known.last.task):
            ends.append(_finished(known, slot))
        unseen = self._tasks is not None and slot.task != self._tasks.get(slot.id)
        if unseen and not slot.is_busy and slot.task is not None and (known is None or slot.task != known.last.task):
            ends.append(Finished(slot.id, slot.task, began_by=at, total_tokens=slot.tokens))
        return ends


def _finished(live: Live, now: Slot) -> Finished:
    """What is known of a request that was running at the poll before."""
    last = live.last
    assert last.task is not None  # only such are followed
    total = now.tokens if now.task == last.task else None
    prompt = None if live.is_reading else last.processed + last.cached
    completion = None
    if prompt is not None:  # a context that was shifted leaves less than was generated
        completion = last.decoded if total is None else max(last.decoded, total + 1 - prompt)
    return Finished(
        slot=last.id,
        task=last.task,
        began_by=live.first_at,
        total_tokens=total,
        prompt_tokens=prompt,
        cached_tokens=None if prompt is None else last.cached,
        completion_tokens=completion,
        tokens_per_second=live.mean_tokens_per_second,
        prompt_tokens_per_second=live.prompt_tokens_per_second,
    )


def decode_slots(body: bytes) -> tuple[Slot, ...]:
    """The slots in an answer of `/slots`. Raises ValueError for nonsense."""
    try:
        value = parse(body)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, list):
        raise ValueError("its slots are not a list")  # noqa: TRY004  # nonsense from outside is one kind of error
    return tuple(_slot(entry) for entry in value)


def _slot(entry: object) -> Slot:
    """One slot."""
    if not isinstance(entry, dict):
        raise ValueError("a slot is not an object")  # noqa: TRY004  # the same
    following = entry.get("next_token")
    if isinstance(following, list):
        following = following[0] if following else None
    task = _count(entry, "id_task", default=-1)
    return Slot(
        id=_count(entry, "id"),
        task=None if task < 0 else task,
        is_busy=entry.get("is_processing") is True,
        tokens=_count(entry, "n_prompt_tokens", default=0),
        processed=_count(entry, "n_prompt_tokens_processed", default=0),
        cached=_count(entry, "n_prompt_tokens_cache", default=0),
        decoded=_count(following, "n_decoded", default=0) if isinstance(following, dict) else 0,
    )


def _count(entry: Mapping[str, object], key: str, *, default: int | None = None) -> int:
    """A whole number."""
    value = entry.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{key} is not a whole number")  # noqa: TRY004  # nonsense from outside is one kind of error
    return value
