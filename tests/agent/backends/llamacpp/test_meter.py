from __future__ import annotations

import pytest

from fleetview_agent.backends.llamacpp.meter import Meter


def answering(first_token_at: float = 1.0) -> Meter:
    meter = Meter()
    meter.prompt(0, 100, 0.0)
    meter.prompt(100, 100, first_token_at)
    meter.tokens(1, first_token_at)
    return meter


def test_an_idle_model_generates_zero_tokens_and_reads_no_prompt() -> None:
    meter = Meter()
    assert meter.generation_rate(1.0, answering=False) == 0.0
    assert meter.prompt_rate(1.0) is None
    assert meter.progress() is None


def test_the_rate_is_that_between_tokens_and_leaves_the_prompt_out() -> None:
    meter = answering(first_token_at=5.0)
    assert meter.generation_rate(5.0, answering=True) is None
    meter.tokens(4, 5.4)
    meter.tokens(6, 6.0)
    assert meter.generation_rate(6.0, answering=True) == pytest.approx(10.0)


def test_the_time_between_two_readings_is_not_lost() -> None:
    meter = answering()
    meter.tokens(10, 2.0)
    assert meter.generation_rate(2.5, answering=True) == pytest.approx(10.0)
    meter.tokens(5, 3.0)
    assert meter.generation_rate(3.1, answering=True) == pytest.approx(5.0)


def test_a_model_that_is_slower_than_the_readings_keeps_its_rate_and_one_that_hangs_loses_it() -> None:
    meter = answering()
    meter.tokens(1, 3.0)
    assert meter.generation_rate(3.0, answering=True) == pytest.approx(0.5)
    assert meter.generation_rate(4.0, answering=True) == pytest.approx(0.5)
    assert meter.generation_rate(13.0, answering=True) == pytest.approx(0.1)


def test_an_answer_that_ended_since_the_last_reading_still_counts_once() -> None:
    meter = answering()
    meter.tokens(20, 2.0)
    meter.ended()
    assert meter.generation_rate(2.0, answering=False) == pytest.approx(20.0)
    assert meter.generation_rate(3.0, answering=False) == 0.0


def test_cached_prompt_tokens_are_no_speed() -> None:
    meter = Meter()
    meter.prompt(800, 1000, 10.0)
    meter.prompt(900, 1000, 10.5)
    assert meter.prompt_rate(10.5) == pytest.approx(200.0)
    assert meter.progress() == pytest.approx(0.9)
