from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from fleetview.screens.passphrase import Passphrase, Secret
from fleetview.screens.trust_host import TrustHost
from tests.tui.stage import Stage, text_of, until

FINGERPRINT = "SHA256:" + "9nQ3" * 10 + "abc"
FILE = "~/.ssh/id_ed25519"
Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(80, 24), (40, 10)], ids=["80x24", "40x10"])


def trust_host(**changes: str) -> TrustHost:
    words = {
        "node": "head-primary",
        "host": "[cwk-h-m3u-01.local]:2222",
        "algorithm": "ssh-ed25519",
        "fingerprint": FINGERPRINT,
        "file": "~/.ssh/known_hosts",
    }
    return TrustHost(**{**words, **changes})


async def trusted(*keys: str) -> list[bool | None]:
    app = Stage(trust_host())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return app.answers


NO = [("enter",), ("n",), ("escape",), ("down", "enter"), ("j", "j", "enter"), ("right", "left", "enter")]


@pytest.mark.parametrize("keys", [*NO, ("s", "l", "enter"), ("tab", "tab", "enter"), ("space", "enter")])
async def test_nobody_is_trusted_by_enter_or_by_keys_meant_for_the_fleet(keys: tuple[str, ...]) -> None:
    assert await trusted(*keys) == [False]


@pytest.mark.parametrize("keys", [("y",), ("right", "enter"), ("tab", "enter")])
async def test_a_machine_is_trusted_when_that_was_chosen(keys: tuple[str, ...]) -> None:
    assert await trusted(*keys) == [True]


async def test_a_question_is_answered_once_however_often_the_key_is_pressed() -> None:
    assert await trusted("y", "y", "n", "enter") == [True]


@pytest.mark.parametrize(
    ("algorithm", "file"),
    [("ssh-ed25519", "ed25519"), ("ecdsa-sha2-nistp256", "ecdsa"), ("rsa-sha2-512", "rsa"), ("new", "*")],
)
async def test_the_operator_is_told_how_to_compare_that_kind_of_key(algorithm: str, file: str) -> None:
    app = Stage(trust_host(algorithm=algorithm))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert f"ssh-keygen -lf /etc/ssh/ssh_host_{file}_key.pub" in text_of(app)


async def test_in_a_small_pane_key_and_answers_stay_and_the_rest_can_be_scrolled_to() -> None:
    app = Stage(trust_host())
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert FINGERPRINT[:35] in shown
        assert FINGERPRINT[35:] in shown
        assert "▸ no      y trust" in shown
        assert "known_hosts" not in shown
        await pilot.press("down", "down", "down")
        await until(pilot, lambda: "known_hosts" in text_of(app))
        assert "▸ no      y trust" in text_of(app)


async def test_what_comes_from_outside_is_neither_markup_nor_obeyed() -> None:
    app = Stage(trust_host(node="[b]n[/b]", host="\x1b[2Jhost", fingerprint="[red]f[/red]"))
    async with app.run_test() as pilot:
        await pilot.pause()
        shown = text_of(app)
        assert "Trust [b]n[/b]?" in shown
        assert "[red]f[/red]" in shown
        assert "\x1b" not in shown


async def test_a_passphrase_is_handed_back_and_stays_nowhere() -> None:
    dialog = Passphrase("head-primary", FILE, wrong=False)
    app = Stage(dialog)
    async with app.run_test() as pilot:
        await pilot.pause()
        line = dialog.query_one(Secret)
        await pilot.press(*"open", "space", *"it")
        shown = text_of(app)
        picture = app.export_screenshot()
        assert "•••••••" in shown
        for place in (shown, picture, repr(dialog), repr(line), str(dialog.tree), str(line.tree)):
            assert "open it" not in place
            assert "open&#160;it" not in place
        await pilot.press("enter")
        await pilot.pause()
        assert app.answers == ["open it"]
        assert line.value == ""


async def test_a_passphrase_cannot_be_copied() -> None:
    dialog = Passphrase("head-primary", FILE, wrong=False)
    app = Stage(dialog)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.focused, Secret))
        await pilot.press(*"secret")
        line = dialog.query_one(Secret)
        line.select_all()
        await pilot.press("ctrl+c", "ctrl+x", "super+c")
        line.action_copy()
        line.action_cut()
        assert app.copied == []
        assert line.value == "secret"


@pytest.mark.parametrize("keys", [("escape",), ("enter",), ("a", "ctrl+u", "enter"), ("a", "escape")])
async def test_nothing_typed_or_escape_is_no_passphrase(keys: tuple[str, ...]) -> None:
    app = Stage(Passphrase("head-primary", FILE, wrong=False))
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.focused, Secret))
        await pilot.press(*keys)
        await pilot.pause()
        assert app.answers == [None]


async def test_in_a_small_pane_a_wrong_passphrase_leaves_room_for_the_keys() -> None:
    app = Stage(Passphrase("head-primary", FILE, wrong=True))
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        assert "! That did not open it." in text_of(app)
        assert "esc cancel" in text_of(app)


async def test_a_wrong_passphrase_is_told_without_colour_too() -> None:
    app = Stage(Passphrase("[b]n[/b]", FILE, wrong=True))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert "! That did not open it." in text_of(app)
        assert "for  [b]n[/b]" in text_of(app)
        assert "esc cancel" in text_of(app)


async def typed(pilot: Pilot[None]) -> None:
    await pilot.press(*"secret")
    await pilot.pause()


@SIZES
def test_asking_for_trust(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(Stage(trust_host()), terminal_size=size)


@SIZES
def test_asking_for_a_passphrase(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = Stage(Passphrase("head-primary", FILE, wrong=False))
    assert snap_compare(app, terminal_size=size, run_before=typed)


def test_asking_for_trust_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(Stage(trust_host()), terminal_size=(80, 24), press=["right"])


def test_asking_again_after_a_wrong_passphrase(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Stage(Passphrase("head-primary", FILE, wrong=True))
    assert snap_compare(app, terminal_size=(80, 24))
