from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleetview.fleet import Fleet
from fleetview.models.fitting import Place
from fleetview.models.inventory import Inventory
from fleetview.present.models import matrix, matrix_panel, places
from fleetview.present.models.matrix_cells import Table, cell, engines
from fleetview.present.text import text_of, width_of
from fleetview.present.wrapping import within
from fleetview_agent.wire import PullRequest
from tests.builders import AUTHOR, GIB, a_backend_state, a_model_file, a_node, a_plan, a_resident, an_operation

NODES = {name: a_node(name) for name in ("alpha", "beta-with-a-long-name", "gamma", "delta", "epsilon", "zeta")}


def a_table(fleet: Fleet, now: float = 100.0) -> Table:
    inventory = Inventory().renewed(fleet)
    return Table(fleet, inventory, engines(inventory.shelves.values()), now)


def told(state: str, **changes: object) -> str:
    """What stands in the cell of a model in this phase."""
    backend = a_backend_state(models=(a_model_file(),), resident=(a_resident(phase=state, **changes),))
    table = a_table({"studio": a_node(backends={backend.backend: backend})})
    (entry,) = table.inventory.entries.values()
    return text_of(cell(table.fleet["studio"], entry, table, 9))


@given(st.integers(20, 240), st.integers(0, 5), st.integers(0, 5))
def test_the_selected_node_always_has_a_column_and_no_line_is_wider_than_the_pane(
    width: int, selected: int, before: int
) -> None:
    names = tuple(NODES)
    first = matrix.grid(NODES, names[before], None, width)
    grid = matrix.grid(NODES, names[selected], first, width)
    table = a_table(NODES)
    if grid.nodes:
        assert names[selected] in grid.nodes
        assert grid.nodes == names[grid.first : grid.first + len(grid.nodes)]
    if width >= 40:
        mark = matrix.Mark(names[selected], frozenset(names))
        for entry in table.inventory.entries.values():
            assert width_of(matrix.row(entry, grid, table, mark)) <= width
        assert width_of(matrix.heading(grid, names[selected], width)) <= width
        look = matrix.Look(2, 2, "a filter that is rather long", marked=3, signs=("DEMO",))
        assert width_of(matrix.title(look, grid, NODES, width)) <= width
    assert width_of(matrix.legend(table.letters, grid, width)) <= width


def test_marks_that_the_filter_hides_are_told() -> None:
    grid = matrix.grid(NODES, next(iter(NODES)), None, 120)
    assert "3 marked, 2 hidden: not acted on" in text_of(
        matrix.title(matrix.Look(1, 9, "a", marked=3, hidden=2), grid, NODES, 120)
    )


def test_columns_stay_where_they_are_while_the_selection_is_among_them() -> None:
    names = tuple(NODES)
    right = matrix.grid(NODES, names[5], None, 80)
    assert right.nodes[-1] == names[5]
    assert matrix.grid(NODES, names[3], right, 80).first == right.first
    assert matrix.grid(NODES, names[0], right, 80).first == 0


def test_every_state_has_a_sign_and_a_word_or_a_number() -> None:
    assert told("ready", context=8192) == "● 8k"
    assert told("ready", context=8192, pinned=True) == "● 8k ⚑"
    assert told("loading", progress=0.62) == "◐ 62%"
    assert told("loading", progress=None) == "◐ load"
    assert told("unloading") == "◐ leaves"
    assert told("failed") == "! failed"


def test_what_lies_on_the_disk_is_told_by_letters_that_tell_engines_apart() -> None:
    shelves = a_table(
        {"n": a_node("n", backends={name: a_backend_state(name) for name in ("llamacpp", "lmstudio", "ollama")})}
    )
    assert shelves.letters == {"llamacpp": "ll", "lmstudio": "lm", "ollama": "o"}


def test_what_is_old_is_dim_and_says_since_when() -> None:
    fleet = {"studio": a_node(heard_at=60.0), "other": a_node("other")}
    table = a_table(fleet)
    grid = matrix.grid(fleet, "studio", None, 100)
    line = matrix.standing(grid, fleet, 100.0, 100)
    assert line is not None
    assert "down" in text_of(line)
    entry = next(iter(table.inventory.entries.values()))
    assert {tone for _, tone in cell(fleet["studio"], entry, table, 9)} == {"dim"}
    assert matrix.standing(grid, fleet, 60.0, 100, high=False) is None


def test_under_each_node_stands_how_much_memory_is_free_there() -> None:
    fleet = {"studio": a_node(), "silent": a_node("silent", samples=())}
    line = matrix.standing(matrix.grid(fleet, "studio", None, 100), fleet, 100.0, 100)
    assert line is not None
    assert text_of(line).split() == ["104G", "free", "–"]
    narrow = matrix.grid(fleet, "studio", None, 40)
    assert matrix.standing(narrow, fleet, 100.0, 40) is None


