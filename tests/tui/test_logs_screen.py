from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from fleetview.app import FleetApp
from fleetview.fleet import LinkDown, LinkUp
from fleetview.messages import LogsRequested
from fleetview.remote.errors import Refused
from fleetview.screens import logs
from fleetview.screens.logs import LogsScreen
from fleetview.widgets.log_lines import LogView
from fleetview_agent.wire import Logged, LogLevel, LogLine, OperationChanged
from tests.builders import a_backend_state, a_snapshot, an_operation
from tests.tui.fake_fleet import AT, FakeFleet, screen_text, settled, until

TOLD = (
    ("agent", "info", "fleetview_agent.serving.serve: serving at agent.sock"),
    (
        "ollama",
        "info",
        'time=2023-11-14T22:13:20.000Z level=INFO source=routes.go:1 msg="Listening on 127.0.0.1:11434"',
    ),
    ("ollama", "warning", 'time=2023-11-14T22:13:21.000Z level=WARN source=sched.go:9 msg="gpu VRAM usage is high"'),
    ("llamacpp", None, "llama_model_loader: loaded meta data with 33 key-value pairs and 291 tensors"),
    ("llamacpp", "error", "llama_model_load: error loading model: tensor 'blk.3.ffn_up.weight' is not within the file"),
)


def a_line(number: int, text: str, source: str = "ollama", level: LogLevel | None = None) -> LogLine:
    return LogLine(at=AT + number, source=source, text=text, level=level)


def told() -> tuple[LogLine, ...]:
    return tuple(a_line(number, text, source, level) for number, (source, level, text) in enumerate(TOLD))  # type: ignore[arg-type]  # levels are literals


def a_fleet() -> FakeFleet:
    backends = (a_backend_state("ollama"), a_backend_state())
    return FakeFleet({"studio": (LinkUp(), a_snapshot(backends=backends)), "laptop": (LinkUp(), a_snapshot())})


@asynccontextmanager
async def the_logs(size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[FakeFleet, FleetApp, Pilot[None]]]:
    fleet = a_fleet()
    app = fleet.app()
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        fleet.links["studio"].lines = told()
        await pilot.press("4")
        await until(pilot, lambda: app.screen.query_one(LogView).entries == len(TOLD))
        yield fleet, app, pilot


@pytest.fixture
def at_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of the clocks here."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def shown(app: FleetApp) -> str:
    return screen_text(app)


async def test_the_exclamation_mark_tells_of_the_selected_lines_node_then_of_the_failure_that_came_last() -> None:
    async with the_logs() as (fleet, app, pilot):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: any("nothing failed on any node" in one.message for one in app._notifications))
        for name, at in (("studio", AT + 1), ("laptop", AT + 9)):
            failed = an_operation(phase="load", result="failed", cause=f"no memory on {name}", ended_at=at)
            fleet.links[name].say(OperationChanged(operation=failed))
        await until(pilot, lambda: "! why" in shown(app))
        await pilot.press("exclamation_mark")  # all lines are the studio's
        await until(pilot, lambda: "What failed on studio" in shown(app))
        await pilot.press("escape", "slash", *"nothing like it", "enter", "exclamation_mark")
        await until(pilot, lambda: "What failed on laptop" in shown(app))


async def test_4_shows_what_every_node_wrote_before_and_what_comes() -> None:
    async with the_logs() as (fleet, app, pilot):
        assert "Logs of all nodes · agent and engines · 5 lines" in shown(app)
        fleet.links["laptop"].say(Logged(lines=(a_line(9, "it came just now"),)))
        await until(pilot, lambda: "it came just now" in shown(app))
        assert "laptop ollama" in shown(app)


async def test_lines_that_were_heard_before_the_view_was_opened_stand_once() -> None:
    fleet = a_fleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        fleet.links["studio"].lines = told()
        fleet.links["studio"].say(Logged(lines=told()[-1:]))
        await pilot.press("4")
        await until(pilot, lambda: app.screen.query_one(LogView).entries == len(TOLD))


async def test_right_and_left_choose_the_node_and_tab_its_engine() -> None:
    async with the_logs() as (_, app, pilot):
        await pilot.press("right")
        assert "Logs of studio · agent and engines" in shown(app)
        await pilot.press("tab")
        assert "Logs of studio · agent · 1 line" in shown(app)
        await pilot.press("shift+tab", "shift+tab")
        assert "Logs of studio · llamacpp · 2 lines" in shown(app)
        await pilot.press("left", "left")
        assert "Logs of laptop" in shown(app)
        assert "Nothing has been written by laptop" in shown(app)


async def test_v_shows_only_what_is_serious() -> None:
    async with the_logs() as (_, app, pilot):
        await pilot.press("v", "v")
        assert "warnings and errors · 2 lines" in shown(app)
        await pilot.press("v")
        assert "errors · 1 line" in shown(app)
        await pilot.press("v")
        assert "5 lines" in shown(app)


async def test_a_filter_stays_until_esc_and_the_next_esc_leaves() -> None:
    async with the_logs() as (_, app, pilot):
        await pilot.press("slash", *"!model", "enter")
        await until(pilot, lambda: "/!model · 3 lines" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "5 lines" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LogsScreen))


