from __future__ import annotations

from collections.abc import Iterable

from fleetview.fleet import NodeState
from fleetview.models.picking import Choice, choices, longer, matching, replaced, request, shorter
from tests.builders import AUTHOR, a_backend_state, a_model_file, a_node, a_resident


def a_node_with(*names: str, **changes: object) -> NodeState:
    state = a_backend_state(models=tuple(a_model_file(name) for name in names), resident=(), **changes)
    return a_node(backends={state.backend: state})


def names(rows: Iterable[Choice]) -> list[str]:
    return [row.name for row in rows]


def test_words_match_in_any_order_and_case() -> None:
    rows = choices(a_node_with("Qwen3-32B-Instruct", "qwen3-8b", "gemma3-27b"))
    assert names(matching(rows, "INST qwen")) == ["llamacpp/Qwen3-32B-Instruct"]
    assert names(matching(rows, "qwen")) == ["llamacpp/Qwen3-32B-Instruct", "llamacpp/qwen3-8b"]
    assert len(matching(rows, "  ")) == 3
    assert matching(rows, "qwen gemma") == ()


def test_the_backend_and_the_quantisation_are_searched_too() -> None:
    rows = choices(a_node_with("small"))
    assert names(matching(rows, "q4_k cpp")) == ["llamacpp/small"]


def test_what_cannot_be_loaded_comes_last_with_its_reason() -> None:
    broken = a_model_file("broken", refusal="the header is cut off")
    state = a_backend_state(models=(broken, a_model_file()), resident=())
    rows = choices(a_node(backends={"llamacpp": state}))
    assert [(row.name, row.refusal) for row in rows] == [
        ("llamacpp/small", None),
        ("llamacpp/broken", "the header is cut off"),
    ]


def test_models_of_a_backend_that_is_not_ready_say_so() -> None:
    rows = choices(a_node_with("small", phase="stopped", hint="start it with a"))
    assert rows[0].refusal == "llamacpp is stopped: start it with a"


def test_resident_models_carry_their_phase() -> None:
    state = a_backend_state(resident=(a_resident("large", phase="loading"),))
    rows = {row.file.name: row.resident for row in choices(a_node(backends={"llamacpp": state}))}
    assert rows == {"small": None, "large": "loading"}


def test_the_context_moves_through_powers_of_two_up_to_what_was_trained() -> None:
    assert longer(8192, 131_072) == 16_384
    assert longer(5000, 131_072) == 8192
    assert longer(32_768, 40_960) == 40_960
    assert longer(40_960, 40_960) == 40_960
    assert longer(1 << 20, None) == 1 << 20


def test_the_context_moves_down_to_where_it_makes_sense() -> None:
    assert shorter(8192) == 4096
    assert shorter(40_960) == 32_768
    assert shorter(512) == 512
    assert shorter(100) == 100


def test_a_model_begins_at_its_default_context() -> None:
    files = (
        a_model_file("told", default_context=4096),
        a_model_file("trained", default_context=None, context_length=2048),
        a_model_file("silent", default_context=None, context_length=None),
    )
    rows = choices(a_node(backends={"llamacpp": a_backend_state(models=files, resident=())}))
    assert [row.context for row in rows] == [4096, 2048, None]


def test_a_swap_says_who_asks_for_what() -> None:
    row = choices(a_node_with("small"))[0]
    swap = request(row, AUTHOR, 4096, "none")
    assert (swap.author, swap.backend, swap.model, swap.evict) == (AUTHOR, "llamacpp", "small", "none")
    assert (swap.options.context, swap.force) == (4096, False)


def two_engines(**changes: object) -> NodeState:
    """One file that both engines know, and one of each engine's own."""
    theirs = (a_model_file("qwen3:32b", identity="same"), a_model_file("gemma3:27b"))
    ours = (a_model_file("small"), a_model_file("qwen3:32b", identity="same"))
    ollama = a_backend_state("ollama", models=theirs, **{"resident": (), **changes})
    return a_node(backends={"ollama": ollama, "llamacpp": a_backend_state(models=ours, resident=())})


def test_both_ways_of_running_a_file_stand_next_to_each_other() -> None:
    rows = choices(two_engines())
    assert [(row.name, row.same_file) for row in rows] == [
        ("ollama/qwen3:32b", False),
        ("llamacpp/qwen3:32b", True),
        ("ollama/gemma3:27b", False),
        ("llamacpp/small", False),
    ]


def test_two_names_of_one_engine_for_a_file_are_not_two_ways_of_running_it() -> None:
    files = (a_model_file("a", identity="same"), a_model_file("b"), a_model_file("c", identity="same"))
    rows = choices(a_node(backends={"ollama": a_backend_state("ollama", models=files, resident=())}))
    assert [(row.file.name, row.same_file) for row in rows] == [("a", False), ("c", False), ("b", False)]


def test_a_file_that_changes_its_engine_leaves_the_other_one_unless_told_otherwise() -> None:
    rows = {row.name: row for row in choices(two_engines(resident=(a_resident("qwen3:32b"),)))}
    assert rows["llamacpp/qwen3:32b"].replaces == "ollama/qwen3:32b"
    assert rows["ollama/qwen3:32b"].replaces is None
    assert request(rows["llamacpp/qwen3:32b"], AUTHOR, None, "auto").evict == ("ollama/qwen3:32b",)
    assert request(rows["llamacpp/qwen3:32b"], AUTHOR, None, "all").evict == "all"
    assert request(rows["llamacpp/small"], AUTHOR, None, "auto").evict == "auto"


def test_only_a_model_that_can_answer_and_is_not_pinned_is_replaced_by_itself() -> None:
    for changes in ({"phase": "loading"}, {"pinned": True}):
        node = two_engines(resident=(a_resident("qwen3:32b", **changes),))
        assert {row.replaces for row in choices(node)} == {None}
    assert replaced(node.backends.values(), "llamacpp", "nowhere") is None


def test_of_two_ways_to_run_a_file_the_engine_that_owns_it_comes_first() -> None:
    other, own = a_model_file("other"), a_model_file("own", identity="gguf-same")
    own = own.model_copy(update={"undeletable": "the file is Ollama's"})
    llamacpp = a_backend_state(abilities=("delete",), models=(other, own), resident=())
    ollama = a_backend_state(
        "ollama", abilities=("delete",), models=(a_model_file("mine", identity="gguf-same"),), resident=()
    )
    rows = choices(a_node(backends={"llamacpp": llamacpp, "ollama": ollama}))
    assert [(row.name, row.same_file) for row in rows] == [
        ("llamacpp/other", False),
        ("ollama/mine", False),
        ("llamacpp/own", True),
    ]
