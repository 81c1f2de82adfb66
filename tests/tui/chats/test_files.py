"""Files that go into a prompt, chats that become files, and texts that go through an editor."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fleetview.chats.attachments import NotAttached, attach, dropped, path_of
from fleetview.chats.editor import NotEdited, argv, edit
from fleetview.chats.export import NotExported, export, file_stem, markdown
from fleetview.chats.records import Chat, Reply, Settings, Target, Turn
from fleetview.chats.store import ChatStore
from fleetview.chats.typed import WrongSetting, settings_of, texts_of
from tests.tui.chats.said import AT, FIGURES, LARGE, SMALL, a_chat


@pytest.mark.parametrize(
    "typed",
    [
        "{folder}/my notes.md",
        "'{folder}/my notes.md'",
        '"{folder}/my notes.md"',
        "{folder}/my\\ notes.md ",
        "file://{folder}/my%20notes.md",
        "my notes.md",
        "'my notes.md'",
        "./my\\ notes.md",
    ],
)
def test_a_path_is_understood_as_people_and_terminals_write_it(tmp_path: Path, typed: str) -> None:
    (tmp_path / "my notes.md").write_text("hello\n")
    assert path_of(typed.format(folder=tmp_path), tmp_path) == tmp_path / "my notes.md"
    assert attach(typed.format(folder=tmp_path), tmp_path).text == "hello\n"


def test_what_is_pasted_is_a_drop_only_where_it_is_nothing_but_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "it's two.py"
    one.write_text("1")
    two.write_text("2")
    escaped = str(two).replace("'", "\\'").replace(" ", "\\ ")
    assert dropped(f"{one} {escaped} ", tmp_path) == (one, two)
    assert dropped(f"file://{one}", tmp_path) == (one,)
    for text in ("one.py", f"see {one}", f"{one} {tmp_path}/none", "/etc", "", "/", f"{one}\n{two}", "/bin/\0", "'"):
        assert dropped(text, tmp_path) == ()


def test_nothing_in_a_file_ends_its_block(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(b"\xef\xbb\xbfa = 1\r\n````\nb\n")
    file = attach("main.py", tmp_path)
    assert file.lines == 3
    assert file.fenced == "main.py:\n\n`````python\na = 1\n````\nb\n`````"
    (tmp_path / "plain").write_text("x")
    assert attach(tmp_path / "plain", tmp_path).fenced == "plain:\n\n```\nx\n```"


def test_what_is_no_text_of_bounded_length_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "latin").write_bytes("caf\xe9".encode("latin-1"))
    (tmp_path / "long.log").write_bytes(b"x" * 200_001)
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("program", "program is not text in UTF-8"),
        ("latin", "latin is not text in UTF-8"),
        ("long.log", "long.log has 201 kB, and up to 200 kB go into a prompt; cut out"),
        ("pipe", "pipe is no file but a device or a pipe"),
        (str(tmp_path), "is a folder; name one of the files in it"),
        ("none.txt", "there is no file"),
        ("one two", "one file at a time"),
    ):
        with pytest.raises(NotAttached, match=why):
            attach(name, tmp_path)


def a_long_chat() -> Chat:
    settings = Settings(system="Be brief.", temperature=0.2, stop=("END",))
    failed = Reply(2, SMALL, "```\nopen", state="failed", failure="the model was unloaded")
    done = Reply(1, LARGE, "Canberra.", "not </details> Sydney", "done", None, FIGURES)
    turns = (Turn(1, "Frist", AT, (), replaced=True), Turn(2, "The capital?\n# of Australia", AT, (done, failed)))
    return Chat(1, "The capital?", AT, AT, (LARGE, SMALL), settings, turns)


def test_a_chat_as_markdown_tells_who_was_asked_how_and_how_fast_it_was() -> None:
    text = markdown(a_long_chat())
    for part in (
        "# The capital?\n",
        "- asked: `ollama/llama3.3:70b` on head, `llamacpp/SmolLM2-135M` on here\n",
        "- settings: temperature 0.2, stop 'END'\n",
        "System prompt:\n\n> Be brief.\n",
        "> The capital?\n> # of Australia\n",
        "<details><summary>Thinking</summary>\n\nnot &lt;/details&gt; Sydney\n\n</details>\n",
        "Canberra.\n\n*0.31 s to the first token, 84.2 tok/s, 37 prompt tokens, 118 tokens, 1.25 J/token (system)*\n",
        "```\nopen\n```\n\n*failed: the model was unloaded*\n",
    ):
        assert part in text
    assert "Frist" not in text


def test_an_export_is_the_owners_alone_and_never_overwrites(tmp_path: Path) -> None:
    chat = a_long_chat()
    stem = file_stem(chat)
    assert stem.startswith("fleetview-chat-2023-11-1")
    paths = [export(chat, tmp_path), export(chat, tmp_path), export(chat, tmp_path), export(chat, tmp_path, "json")]
    assert [path.name for path in paths] == [f"{stem}.md", f"{stem}-2.md", f"{stem}-3.md", f"{stem}.json"]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    told = json.loads(paths[3].read_text())
    assert told["turns"][1]["replies"][0]["figures"]["first_token_seconds"] == 0.31
    assert told["turns"][1]["replies"][1]["figures"]["first_token_seconds"] is None


def test_the_name_of_an_export_is_short_and_has_no_path_in_it() -> None:
    chat = a_long_chat()
    for title, end in (
        ("../../etc/passwd", "-etc-passwd"),
        ("", ""),
        ("日本の首都は?", "-日本の首都は"),
        ("word " * 20, "-word-word-word-word-word-word-word-word"),
        ("x" * 80, "-" + "x" * 40),
    ):
        assert file_stem(replace(chat, title=title))[len("fleetview-chat-2023-11-14") :] == end


def test_an_export_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotExported, match=r"cannot be written to .*gone: no such file or directory"):
        export(a_long_chat(), tmp_path / "gone")


def test_a_chat_of_the_store_can_be_exported(tmp_path: Path) -> None:
    with closing(ChatStore()) as store:
        chat = store.chat(a_chat(store, ("hello", "hi"), targets=(Target("n", "b", "m"),)))
    assert chat is not None
    assert "> hello\n\n### `b/m` on n\n\nhi\n" in export(chat, tmp_path).read_text()


def test_the_editor_is_that_of_the_operator_or_the_usual_one() -> None:
    everything = str
    assert argv({"VISUAL": "code --wait", "EDITOR": "vim"}, everything) == ("code", "--wait")
    assert argv({"VISUAL": " ", "EDITOR": "'/my editor' -n"}, everything) == ("/my editor", "-n")
    assert argv({}, everything) == ("vi",)
    assert argv({}, {"nano": "/usr/bin/nano"}.get) == ("nano",)
    for environment, why in (
        ({}, "there is no editor here: set"),
        ({"EDITOR": "vim"}, r"the editor vim of \$EDITOR is not installed here"),
        ({"VISUAL": "'vim"}, r"\$VISUAL has quotes that do not match"),
    ):
        with pytest.raises(NotEdited, match=why):
            argv(environment, lambda _program: None)


def an_editor(folder: Path, script: str) -> tuple[str, ...]:
    """A program that does this with the file that it is given."""
    program = folder / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return (str(program),)


async def test_a_text_comes_back_from_the_editor_as_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = f'stat -c %a "$1" > {tmp_path}/mode 2>/dev/null || stat -f %Lp "$1" > {tmp_path}/mode; echo more >> "$1"'
    assert await edit("say \u2603\n", an_editor(tmp_path, script)) == "say \u2603\nmore"
    assert (tmp_path / "mode").read_text().strip() == "600"
    assert list(tmp_path.glob("fleetview-*")) == []  # noqa: ASYNC240 -- nobody waits for it


async def test_an_editor_that_fails_leaves_the_text_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(NotEdited, match="ended with status 3, so the prompt stays as it was"):
        await edit("hello", an_editor(tmp_path, "exit 3"))
    with pytest.raises(NotEdited, match="cannot be given to"):
        await edit("hello", (str(tmp_path / "none"),))
    assert shutil.which("sh")


async def test_everything_else_goes_on_while_the_editor_is_open(tmp_path: Path) -> None:
    gone_on = tmp_path / "gone-on"
    script = f"for _ in $(seq 100); do [ -e {gone_on} ] && exit 0; sleep 0.05; done; exit 1"
    editing = asyncio.create_task(edit("hello", an_editor(tmp_path, script)))
    await asyncio.sleep(0)
    gone_on.touch()
    assert await editing == "hello"


def test_settings_are_checked_as_they_are_typed() -> None:
    old = Settings(system="old", temperature=1.0, stop=("END",))
    typed = {"temperature": " 0.2 ", "top_p": "", "max_tokens": "512", "seed": "-1"}
    new = settings_of(old, " Be brief.\n", typed)
    assert new == Settings(system="Be brief.", temperature=0.2, max_tokens=512, seed=-1, stop=("END",))
    assert texts_of(new) == {"temperature": "0.2", "top_p": "", "max_tokens": "512", "seed": "-1"}
    assert settings_of(old, "", {}) == Settings(stop=("END",))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("temperature", "11", "temperature must be a number from 0 to 10, not 11; empty leaves it to the model."),
        ("temperature", "nan", "temperature must be a number from 0 to 10, not nan; empty leaves it to the model."),
        ("top_p", "0", "top_p must be a number above 0, up to 1, not 0; empty leaves it to the model."),
        ("max_tokens", "0", "max_tokens must be a whole number from 1 on, not 0; empty leaves it to the model."),
        ("seed", "1.5", "seed must be a whole number, not 1.5; empty leaves it to the model."),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(name: str, text: str, sentence: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        settings_of(Settings(), "", {name: text})
    assert (wrong.value.name, str(wrong.value)) == (name, sentence)
