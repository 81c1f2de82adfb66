"""Disks that are full, folders that are closed, files that are damaged: the dashboard goes on, and says so once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.chats.store import ChatStore
from tests.tui.chats.said import LARGE, a_chat, some_chats, titles


def test_a_disk_that_is_full_ends_keeping_and_not_the_chat(store: ChatStore, file: Path) -> None:
    told: list[str] = []
    store.listen(told.append)
    before = a_chat(store, ("hello", "hi"))
    connection = store._database._tables.database  # type: ignore[union-attr]  # it was opened just now
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Go on", chat.targets)
    for _ in range(200):
        store.heard(reply, "token " * 100)
    store.ended(reply)
    kept, older = store.chat(chat.id), store.chat(before)
    assert kept is not None
    assert kept.turns[0].replies[0].text == "token " * 20_000
    assert older is not None
    assert older.turns[0].replies[0].text == "hi"
    (sentence,) = told
    assert "chats.db cannot be used: database or disk is full; chats from now on are gone when" in sentence
    assert file.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_may_not_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    refuses_to_keep(tmp_path / "state" / "chats.db", "permission denied")


def test_a_file_where_the_folder_should_be_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    refuses_to_keep(tmp_path / "state" / "chats.db", "file exists")


def test_a_folder_where_the_file_should_be_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "chats.db").mkdir()
    refuses_to_keep(tmp_path / "chats.db", "is a directory")


def test_a_file_of_a_newer_fleetview_is_left_alone(file: Path) -> None:
    with closing(ChatStore(file)) as store:
        a_chat(store, ("hello", "hi"))
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")
    refuses_to_keep(file, "it was made by a newer fleetview")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT prompt FROM turns").fetchall() == [("hello",)]


def refuses_to_keep(file: Path, why: str) -> None:
    """The store works all the same, and says so once."""
    told: list[str] = []
    with closing(ChatStore(file)) as store:
        number = a_chat(store, ("hello", "hi"))
        assert told == []
        store.listen(told.append)
        assert store.chat(number) is not None
        a_chat(store, ("more", "yes"))
        assert titles(store) == ["more", "hello"]
    (sentence,) = told
    assert f"cannot be used: {why}; chats from now on are gone when the dashboard ends" in sentence


def test_a_damaged_file_is_kept_beside_a_new_one(store: ChatStore, file: Path) -> None:
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"not a database at all " * 500)
    told: list[str] = []
    store.listen(told.append)
    a_chat(store, ("hello", "hi"))
    (sentence,) = told
    damaged = next(entry for entry in file.parent.iterdir() if "damaged" in entry.name)
    assert damaged.read_bytes().startswith(b"not a database")
    assert damaged.name in sentence
    store.close()
    with closing(ChatStore(file)) as again:
        assert titles(again) == ["hello"]


def test_a_file_that_breaks_while_it_is_used_is_told_and_the_chat_goes_on(store: ChatStore, file: Path) -> None:
    told: list[str] = []
    store.listen(told.append)
    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Go on", chat.targets)
    store._database._tables.database.execute("DROP TABLE pieces")  # type: ignore[union-attr]  # it was opened just now
    store.heard(reply, "more")
    store.ended(reply)
    (again,) = store.asked(chat.id, "Again", chat.targets)
    store.heard(again, "yes")
    assert len(told) == 1
    assert titles(store) == ["Again"]


@hypothesis.settings(max_examples=30, deadline=None)  # each writes and opens a file
@given(st.binary(min_size=1, max_size=64), st.integers(min_value=0, max_value=60_000))
def test_no_damage_to_the_file_ends_the_dashboard(damage: bytes, place: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "chats.db"
        shutil.copy(_sound(), file)
        with file.open("r+b") as stream:
            stream.seek(place)
            stream.write(damage)
        with closing(ChatStore(file)) as store:
            for row in store.chats("hello"):
                store.chat(row.id)
            store.chat(a_chat(store, ("after", "it goes on")))
            titles(store, "after")


_SOUND: list[Path] = []


def _sound() -> Path:
    """A file of chats as it should be, made once."""
    if not _SOUND:
        file = Path(tempfile.mkdtemp()) / "chats.db"
        with closing(ChatStore(file)) as store:
            some_chats(store)
            a_chat(store, ("hello", "word " * 2000))
        _SOUND.append(file)
    return _SOUND[0]
