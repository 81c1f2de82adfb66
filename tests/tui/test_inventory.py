from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetview.fleet import Fleet, NodeState
from fleetview.models.inventory import Inventory, chosen, key_of, matching, ordered, others_with
from fleetview.present.operations.dialogs import elsewhere
from fleetview_agent.wire import BackendState
from tests.builders import a_backend_state, a_model_file, a_node, a_resident, a_sample

NAMES = ("a", "b", "c", "d")
FILES = {name: a_model_file(name, identity=None if name == "d" else f"id-{name}") for name in NAMES}


def states(names: tuple[str, ...], resident: tuple[str, ...]) -> dict[str, BackendState]:
    files = tuple(FILES[name] for name in names)
    return {"ollama": a_backend_state("ollama", models=files, resident=tuple(map(a_resident, resident)))}


SHELVES = st.builds(
    states,
    st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
    st.lists(st.sampled_from((*NAMES, "unlisted")), unique=True, max_size=2).map(tuple),
)
FLEETS = st.dictionaries(st.sampled_from(("n1", "n2", "n3")), SHELVES)


def a_fleet(shelves: dict[str, dict[str, BackendState]]) -> Fleet:
    return {name: NodeState(name, backends=backends) for name, backends in shelves.items()}


@settings(max_examples=60)
@given(st.lists(FLEETS, min_size=1, max_size=4))
def test_what_is_renewed_step_by_step_is_what_is_made_at_once(steps: list[dict[str, dict[str, BackendState]]]) -> None:
    renewed = Inventory()
    for shelves in steps:
        renewed = renewed.renewed(a_fleet(shelves))
    fresh = Inventory().renewed(a_fleet(steps[-1]))
    assert dict(renewed.entries) == dict(fresh.entries)
    for key, entry in fresh.entries.items():
        assert renewed.holders(key) == fresh.holders(key)
        assert entry.nodes == len(fresh.holders(key))


def test_a_reading_makes_nothing_anew_and_a_load_alone_no_rows() -> None:
    fleet = {"studio": a_node()}
    first = Inventory().renewed(fleet)
    sampled = {"studio": replace(fleet["studio"], samples=(a_sample(), a_sample()))}
    assert first.renewed(sampled) is first
    loaded = a_backend_state(resident=(a_resident(progress=0.5, phase="loading"),))
    second = first.renewed({"studio": replace(fleet["studio"], backends={loaded.backend: loaded})})
    assert second is not first
    assert second.entries is first.entries


def test_one_file_under_several_engines_and_names_is_one_row() -> None:
    file = a_model_file("qwen3:32b", identity="same")
    ollama = a_backend_state("ollama", models=(file,), resident=(), abilities=("delete",))
    llamacpp = a_backend_state(models=(a_model_file("qwen3-32b.gguf", identity="same"),), resident=())
    node = a_node(backends={"llamacpp": llamacpp, "ollama": ollama})
    inventory = Inventory().renewed({"studio": node})
    (entry,) = inventory.entries.values()
    assert set(entry.names) == {"qwen3:32b", "qwen3-32b.gguf"}
    held = chosen(inventory.held("studio", entry.key), node)
    assert held is not None
    assert held.name == "ollama/qwen3:32b"  # which can delete it


def test_rows_are_ordered_and_filtered() -> None:
    files = (
        a_model_file("beta", size_bytes=3),
        a_model_file("Alpha", size_bytes=9),
        a_model_file("beta-2", size_bytes=5),
    )
    state = a_backend_state(models=files, resident=(a_resident("beta"),))
    entries = tuple(Inventory().renewed({"n": a_node("n", backends={"llamacpp": state})}).entries.values())
    assert [entry.name for entry in ordered(entries, "name")] == ["Alpha", "beta", "beta-2"]
    assert [entry.name for entry in ordered(entries, "size")] == ["Alpha", "beta-2", "beta"]
    assert [entry.name for entry in ordered(entries, "size", reverse=True)] == ["beta", "beta-2", "Alpha"]
    assert ordered(entries, "resident")[0].name == "beta"
    assert [entry.name for entry in matching(entries, "q4 BETA !2")] == ["beta"]


def test_the_last_copy_is_said_and_so_is_what_is_not_known() -> None:
    file = a_model_file("small")
    state = a_backend_state(models=(file,))
    one, other = (a_node(name, backends={state.backend: state}) for name in ("one", "other"))
    away = replace(other, name="away", link="down")
    assert key_of(state.backend, file) == "gguf-small"
    assert others_with({"one": one, "other": other, "away": away}, "one", state.backend, file) == (
        ("other",),
        ("away",),
    )
    assert elsewhere({"one": one, "other": other}, one, state, file) == ("The same file is also on other.",)
    assert elsewhere({"one": one}, one, state, file) == ("It is the last copy in the fleet.",)
    assert "not connected: away" in elsewhere({"one": one, "away": away}, one, state, file)[0]
