from __future__ import annotations

import pytest

from fleetview_agent.backends.ollama.metrics import Counters, decode_metrics, difference
from fleetview_agent.backends.ollama.slots import Finished, Slot

RECORDED = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed, excluding cached tokens
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 1566
# HELP llamacpp:prompt_tokens_cached_total Number of prompt tokens reused from the cache
# TYPE llamacpp:prompt_tokens_cached_total counter
llamacpp:prompt_tokens_cached_total 30
llamacpp:prompt_seconds_total 37.3565
llamacpp:tokens_predicted_total 360
llamacpp:tokens_predicted_seconds_total 32.2154
llamacpp:prompt_tokens_seconds 41.9205
llamacpp:requests_processing 0
llamacpp:requests_deferred 2
"""
BEFORE = Counters(100, 10, 2.0, 50, 5.0, 0)
AFTER = Counters(117, 13, 2.5, 200, 11.0, 0)


def finished(*, total: int | None = None, prompt: int | None = None, completion: int | None = None) -> Finished:
    return Finished(0, 4, 1.0, total_tokens=total, prompt_tokens=prompt, completion_tokens=completion)


def test_recorded_counters_are_understood() -> None:
    assert decode_metrics(RECORDED) == Counters(1566, 30, 37.3565, 360, 32.2154, 2)


@pytest.mark.parametrize("text", ["", "<html>", "llamacpp:prompt_tokens_total many", "llamacpp:prompt_tokens_total 1"])
def test_nonsense_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_metrics(text)


@pytest.mark.parametrize(
    "seen", [finished(total=169), finished(prompt=20, completion=140), finished(total=169, prompt=20, completion=150)]
)
def test_one_request_is_the_difference_of_two_scrapes(seen: Finished) -> None:
    counted = difference(BEFORE, AFTER, seen)
    assert counted is not None
    assert (counted.prompt_tokens, counted.cached_tokens, counted.completion_tokens) == (20, 3, 150)
    assert (counted.prompt_seconds, counted.completion_seconds, counted.uncached_tokens) == (0.5, 6.0, 17)


@pytest.mark.parametrize(
    "seen", [finished(total=100), finished(prompt=12, completion=140), finished(prompt=20, completion=151), finished()]
)
def test_a_difference_that_several_requests_made_is_nobodys(seen: Finished) -> None:
    assert difference(BEFORE, AFTER, seen) is None


def test_counters_that_went_back_are_those_of_another_process() -> None:
    assert difference(AFTER, BEFORE, finished(total=-169)) is None


def test_prompts_of_requests_in_hand_are_not_counted_and_spoil_the_seconds() -> None:
    running = Slot(1, 9, is_busy=True, tokens=40, processed=30, cached=7, decoded=3)
    shared = Counters(147, 20, 3.5, 200, 11.0, 0).without([running])
    counted = difference(BEFORE, shared, finished(total=169))
    assert counted is not None
    assert (counted.prompt_tokens, counted.completion_tokens, counted.prompt_seconds) == (20, 150, None)
