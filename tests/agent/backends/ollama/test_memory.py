"""What other clients do to models in memory is noticed."""

from __future__ import annotations

import pytest

from fleetview_agent.backends.ollama.answers import Loaded
from fleetview_agent.backends.ollama.memory import GRACE_SECONDS, Memory, Place
from fleetview_agent.backends.ollama.processes import Runner

NOW = 1_800_000_000.0
FOREVER_AT = NOW + 200 * 365 * 86_400.0


def a_place(
    name: str = "m:latest", *, context: int | None = 8192, pid: int | None = 7, expires_at: float | None = NOW + 300
) -> Place:
    loaded = Loaded(name=name, context=context, expires_at=expires_at)
    runner = pid and Runner(pid, 1, NOW, "/m/blobs/sha256-0", 1, context, 1, None, orphaned=False)
    return Place(loaded, runner or None)


def seen(*places: Place, kept: bool = False) -> Memory:
    """A memory that has looked once."""
    memory = Memory()
    if kept:
        memory.keep("m:latest", "forever")
    memory.see(places, (), NOW)
    return memory


@pytest.mark.parametrize(
    ("after", "said"),
    [
        pytest.param(a_place(), (), id="nothing has changed"),
        pytest.param(a_place(context=4096, pid=8), ("context of 4096 tokens instead of 8192",), id="another context"),
        pytest.param(a_place(context=4096), ("context of 4096 tokens",), id="before the process was looked at"),
        pytest.param(a_place(pid=8), ("with other options",), id="the same context in another process"),
        pytest.param(a_place(pid=None), (), id="its process cannot be seen"),
        pytest.param(a_place(context=None), (), id="its context is not told"),
    ],
)
def test_a_reload_that_was_not_ours_is_told(after: Place, said: tuple[str, ...]) -> None:
    memory = seen(a_place())
    memory.see((after,), (), NOW + 1)
    remarks = memory.remark("m:latest")
    assert len(remarks) == len(said)
    assert all(words in remark for words, remark in zip(said, remarks, strict=True))


def test_a_reload_is_told_although_the_model_was_gone_for_a_moment() -> None:
    memory = seen(a_place())
    memory.see((), (), NOW + 1)
    memory.see((a_place(context=4096, pid=8),), (), NOW + 1.5)
    assert "4096" in memory.remark("m:latest")[0]


def test_a_model_that_comes_back_later_was_loaded_and_not_reloaded() -> None:
    memory = seen(a_place())
    memory.see((), (), NOW + 1)
    memory.see((), (), NOW + 1 + GRACE_SECONDS)
    memory.see((a_place(context=4096, pid=8),), (), NOW + 60)
    assert memory.remark("m:latest") == ()


def test_a_model_whose_time_was_over_was_loaded_and_not_reloaded() -> None:
    memory = seen(a_place(expires_at=NOW + 1))
    memory.see((), (), NOW + 2)
    memory.see((a_place(context=4096, pid=8),), (), NOW + 2.5)
    assert memory.remark("m:latest") == ()


def test_what_we_load_ourselves_is_no_reload_and_clears_what_was_said_before() -> None:
    memory = seen(a_place())
    memory.see((a_place(context=4096, pid=8),), (), NOW + 1)
    with memory.working("m:latest", "loading"):
        assert memory.works == {"m:latest": "loading"}
        memory.see((a_place(context=2048, pid=9),), (), NOW + 2)
    memory.see((a_place(context=2048, pid=9),), (), NOW + 3)
    assert memory.remark("m:latest") == ()
    assert memory.works == {}


def test_a_pin_that_another_client_replaced_is_told_until_it_is_there_again() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), kept=True)
    assert memory.remark("m:latest") == ()
    memory.see((a_place(),), (), NOW + 1)
    assert "another client" in memory.remark("m:latest")[0]
    memory.see((a_place(expires_at=FOREVER_AT),), (), NOW + 2)
    assert memory.remark("m:latest") == ()


def test_a_pin_that_the_engine_does_not_show_yet_is_not_lost() -> None:
    memory = seen(a_place(), kept=True)
    assert memory.remark("m:latest") == ()


def test_a_model_that_was_to_stay_and_is_gone_has_fallen_until_somebody_decides() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), kept=True)
    memory.see((), (), NOW + 1)
    assert memory.fallen() == {}, "a reload takes a moment too"
    memory.see((), (), NOW + 1 + GRACE_SECONDS)
    assert "was to stay" in memory.fallen()["m:latest"].reason
    assert memory.forget("m:latest")
    assert memory.fallen() == {}


def test_a_model_whose_process_is_gone_has_fallen_although_the_server_lists_it() -> None:
    memory = seen(a_place())
    memory.see((a_place(pid=None),), (), NOW + 1)
    assert not memory.fallen()  # a reload could be under way
    assert not memory.is_settled
    memory.see((a_place(pid=None),), (), NOW + 1 + GRACE_SECONDS)
    assert "(pid 7) has ended" in memory.fallen()["m:latest"].reason
    memory.see((a_place(pid=8),), (), NOW + 9)
    assert not memory.fallen()


def test_a_model_that_some_runner_still_holds_has_not_fallen() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), kept=True)
    memory.see((), ("m:latest",), NOW + 1)
    memory.see((), ("m:latest",), NOW + 1 + 2 * GRACE_SECONDS)
    assert memory.fallen() == {}


def test_after_a_crash_of_the_server_what_was_to_stay_is_missed_and_nothing_else() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), a_place("other:latest", pid=9), kept=True)
    memory.lose_server()
    memory.see((), (), NOW + 60)
    memory.see((), (), NOW + 60 + GRACE_SECONDS)
    assert set(memory.fallen()) == {"m:latest"}


def test_after_a_stop_on_purpose_nothing_is_missed() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), kept=True)
    memory.forget_all()
    memory.see((), (), NOW + 60)
    memory.see((), (), NOW + 60 + GRACE_SECONDS)
    assert memory.fallen() == {}


def test_a_keep_that_ends_is_a_keep_that_may_end() -> None:
    memory = seen(a_place(expires_at=FOREVER_AT), kept=True)
    memory.keep("m:latest", 60.0)
    memory.see((a_place(expires_at=NOW + 60),), (), NOW + 1)
    assert memory.remark("m:latest") == ()
