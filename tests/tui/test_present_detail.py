"""The panel, the description of a node, help and farewell, as text."""

from __future__ import annotations

from dataclasses import replace

from fleetview.fleet import Ended
from fleetview.present.farewell import farewell
from fleetview.present.keys import HelpKey, help_lines
from fleetview.present.node.detail import detail
from fleetview.present.node.engines import backends
from fleetview.present.node.overview import overview
from fleetview.present.node.panel import panel
from fleetview.present.text import Line, text_of, width_of
from fleetview.widgets.key_bar import Key, key_line
from fleetview_agent.wire import Failure
from tests.builders import (
    a_backend_state,
    a_node,
    a_resident,
    a_sample,
    an_operation,
)

AT = 1_700_000_000.0
CRITICAL = a_node(samples=(a_sample(pressure="critical"),))


def texts(lines: tuple[Line, ...]) -> str:
    return "\n".join(text_of(line) for line in lines)


def test_the_panel_fits_its_height_and_says_what_runs() -> None:
    lines = panel(a_node(), 105.0 - 3, 80, 7)
    assert len(lines) <= 7
    text = texts(lines)
    assert "M2 Ultra 76 GPU cores · 192G" in text
    assert "small Q4_K_M · 5.0G · 8k context · llamacpp · idle 14 s" in text
    assert all(width_of(line) <= 80 for line in lines)


def test_the_panel_says_how_many_models_it_leaves_out_and_no_quantization_twice() -> None:
    residents = tuple(a_resident(f"model-{number}.q4_k_m") for number in range(9))
    text = texts(panel(a_node(backends={"llamacpp": a_backend_state(resident=residents)}), 100.0, 80, 7))
    assert "+6 more" in text
    assert "model-0.q4_k_m · 5.0G" in text


def test_the_panel_of_a_lost_node_says_why_and_when_it_was_last_heard() -> None:
    lines = panel(a_node(link="down", reason="refused", link_since=90.0, retry_at=105.0), 160.0, 80, 7)
    assert "refused" in texts(lines)
    assert "last heard 1 min ago" in texts(lines)


def test_everything_about_a_node_is_told() -> None:
    failure = Failure(reason="killed", exit_status=-9, log=("ggml: out of \x1b[31mmemory",))
    residents = (a_resident(pinned=True, expires_in_seconds=240.0), a_resident("bad", phase="failed", failure=failure))
    sample = a_sample(
        power_watts=None, gpu_celsius=None, reasons={"power_watts": "no sensor", "gpu_celsius": "no sensor"}
    )
    missing = a_backend_state("ollama", phase="missing", models=(), resident=(), hint="install Ollama")
    node = a_node(
        backends={"llamacpp": a_backend_state(resident=residents), "ollama": missing},
        samples=(sample,),
        operations=(an_operation(),),
        last=Ended(an_operation(id="old", result="done", ended_at=AT + 3), 90.0),
    )
    text = texts(detail(node, 100.0, 100))
    for told in (
        "GPU heat, power  –  no sensor",
        "ggml: out of �[31mmemory",
        "failed: killed; ! tells why",
        "ready · ⚑ pinned · Q4_K_M · llamacpp",
        "install Ollama",
        "run by fleetview-agent",
        "evict 0.40 s · load …",
        "swapped in · 3.0 s · 10 s ago",
        "CPU load  a test",
        "pid 4711",
    ):
        assert told in text


def test_help_says_why_a_key_does_nothing_and_what_to_type_instead() -> None:
    keys = (
        HelpKey(
            ("x",), "Take a model out.", "no model is resident on box", "fleetview unload NODE MODEL", group="rows"
        ),
        HelpKey(("s",), "Load a model.", None, "fleetview swap NODE MODEL", group="rows"),
    )
    text = texts(help_lines(keys, 76))
    assert text.index("Load a model.") < text.index("not just now") < text.index("Take a model out.")
    assert "fleetview swap NODE MODEL" in text
    assert "no model is resident on box" in text


def test_the_last_line_keeps_help_when_there_is_no_room_for_all() -> None:
    keys = (Key("s", "swap", True), Key("x", "unload", False), Key("?", "help", True))
    assert text_of(key_line(keys, 80)) == " s swap  x unload  ? help"
    assert text_of(key_line(keys, 18)) == " s swap  ? help"
    assert text_of(key_line(keys, 26)) == " s swap  x unload  ? help"
    assert text_of(key_line(keys, 25)) == " s swap  ? help", "help stands a cell from the edge"
    assert ("x unload", "off") in key_line(keys, 80)


def test_a_description_begins_with_what_is_wrong() -> None:
    assert "▲ memory pressure is critical" in texts(detail(CRITICAL, 100.0, 80)[:2])
    assert "▲ memory pressure is critical" in texts(overview(CRITICAL, 100.0, 120, 30)[:2])


def test_an_overview_says_that_there_is_more_and_begins_no_section_that_it_cannot_show() -> None:
    whole = overview(CRITICAL, 100.0, 120, 60)
    for height in range(18, len(whole)):
        lines = overview(CRITICAL, 100.0, 120, height)
        assert len(lines) <= height
        assert text_of(lines[-1]) == " d shows the rest"
        assert text_of(lines[-3]).strip() not in {"figures", "engines", ""}
    assert "d shows the rest" not in texts(whole)
    assert "sources" not in texts(whole)


def test_what_is_told_in_words_stands_in_two_columns_where_there_is_room_for_them() -> None:
    narrow, wide = (detail(a_node(), 105.0, width) for width in (140, 200))
    (line,) = (text_of(line) for line in wide if "models in memory" in text_of(line))
    assert line.index("engines") == 101
    assert len(wide) < len(narrow)
    assert all(width_of(line) <= 200 for line in wide)
    words = {word for line in narrow for word in text_of(line).split()}
    assert words <= {word for line in wide for word in text_of(line).split()}, "nothing is left out"


def test_what_is_old_is_dim_but_for_what_says_so() -> None:
    first, *others = detail(a_node(heard_at=95.0), 100.0, 80)
    assert "warm" in {tone for _, tone in first}
    assert {tone for line in others for text, tone in line if text.strip()} <= {"dim", "off", "heading", "strong"}


def test_the_farewell_names_what_stays_on_this_machine() -> None:
    here = a_node("here", backends={"llamacpp": a_backend_state(resident=(a_resident("SmolLM2"),))})
    assert farewell((here,)) == "SmolLM2 stays resident here; fleetview-agent stop ends it"
    busy = replace(here, operations=(an_operation(),))
    assert farewell((busy,)) == "the swap of large goes on here; fleetview-agent stop ends it"
    ollama = a_node("here", backends={"ollama": a_backend_state("ollama")})
    assert farewell((ollama,)) is None
    assert farewell((replace(here, link="down"),)) is None


def test_a_time_to_stay_is_offered_only_of_an_engine_that_knows_one() -> None:
    knows = a_backend_state("ollama", abilities=("keep",))
    told = "\n".join(map(text_of, backends(a_node(backends={"ollama": knows, "llamacpp": a_backend_state()}), 200)))
    assert told.count("loads with context, time to stay") == 1
    assert told.count("loads with context") == 2