async def test_moving_up_stops_following_and_the_last_line_is_followed_again() -> None:
    async with the_logs() as (fleet, app, pilot):
        await pilot.press("k")
        fleet.links["studio"].say(Logged(lines=tuple(a_line(9 + n, f"later {n}") for n in range(12))))
        await until(pilot, lambda: "12 new lines below, G follows" in shown(app))
        view = app.screen.query_one(LogView)
        assert view.selected is not None
        assert view.selected.text == TOLD[3][2]
        await pilot.press("G")
        assert view.selected.text == "later 11"
        assert "follows" in shown(app)


async def test_p_lets_the_lines_stay_and_none_is_lost() -> None:
    async with the_logs() as (fleet, app, pilot):
        await pilot.press("p")
        fleet.links["studio"].say(Logged(lines=(a_line(9, "while it was paused"),)))
        await pilot.pause(0.1)
        assert "while it was paused" not in shown(app)
        await pilot.press("p")
        await until(pilot, lambda: "while it was paused" in shown(app))


async def test_w_shows_long_lines_whole() -> None:
    async with the_logs() as (_, app, pilot):
        assert "within the file" not in shown(app)
        await pilot.press("w")
        assert "within the file" in shown(app) or "the file" in shown(app)
        assert app.screen.query_one(LogView).virtual_size.height > len(TOLD)


async def test_a_line_that_is_cut_shows_it_beside_the_scroll_bar() -> None:
    async with the_logs() as (fleet, app, pilot):
        fleet.links["studio"].say(Logged(lines=tuple(a_line(9 + n, "x" * 200) for n in range(50))))
        await until(pilot, lambda: "55 lines" in shown(app))
        await until(pilot, lambda: shown(app).splitlines()[5].rstrip(" ▁▂▃▄▅▆▇█").endswith("x…"))


async def test_y_copies_the_line() -> None:
    async with the_logs() as (_, app, pilot):
        await pilot.press("g", "down", "y")
        await until(pilot, lambda: app.clipboard == TOLD[1][2])


async def test_a_node_that_cannot_tell_says_why() -> None:
    fleet = a_fleet()
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        fleet.links["studio"].problem = Refused("no such thing", None, code="not_found", status=404)
        app.post_message(LogsRequested("studio"))
        await until(pilot, lambda: "the agent of studio is older than fleetview, and has no logs" in shown(app))
        fleet.links["studio"].say(LinkDown("no route to host"))
        await until(pilot, lambda: "down: no route to host" in shown(app))


async def test_a_wish_for_one_engine_opens_its_log() -> None:
    async with the_logs() as (_, app, pilot):
        await pilot.press("1")
        app.post_message(LogsRequested("studio", "llamacpp"))
        await until(pilot, lambda: "Logs of studio · llamacpp · 2 lines" in shown(app))


async def test_what_was_missed_is_asked_for_when_the_connection_stands_again() -> None:
    async with the_logs() as (fleet, app, pilot):
        link = fleet.links["studio"]
        link.say(LinkDown("no route to host"))
        link.lines = (*told(), a_line(7, "in the meantime"))
        fleet.now += 5
        link.say(LinkUp())
        link.say(a_snapshot())
        await until(pilot, lambda: "in the meantime" in shown(app))


async def test_ten_thousand_lines_are_kept_and_the_oldest_leave() -> None:
    async with the_logs() as (fleet, app, pilot):
        view = app.screen.query_one(LogView)
        for batch in range(23):
            fleet.links["studio"].say(
                Logged(lines=tuple(a_line(10 + batch, f"{batch} {number}") for number in range(500)))
            )
            await pilot.pause()
        await until(pilot, lambda: "22 499" in shown(app))
        assert 10_000 <= view.entries <= 11_000
        await pilot.press("g", "v", "v", "v", "v")
        await until(pilot, lambda: "22 499" in shown(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (40, 8)], ids=["80x24", "120x40", "200x50", "40x8"])
def test_the_logs_look_as_they_should(
    snap_compare: Callable[..., bool], size: tuple[int, int], at_greenwich: None
) -> None:
    fleet = a_fleet()

    async def opened(pilot: Pilot[None]) -> None:
        await settled(pilot)
        fleet.links["studio"].lines = told()
        await pilot.press("4")
        await until(pilot, lambda: pilot.app.screen.query_one(LogView).entries == len(TOLD))

    assert snap_compare(fleet.app(), terminal_size=size, run_before=opened)


async def test_lines_that_come_while_another_screen_is_shown_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST", 10)
    async with the_logs() as (fleet, app, pilot):
        screen = app.screen
        assert isinstance(screen, LogsScreen)
        await pilot.press("1")
        for number in range(50):
            fleet.links["studio"].say(Logged(lines=(a_line(100 + number, f"line {number}"),)))
        await until(pilot, lambda: bool(screen._untold) and screen._untold[-1].text == "line 49")
        assert 10 <= len(screen._untold) <= 20
        await pilot.press("4")
        await until(pilot, lambda: "line 49" in shown(app))
