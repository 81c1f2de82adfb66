from __future__ import annotations

import json

import pytest

from fleetview_agent.backends.ollama.slots import Slot, Slots, decode_slots

RECORDED = """[{"id":0,"n_ctx":2048,"speculative":false,"is_processing":false},
 {"id":1,"n_ctx":2048,"speculative":false,"is_processing":true,"id_task":4,"n_prompt_tokens":42,
  "n_prompt_tokens_processed":17,"n_prompt_tokens_cache":0,"params":{"seed":1},
  "next_token":[{"has_next_token":true,"has_new_line":false,"n_remain":125,"n_decoded":25}]}]"""


def a_slot(*, task: int | None = 4, busy: bool = True, tokens: int = 17, processed: int = 17, cached: int = 0,
           decoded: int = 0, slot: int = 0) -> Slot:  # fmt: skip
    return Slot(slot, task, busy, tokens, processed, cached, decoded)


def ended(task: int, tokens: int, slot: int = 0) -> Slot:
    """What a slot says after a request's end: only its number and the tokens in the cache are left."""
    return a_slot(task=task, busy=False, tokens=tokens, processed=0, slot=slot)


def test_a_recorded_answer_is_understood() -> None:
    assert decode_slots(RECORDED.encode()) == (
        Slot(0, None, is_busy=False, tokens=0, processed=0, cached=0, decoded=0),
        Slot(1, 4, is_busy=True, tokens=42, processed=17, cached=0, decoded=25),
    )


@pytest.mark.parametrize(
    "body",
    ["", "{}", "[1]", '[{"id": "0"}]', '[{"id": true}]', '[{"id": 0, "id_task": 1.5}]', '[{"id": 0, "n_decoded": NaN}',
     '[{"id": 0, "is_processing": true, "next_token": [{"n_decoded": "many"}]}]', '[{"id": 1e400}]'],
)  # fmt: skip
def test_nonsense_is_a_value_error(body: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_slots(body.encode())


def test_a_slot_that_tells_only_of_its_state_is_enough() -> None:
    (slot,) = decode_slots(json.dumps([{"id": 0, "is_processing": True, "id_task": 1, "next_token": {}}]).encode())
    assert (slot.is_busy, slot.decoded) == (True, 0)


def test_the_rate_is_measured_between_two_polls() -> None:
    slots = Slots()
    slots.update([a_slot(decoded=6)], 10.0)
    assert slots.live[0].tokens_per_second is None
    slots.update([a_slot(decoded=56)], 12.0)
    assert slots.live[0].tokens_per_second == 25.0
    slots.update([a_slot(decoded=56)], 13.0)
    assert slots.live[0].tokens_per_second == 0.0
    assert slots.live[0].mean_tokens_per_second == pytest.approx(50 / 3)


def test_the_rate_of_a_prompt_counts_no_cached_tokens() -> None:
    slots = Slots()
    slots.update([a_slot(processed=0, cached=1000)], 10.0)
    assert slots.live[0].prompt_tokens_per_second is None
    slots.update([a_slot(processed=512, cached=1000)], 12.0)
    slots.update([a_slot(processed=512, cached=1000)], 13.0)
    assert slots.live[0].prompt_tokens_per_second == 256.0


def test_the_tokens_of_an_ended_request_follow_from_what_its_cache_holds() -> None:
    slots = Slots()
    slots.update([a_slot(task=170, processed=1, cached=16, decoded=52)], 1.0)
    (end,) = slots.update([ended(170, 76)], 2.0)
    assert (end.prompt_tokens, end.cached_tokens, end.completion_tokens) == (17, 16, 60)
    assert not slots.live


def test_a_shifted_context_does_not_take_tokens_away() -> None:
    slots = Slots()
    slots.update([a_slot(decoded=3000)], 1.0)
    (end,) = slots.update([ended(4, 1200)], 2.0)
    assert end.completion_tokens == 3000


def test_a_request_that_ended_while_its_prompt_was_read_has_no_figures() -> None:
    slots = Slots()
    slots.update([a_slot(processed=0)], 1.0)
    (end,) = slots.update([ended(4, 512)], 2.0)
    assert (end.prompt_tokens, end.completion_tokens, end.tokens_per_second) == (None, None, None)


def test_a_request_that_nobody_saw_running_is_noticed_by_its_number() -> None:
    slots = Slots()
    assert slots.update([ended(4, 166)], 1.0) == ()
    (end,) = slots.update([ended(9, 12)], 2.0)
    assert (end.task, end.total_tokens, end.completion_tokens) == (9, 12, None)
    assert slots.update([ended(9, 12)], 3.0) == ()


def test_a_request_displaced_by_the_next_one_ends_with_its_last_counts() -> None:
    slots = Slots()
    slots.update([a_slot(decoded=30)], 1.0)
    (end,) = slots.update([a_slot(task=50, decoded=2)], 2.0)
    assert (end.task, end.completion_tokens, end.total_tokens) == (4, 30, None)
    assert slots.live[0].last.task == 50


def test_a_displaced_request_and_a_short_one_after_it_both_end() -> None:
    slots = Slots()
    slots.update([a_slot(decoded=30)], 1.0)
    assert [end.task for end in slots.update([ended(50, 12)], 2.0)] == [4, 50]


def test_numbers_that_came_and_went_between_two_polls_are_those_in_between() -> None:
    slots = Slots()
    slots.update([ended(4, 10)], 1.0)
    slots.update([ended(40, 10)], 2.0)
    assert [slots.may_have_had(task) for task in (4, 5, 39, 40, 41)] == [False, True, True, False, False]
