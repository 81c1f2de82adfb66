"""What is wrong with a node: findings, and the dialog that shows them."""

from __future__ import annotations

import pytest

from fleetview import __version__
from fleetview.present.node.health import Finding, health, health_lines
from fleetview.present.text import text_of, width_of
from fleetview.screens.health import Health
from fleetview_agent.wire import PROTOCOL, Failure
from tests.builders import a_backend_state, a_machine, a_node, a_resident, a_sample, a_snapshot
from tests.hostile_text import TEXTS, a_full_snapshot, commands, poisoned
from tests.tui.fake_fleet import FakeFleet, screen_text, until

OURS = a_machine(agent_version=__version__)


def wrong(**changes: object) -> list[str]:
    node = a_node("one", **{"machine": OURS, **changes})
    return [f"{one.told}: {one.hint}" for one in health(node, 100.0) if one.grade == "wrong"]


def notes(**changes: object) -> list[str]:
    node = a_node("one", **{"machine": OURS, **changes})
    return [f"{one.told}: {one.hint}" for one in health(node, 100.0) if one.grade == "note"]


def test_of_a_sound_node_nothing_is_wrong() -> None:
    assert (wrong(), notes()) == ([], [])
    first = health(a_node(machine=OURS), 100.0, "over ssh to studio")[0]
    assert first == Finding("ok", "connection", "it answers, over ssh to studio")


def test_a_node_that_does_not_answer_tells_why_and_what_to_do_and_nothing_else() -> None:
    assert wrong(link="down", reason="no route to ada@studio") == [
        "no route to ada@studio: see that it is switched on, awake and in the network"
    ]
    assert wrong(link="down", reason="name unknown (`host` in the fleet file)") == [
        "name unknown (`host` in the fleet file): None"  # what to do is there already
    ]
    assert wrong(heard_at=95.0) == ["stale 5 s: wait for it, or see what holds it up there"]
    assert wrong(link="connecting", heard_at=None, machine=None) == [
        "connecting: the first try is under way; wait for it"
    ]


def test_it_is_said_which_side_to_upgrade() -> None:
    both = f"and fleetview {__version__}"
    assert notes(machine=a_machine(agent_version="0.0.9")) == [
        f"its agent is 0.0.9, {both}: upgrade fleetview-agent on one"
    ]
    assert notes(machine=a_machine(agent_version="9.10.0")) == [f"its agent is 9.10.0, {both}: upgrade fleetview"]
    (newer,) = wrong(protocol=PROTOCOL + 1)
    assert newer.endswith(f"they speak protocols {PROTOCOL + 1} and {PROTOCOL}: upgrade fleetview")
    assert wrong(dropped=2) == ["2 lines of one made no sense and were skipped: None"]


def test_what_cannot_be_read_is_noted_and_is_not_wrong() -> None:
    reasons = dict.fromkeys(("power_watts", "fans_rpm"), "macmon is not installed: `brew install macmon`")
    sample = a_sample(power_watts=None, fans_rpm=None, reasons=reasons)
    assert notes(samples=(sample,)) == ["no fans, power: macmon is not installed: `brew install macmon`"]
    assert wrong(samples=(sample,)) == []


def test_pressure_and_heat_are_noted_and_when_they_are_grave_they_are_wrong() -> None:
    assert notes(samples=(a_sample(pressure="warning"),)) == [
        "its memory pressure is warning (level 1, 66 % free): None"
    ]
    assert len(wrong(samples=(a_sample(pressure="critical", thermal_state="heavy"),))) == 2
    assert notes(samples=(a_sample(thermal_state="moderate"),))[0].startswith("heat holds it back")


def test_an_engine_that_is_not_ready_is_told_with_what_to_do_about_it() -> None:
    missing = a_backend_state("ollama", phase="missing", resident=(), hint="install Ollama")
    stopped = a_backend_state("ollama", phase="stopped", resident=(), hint="fleetview start NODE ollama")
    failed = a_backend_state(phase="failed", resident=(), failure=Failure(reason="killed"))
    assert notes(backends={"ollama": missing, "llamacpp": a_backend_state()}) == ["ollama is missing: install Ollama"]
    assert wrong(backends={"ollama": missing}) == ["ollama is missing: install Ollama"]
    assert notes(backends={"ollama": stopped}) == ["ollama is stopped: fleetview start one ollama"]
    assert wrong(backends={"llamacpp": failed}) == ["llamacpp is failed: killed"]
    lost = (a_resident("a", phase="failed", failure=Failure(reason="killed")), a_resident("b", phase="orphaned"))
    assert wrong(backends={"llamacpp": a_backend_state(resident=lost)}) == [
        "llamacpp/a has failed: killed",
        "llamacpp/b has lost its server: unload it",
    ]


def test_findings_are_told_to_their_end_in_any_width() -> None:
    findings = health(a_node(machine=OURS, samples=(a_sample(fans_rpm=None, reasons={"fans_rpm": "x " * 90}),)), 100.0)
    for width in (30, 76):
        lines = health_lines(findings, width)
        assert all(width_of(line) <= width for line in lines)
        assert sum(text_of(line).count("x") for line in lines) == 90


@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_of_a_node_leaves_its_place_among_the_findings(kind: str) -> None:
    snapshot = poisoned(a_full_snapshot(), TEXTS[kind])
    backends = {state.backend: state for state in snapshot.backends}
    node = a_node("one", machine=snapshot.machine, samples=snapshot.samples, backends=backends)
    lines = health_lines(health(node, 100.0), 76)
    assert len(lines) >= 8
    for line in lines:
        assert commands(text_of(line)) == set()
        assert width_of(line) <= 76


async def test_a_key_tells_what_is_wrong_with_the_row_and_closes_it_again() -> None:
    failed = a_backend_state("ollama", phase="failed", resident=(), failure=Failure(reason="the port is taken"))
    app = FakeFleet({"one": (a_snapshot(backends=(failed,)),)}).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.fleet["one"].machine is not None)
        await pilot.press("h")
        await until(pilot, lambda: "ollama is failed: the port is taken" in screen_text(app))
        assert isinstance(app.screen, Health)
        assert "Health of one" in screen_text(app)
        await pilot.press("h")
        await until(pilot, lambda: len(app.screen_stack) == 1)
