"""When changes are shown."""

from __future__ import annotations

from collections.abc import Callable

from fleetview.fleet import LinkDown
from fleetview.frames import FRAME_SECONDS, Frames
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until


class Desk:
    """Frames over a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.shown = 0
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.frames = Frames(self._show, lambda wait, call: self.later.append((wait, call)), lambda: self.now)

    def _show(self) -> None:
        self.shown += 1


def test_the_first_change_is_shown_at_once_and_those_behind_it_together() -> None:
    desk = Desk()
    desk.frames.changed()
    assert desk.shown == 1
    for _ in range(255):
        desk.frames.changed()
    assert desk.shown == 1
    ((wait, show),) = desk.later
    assert wait == FRAME_SECONDS
    desk.now += wait
    show()
    assert desk.shown == 2
    desk.now += FRAME_SECONDS
    desk.frames.changed()
    assert (desk.shown, len(desk.later)) == (3, 1)


async def test_what_nodes_say_is_true_at_once_and_seen_a_frame_later() -> None:
    fleet = FakeFleet({"a": (), "b": ()})
    app = fleet.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: len(fleet.links) == 2)
        for name, link in fleet.links.items():
            link.say(LinkDown(f"{name} is out"))
            assert app.fleet[name].reason == f"{name} is out"
        await settled(pilot)
        await until(pilot, lambda: all(f"{name} is out" in screen_text(app) for name in "ab"))
