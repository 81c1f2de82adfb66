from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.fleet import Ended, LinkUp
from fleetview.present.operations.why import Then, Trouble, advice, card, ended, nearest, remembered, trouble
from fleetview.present.text import text_of, width_of
from fleetview.screens.why import Why
from fleetview_agent.wire import Failure, History, HistoryCurve, OperationChanged
from tests.builders import GIB, a_backend_state, a_node, a_resident, a_sample, a_snapshot, an_operation
from tests.tui.fake_fleet import AT, FakeFleet, screen_text, settled, until

LOG = ("llama_model_loader: loaded meta data", "ggml_metal: error: Insufficient Memory (00000008)")
ROLLED_BACK = an_operation(
    phase="ready", result="rolled_back", cause="the process of large ended by signal 9", ended_at=AT + 9, log=LOG
)
KILLED = Failure(reason="the process of small ended by signal 9 (SIGKILL)", exit_status=-9, log=("last line",))


def a_trouble(reason: str = "it failed", **changes: object) -> Trouble:
    return Trouble(**{"node": "studio", "what": "swap llamacpp/large", "reason": reason, **changes})  # type: ignore[arg-type]  # checked by its users


def test_an_operation_that_ended_last_is_told_before_what_failed_long_ago() -> None:
    failed = a_backend_state(resident=(a_resident(phase="failed", failure=KILLED),))
    node = a_node(backends={"llamacpp": failed}, last=Ended(ROLLED_BACK, 100.0))
    found = trouble(node)
    assert found is not None
    assert (found.what, found.at, found.log) == ("swap llamacpp/large", AT + 9, LOG)


def test_a_model_that_fell_over_and_an_engine_that_does_not_start_are_told() -> None:
    model = a_node(backends={"llamacpp": a_backend_state(resident=(a_resident(phase="failed", failure=KILLED),))})
    engine = a_node(backends={"ollama": a_backend_state("ollama", phase="failed", resident=())})
    assert trouble(model) == Trouble("studio", "llamacpp/small", KILLED.reason, KILLED.log, -9)
    assert trouble(engine) == Trouble("studio", "ollama", "it does not say why")


def test_what_went_well_is_no_trouble() -> None:
    assert trouble(a_node()) is None
    assert trouble(a_node(last=Ended(an_operation(phase="ready", result="done", ended_at=AT), 100.0))) is None


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (a_trouble("the engine ran out of memory"), "smaller context"),
        (a_trouble(log=LOG), "smaller context"),
        (a_trouble("unknown model architecture: 'shiny'"), "upgrade the engine"),
        (a_trouble("tensor data is not within the file bounds"), "delete it (D) and pull it again"),
        (a_trouble("no space left on device"), "The disk is full"),
        (a_trouble(exit_status=-9), "for want of memory"),
        (a_trouble(exit_status=-11), "The engine crashed"),
        (a_trouble("something else"), "l shows its whole log"),
    ],
)
def test_what_to_do_follows_from_what_happened(failure: Trouble, words: str) -> None:
    assert words in advice(failure)


def test_an_exit_status_is_told_with_the_name_of_its_signal() -> None:
    assert (ended(-9), ended(-11), ended(3), ended(None)) == ("signal 9 (SIGKILL)", "signal 11 (SIGSEGV)", "3", None)
    assert ended(-200) == "signal 200"


def test_the_memory_is_that_of_the_second_in_which_it_failed() -> None:
    samples = [a_sample(at=AT + second, memory_used_bytes=second * GIB, pressure="warning") for second in range(20)]
    assert nearest(samples, AT + 9.2) == Then(9 * GIB, "warning", 0)
    assert nearest(samples, AT - 60) is None
    assert nearest(samples, None) is None


def test_older_figures_come_from_the_history() -> None:
    curves = {
        "memory_used_bytes": HistoryCurve(mean=(1.0, 2.0), high=(3.0, 7.0 * GIB)),
        "pressure": HistoryCurve(mean=(0, 2), high=(0, 2)),
    }
    history = History(began_at=AT, step_seconds=10, figures=curves)
    assert remembered(history, AT + 12) == Then(7 * GIB, "critical", None)
    assert remembered(history, AT + 25) is None


def test_the_card_fits_its_width_and_hides_nothing() -> None:
    failure = a_trouble("x" * 200, log=tuple(f"line {number}" for number in range(40)), exit_status=-9, at=AT)
    lines = card(failure, None, 60)
    assert max(map(width_of, lines)) <= 60
    told = "\n".join(map(text_of, lines))
    assert "line 39" in told
    assert "line 27" not in told
    assert "nothing was read then" in told


def a_failed_fleet() -> FakeFleet:
    samples = tuple(a_sample(at=AT + second, pressure="warning", swap_used_bytes=3 * GIB) for second in range(10))
    snapshot = a_snapshot(samples=samples)
    return FakeFleet(
        {"studio": (LinkUp(), snapshot, OperationChanged(operation=ROLLED_BACK)), "laptop": (LinkUp(), a_snapshot())}
    )


async def test_the_key_tells_why_and_is_dim_where_nothing_failed() -> None:
    app = a_failed_fleet().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Why))
        told = screen_text(app)
        assert "swap llamacpp/large" in told
        assert "64G in use, pressure warning, swap 3.0G" in told
        await pilot.press("exclamation_mark", "down")
        await until(pilot, lambda: not isinstance(app.screen, Why))
        assert app.screen.check_action("why", ()) is None
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert not isinstance(app.screen, Why)


async def test_the_key_is_about_the_selected_row_whatever_is_marked() -> None:
    app = a_failed_fleet().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("down", "space", "up", "exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Why))


async def test_what_is_long_ago_is_looked_up_in_the_history() -> None:
    fleet = a_failed_fleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        fleet.links["studio"].say(a_snapshot(samples=(a_sample(at=AT + 4000),)))
        curve = HistoryCurve(mean=(5.0 * GIB,) * 3, high=(5.0 * GIB,) * 3)
        fleet.links["studio"].past = History(began_at=AT, step_seconds=10, figures={"memory_used_bytes": curve})
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "5.0G in use" in screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 8)], ids=["80x24", "120x40", "40x8"])
def test_the_card_looks_as_it_should(
    snap_compare: Callable[..., bool], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetview.present.operations.why.moment", lambda _at: "2023-11-14 22:13:29")

    async def opened(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Why))

    assert snap_compare(a_failed_fleet().app(), terminal_size=size, run_before=opened)
