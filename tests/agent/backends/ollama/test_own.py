from __future__ import annotations

import pytest

from fleetview_agent.backends.ollama.own import Ending, OwnAnswer, OwnAnswers


def an_ending(**changes: object) -> Ending:
    """A foreign or own request that began at 10 and was seen to have ended at 20."""
    told = {"model": "m", "began_by": 10.0, "noticed_at": 20.0, "completion_tokens": 60, "is_exact": True}
    return Ending(**{**told, **changes})  # type: ignore[arg-type]  # each test changes fields of its own


def answers(*known: OwnAnswer) -> OwnAnswers:
    own = OwnAnswers()
    own._answers.extend(known)
    return own


@pytest.mark.parametrize(
    ("answer", "ending", "is_own"),
    [
        (OwnAnswer("m", 9.0, 19.5, 60), an_ending(), True),
        (OwnAnswer("m", 9.0, 19.5, 61), an_ending(), False),
        (OwnAnswer("m", 9.0, 19.5, 61), an_ending(is_exact=False), True),
        (OwnAnswer("m", 9.0, 19.5, 90), an_ending(is_exact=False), False),
        (OwnAnswer("m", 9.0, 19.5, 60), an_ending(completion_tokens=None, is_exact=False), True),
        (OwnAnswer("other", 9.0, 19.5, 60), an_ending(), False),
        (OwnAnswer("m", 11.0, 19.5, 60), an_ending(), False),
        (OwnAnswer("m", 2.0, 9.0, 60), an_ending(), False),
        (OwnAnswer("m", 9.0, 19.0, None), an_ending(), True),
        (OwnAnswer("m", 9.0, None, None), an_ending(), True),
        (OwnAnswer("m", 9.0, None, None), an_ending(running_since=(12.0,)), False),
        (OwnAnswer("m", 9.0, None, None), an_ending(running_since=(5.0,)), True),
    ],
    ids=[
        "its tokens", "other tokens", "nearly its tokens, as slots tell them", "far from its tokens",
        "no tokens known", "another model", "began later", "ended before", "broken off", "still read",
        "still read, and another runs that may be it", "still read, and an older one runs",
    ],
)  # fmt: skip
def test_a_request_is_the_agents_own_by_its_tokens_and_times(answer: OwnAnswer, ending: Ending, is_own: bool) -> None:
    assert answers(answer).claim(ending) is is_own


def test_an_answer_claims_one_request_only() -> None:
    own = answers(OwnAnswer("m", 9.0, 19.5, 60))
    assert [own.claim(an_ending()), own.claim(an_ending())] == [True, False]


def test_of_two_answers_the_one_with_the_tokens_is_meant() -> None:
    own = answers(OwnAnswer("m", 9.0, 19.0, None), OwnAnswer("m", 9.5, 19.5, 60))
    assert own.claim(an_ending())
    assert own.claim(an_ending(completion_tokens=7))


def test_answers_that_never_reached_the_runner_are_forgotten() -> None:
    own = answers(OwnAnswer("m", 9.0, 19.0, 60))
    own.claim(an_ending(model="other", noticed_at=60.0))
    assert own._answers == []


def test_an_answer_is_in_hand_until_it_ends() -> None:
    own = OwnAnswers()
    with own.answering("m") as answer:
        assert (own.in_hand("m"), own.in_hand("other")) == (1, 0)
        answer.ended(5)
    assert own.in_hand("m") == 0
    assert answer.completion_tokens == 5
