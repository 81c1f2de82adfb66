"""What the menus offer."""

from __future__ import annotations

import pytest

from fleetview.wishes.changes import keeping, serving
from fleetview_agent.wire import KeepRequest, PinRequest, UnpinRequest
from tests.builders import AUTHOR, a_backend_state, a_node, a_resident

ALL = ("start", "stop", "restart", "pin", "unpin", "keep")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"phase": "ready", "address": "127.0.0.1:11434", "resident": ()}, ["restart ollama", "stop ollama"]),
        ({"phase": "stopped", "resident": ()}, ["start ollama"]),
        ({"phase": "missing", "resident": ()}, ["start ollama"]),
        ({"phase": "failed", "resident": ()}, ["start ollama", "stop ollama", "restart ollama"]),
        ({"phase": "ready", "resident": (a_resident(),)}, ["restart ollama", "stop ollama"]),
        ({"phase": "ready", "resident": ()}, ["start ollama"]),
        ({"phase": "failed", "abilities": ("start",)}, ["start ollama"]),
        ({"phase": "ready", "abilities": ()}, []),
    ],
)
def test_a_server_is_offered_what_would_change_something(changes: dict[str, object], expected: list[str]) -> None:
    state = a_backend_state("ollama", **{"abilities": ALL, **changes})
    wishes = serving(a_node(backends={"ollama": state}), AUTHOR)
    assert [wish.label for wish in wishes] == expected
    assert [f"{wish.request.verb} {wish.request.backend}" for wish in wishes] == expected


def test_a_model_is_pinned_or_unpinned_and_kept_for_a_time() -> None:
    node = a_node(backends={"ollama": a_backend_state("ollama", abilities=ALL)})
    wishes = keeping(node, "ollama", a_resident("small"), AUTHOR)
    assert wishes[0].request == PinRequest(author=AUTHOR, backend="ollama", model="small")
    assert [wish.request.keep for wish in wishes if isinstance(wish.request, KeepRequest)] == [
        1800.0,
        7200.0,
        86_400.0,
        "forever",
        None,
    ]
    assert wishes[-1].label == "default: as long as ollama likes"
    pinned = keeping(node, "ollama", a_resident("small", pinned=True), AUTHOR)
    assert pinned[0].request == UnpinRequest(author=AUTHOR, backend="ollama", model="small")
    assert len(pinned) == len(wishes)


def test_an_engine_that_knows_no_times_is_offered_the_pin_alone() -> None:
    node = a_node(backends={"llamacpp": a_backend_state(abilities=("pin", "unpin"))})
    assert [wish.request.verb for wish in keeping(node, "llamacpp", a_resident(), AUTHOR)] == ["pin"]
    assert keeping(a_node(), "llamacpp", a_resident(), AUTHOR) == ()
