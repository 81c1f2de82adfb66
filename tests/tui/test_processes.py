"""Who holds a node's memory, as text."""

from __future__ import annotations

import pytest

from fleetview.present.node.processes import SHOWN, UNASKED, Holders, processes
from fleetview.present.text import text_of, width_of
from fleetview_agent.wire import ProcessMemory
from tests.builders import GIB, a_backend_state, a_node, a_resident

ENGINE = ProcessMemory(pid=4711, name="python3.12", memory_bytes=48 * GIB, user="op", serves="llamacpp")
OTHER = ProcessMemory(pid=99, name="Safari", memory_bytes=GIB // 2, user="ada")


def told(holders: Holders, width: int = 90) -> list[str]:
    node = a_node(backends={"llamacpp": a_backend_state(resident=(a_resident("small", pid=4711),))})
    return [text_of(line) for line in processes(node, holders, width)]


def test_a_process_of_an_engine_tells_which_model_it_serves_and_others_whose_they_are() -> None:
    _, engine, other = told(Holders((ENGINE, OTHER)))
    assert engine.split()[:4] == ["python3.12", "4711", "48G", "25%"]
    assert engine.endswith("serves llamacpp/small")
    assert other.split()[:4] == ["Safari", "99", "512M", "<1%"]
    assert other.endswith("of ada")
    server = ENGINE.model_copy(update={"pid": 5, "serves": "ollama"})
    assert told(Holders((server,)))[1].endswith("serves ollama")


def test_only_the_largest_are_told() -> None:
    assert len(told(Holders((OTHER,) * 20))) == 1 + SHOWN


def test_what_cannot_be_known_says_why_and_what_is_on_its_way_says_so() -> None:
    assert told(UNASKED)[1] == "  asking which they are …"
    assert told(Holders(lack="the agent of one is older than fleetview"))[1].startswith(
        "  –  the agent of one is older"
    )
    assert told(Holders(()))[1] == "  none that the agent's account may see"


@pytest.mark.parametrize("width", [36, 60, 76, 116])
def test_rows_keep_to_their_columns(width: int) -> None:
    long = ENGINE.model_copy(update={"name": "a process with a very long name indeed " * 3})
    node = a_node()
    first, second = (processes(node, Holders((one,)), width)[1] for one in (long, OTHER))
    assert width_of(first[:3]) == width_of(second[:3])
    assert "…" in text_of(first)