def test_names_of_one_family_keep_the_end_by_which_they_differ() -> None:
    names = ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2-135M-Instruct.Q8_0")
    fleet = {
        "studio": a_node(backends={"llamacpp": a_backend_state(models=tuple(map(a_model_file, names)), resident=())})
    }
    table = a_table(fleet)
    grid = matrix.grid(fleet, "studio", None, 80)
    rows = [text_of(matrix.row(entry, grid, table, matrix.Mark())) for entry in table.inventory.entries.values()]
    assert sorted(row.split()[0] for row in rows) == ["SmolLM2-135…t.Q4_1", "SmolLM2-135…t.Q8_0"]


def test_a_node_of_which_nothing_was_heard_has_a_dash_and_not_an_absence() -> None:
    fleet = {"studio": a_node(), "new": a_node("new", machine=None, backends={}, link="connecting", heard_at=None)}
    table = a_table(fleet)
    entry = next(iter(table.inventory.entries.values()))
    assert text_of(cell(fleet["new"], entry, table, 9)) == "–"
    lines = matrix_panel.panel(matrix_panel.Cell(entry, fleet["new"]), table, 80, 8)
    assert "nothing was heard of the node yet" in "\n".join(map(text_of, lines))


def test_the_panel_tells_whether_an_absent_model_would_have_room() -> None:
    has, empty = a_node("has"), a_node("empty", backends={})
    table = a_table({"has": has, "empty": empty})
    large = next(entry for entry in table.inventory.entries.values() if entry.name == "large")
    text = "\n".join(map(text_of, matrix_panel.panel(matrix_panel.Cell(large, empty), table, 90, 8)))
    assert "not on this node; C copies it from has" in text
    assert "its weights would fit: 40G of 104G free now" in text


def test_a_place_says_what_it_costs() -> None:
    entry = next(iter(a_table(NODES).inventory.entries.values()))
    look = places.Look(entry, 8192, ("alpha",))
    no = a_plan(verdict="does_not_fit", evictions=(), room_bytes=10 * GIB)

    def row(place: Place | None) -> str:
        return text_of(places.row(place, NODES["gamma"], look, ("alpha", "gamma"), 100.0, 76))

    assert "asking" in row(None)
    assert "yes, 66G spare" in row(Place("gamma", "m", now=a_plan(evictions=())))
    assert "yes, 66G spare, when small leaves" in row(Place("gamma", "m", now=no, emptied=a_plan()))
    assert "no, 33G short, whoever leaves" in row(Place("gamma", "m", now=no, emptied=no))
    assert "● in memory with 8k" in row(Place("gamma", "m", resident=True, now=a_plan()))
    assert "copy from alpha (4.0G) · fits in 9.0G free" in row(Place("gamma", unknown=True, room_now=9.0 * GIB))
    assert "no: ollama is stopped" in row(Place("gamma", "m", lack="ollama is stopped"))


@given(st.integers(0, 50), st.integers(0, 49), st.integers(1, 20))
def test_the_highlighted_row_is_in_the_window(length: int, at: int, height: int) -> None:
    seen = places.window(length, at, height)
    assert len(seen) == min(length, height)
    assert at in seen or at >= length


def test_a_list_of_nodes_that_goes_on_says_which_of_them_are_in_view() -> None:
    assert places.in_view(range(6), 6) == ()
    assert text_of(places.in_view(range(11), 24)) == " nodes 1–11 of 24"
    assert text_of(places.in_view(range(4, 5), 24)) == " node 5 of 24"


def test_what_does_not_fit_into_so_many_lines_ends_with_an_ellipsis() -> None:
    assert within("one two three", 7, 2) == "one two three"
    assert within("one two three four", 7, 2) == "one two\nthree …"
    assert within("one two threes four", 7, 2) == "one two\nthrees…"


def test_a_pull_of_a_model_without_a_row_is_told_of_its_node() -> None:
    pull = an_operation(request=PullRequest(author=AUTHOR, backend="ollama", model="new:7b"), phases=(), progress=None)
    node = a_node(backends={"llamacpp": a_backend_state(models=(a_model_file(),), resident=())}, operations=(pull,))
    table = Table({node.name: node}, Inventory().renewed({node.name: node}), {}, 0.0)
    entry = next(iter(table.inventory.entries.values()))
    lines = matrix_panel.panel(matrix_panel.Cell(entry, node), table, 80, 12)
    assert any("besides" in text_of(line) and "pull ollama/new:7b" in text_of(line) for line in lines)
