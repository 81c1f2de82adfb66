"""What has happened, counted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.counters import MOST_MODELS, OTHER, Answered, Counters
from fleetview_agent.hub import QUEUE_SIZE, Hub
from fleetview_agent.wire import Event, OperationChanged, Sampled, Served
from tests.builders import a_sample, a_served, a_snapshot, a_swap_request, an_operation

TOKENS = st.none() | st.integers(-5, 1 << 40)
ANSWERS = st.builds(
    Served,
    backend=st.sampled_from(("ollama", "llamacpp")),
    model=st.text(max_size=8),
    prompt_tokens=TOKENS,
    completion_tokens=TOKENS,
)


def test_an_answer_is_counted_for_its_model_and_an_operation_once_by_how_it_ended() -> None:
    counters = Counters()
    events: list[Event] = [
        a_served(prompt_tokens=10, completion_tokens=20),
        a_served(prompt_tokens=1, completion_tokens=2),
        a_served(backend="ollama", prompt_tokens=3, completion_tokens=None),
        Sampled(sample=a_sample()),
        OperationChanged(operation=an_operation()),
        OperationChanged(operation=an_operation(result="done")),
        OperationChanged(operation=an_operation(request=a_swap_request(), result="rolled_back")),
    ]
    for event in events:
        counters.count(event)
    assert counters.models == {("llamacpp", "small"): Answered(2, 11, 22), ("ollama", "small"): Answered(1, 3, None)}
    assert counters.operations == {("swap", "done"): 1, ("swap", "rolled_back"): 1}
    assert counters.samples == 1


@given(st.lists(ANSWERS, max_size=50))
def test_no_count_ever_goes_down(answers: list[Served]) -> None:
    counters = Counters()
    for served in answers:
        before = dict(counters.models)
        counters.count(served)
        for model, was in before.items():
            now = counters.models[model]
            assert now.requests >= was.requests
            assert (now.prompt_tokens or 0) >= (was.prompt_tokens or 0)
            assert (now.completion_tokens or 0) >= (was.completion_tokens or 0)
    assert sum(row.requests for row in counters.models.values()) == len(answers)


def test_models_without_end_are_counted_together() -> None:
    counters = Counters()
    for number in range(5 * MOST_MODELS):
        counters.count(a_served(model=f"made-up-{number}", prompt_tokens=1))
    assert len(counters.models) == MOST_MODELS + 1
    assert counters.models["llamacpp", OTHER].requests == 4 * MOST_MODELS
    counters.count(a_served(model="made-up-0", prompt_tokens=1))
    assert counters.models["llamacpp", "made-up-0"].requests == 2


async def test_a_hub_notes_every_event_and_how_many_listeners_lagged() -> None:
    noted: list[Event] = []
    hub = Hub(noted.append)
    slow, leaving = hub.listen(a_snapshot), hub.listen(a_snapshot)
    await anext(slow)
    for _ in range(QUEUE_SIZE + 1):
        hub.publish(a_served())
    await anext(leaving)
    hub.close()
    assert (len(noted), hub.cut_off) == (QUEUE_SIZE + 1, 1)
    await slow.aclose()
    await leaving.aclose()
