from __future__ import annotations

import pytest

from fleetview import clipboard


def found(*programs: str) -> dict[str, str]:
    return {program: f"/bin/{program}" for program in programs}


@pytest.mark.parametrize(
    ("environ", "platform", "programs", "command"),
    [
        ({}, "darwin", ("pbcopy",), ("/bin/pbcopy",)),
        ({"WAYLAND_DISPLAY": "w"}, "linux", ("wl-copy", "xclip"), ("/bin/wl-copy",)),
        ({"DISPLAY": ":0"}, "linux", ("wl-copy", "xclip"), ("/bin/xclip", "-selection", "clipboard")),
        ({"DISPLAY": ":0"}, "linux", ("xsel",), ("/bin/xsel", "--clipboard", "--input")),
        ({}, "linux", ("xclip", "wl-copy"), None),
        ({"SSH_TTY": "/dev/pts/0"}, "darwin", ("pbcopy",), None),
    ],
)
def test_the_program_that_reaches_the_operators_clipboard_is_taken(
    environ: dict[str, str], platform: str, programs: tuple[str, ...], command: tuple[str, ...] | None
) -> None:
    assert clipboard.tool(environ, platform, found(*programs).get) == command


async def test_a_program_that_fails_leaves_it_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(clipboard, "tool", lambda: ("false",))
    assert await clipboard.copy("text", copied.append) is None
    assert copied == ["text"]
    monkeypatch.setattr(clipboard, "tool", lambda: ("cat",))
    assert await clipboard.copy("text", copied.append) is None
    assert copied == ["text"]


async def test_what_a_terminal_would_drop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "tool", lambda: None)
    copied: list[str] = []
    assert await clipboard.copy("x" * 56_000, copied.append) is None
    why = await clipboard.copy("x" * 56_300, copied.append)
    assert why is not None
    assert "75 kB of at most 74" in why
    assert len(copied) == 1
