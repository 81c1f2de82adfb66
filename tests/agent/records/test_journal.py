"""What outlives the agent."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fleetview_agent.errors import StorageFailed
from fleetview_agent.records import journal as journal_module
from fleetview_agent.records.journal import Journal
from fleetview_agent.wire import Operation
from tests.builders import an_operation


def ended(name: str, at: float) -> Operation:
    return an_operation(id=name, queued_at=at, ended_at=at + 1, result="done", phase="ready")


def test_ended_operations_come_newest_first_and_outlive_the_agent(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    for at, name in enumerate(("first", "second", "third")):
        journal.write(ended(name, at))
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert [operation.id for operation in again.ended(2)] == ["third", "second"]
    assert again.ended(1) == (ended("third", 2),)
    again.close()


def test_an_operation_cut_short_is_interrupted_at_the_next_start(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write(an_operation(id="cut", result=None, ended_at=None))
    assert journal.ended(10) == ()
    journal.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert [operation.id for operation in again.interrupt()] == ["cut"]
    (cut,) = again.ended(10)
    assert (cut.result, cut.cause) == ("interrupted", "the agent ended in the midst of it")
    assert again.interrupt() == ()
    again.close()


def test_only_the_newest_operations_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT_OPERATIONS", 2)
    journal = Journal(tmp_path / "journal.sqlite")
    for at, name in ((2, "second"), (3, "third"), (1, "first")):
        journal.write(ended(name, at))
    journal.interrupt()
    assert [operation.id for operation in journal.ended(10)] == ["third", "second"]
    journal.close()


def test_a_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.sqlite").close()
    assert (tmp_path / "journal.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_damaged_journal_is_kept_aside_and_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    file.write_bytes(b"not a database, but precious to someone" * 100)
    journal = Journal(file)
    journal.write(ended("one", 1))
    assert len(journal.ended(10)) == 1
    journal.close()
    (aside,) = tmp_path.glob("journal.damaged-*")
    assert aside.read_bytes().startswith(b"not a database, but precious")


def test_a_journal_that_is_damaged_deep_inside_is_kept_aside_too(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    journal = Journal(file)
    for at in range(100):
        journal.write(ended(f"operation-{at}", at).model_copy(update={"cause": "x" * 500}))
    journal.close()
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = b"?" * (len(content) - len(content) // 2)
    file.write_bytes(content)
    again = Journal(file)
    assert again.ended(200) == ()
    again.close()
    (aside,) = tmp_path.glob("journal.damaged-*")
    assert aside.read_bytes() == content


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    big = ended("big", 1).model_copy(update={"cause": "x" * 100_000})
    with pytest.raises(StorageFailed, match="database or disk is full"):
        journal.write(big)
    journal.close()


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    with pytest.raises(StorageFailed, match=r"journal\.sqlite"):
        Journal(tmp_path / "journal.sqlite")


def test_a_reader_beside_us_does_not_hold_us_up(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write(ended("one", 1))
    with sqlite3.connect(tmp_path / "journal.sqlite") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM operations").fetchall()
        journal.write(ended("two", 2))
    reader.close()
    assert len(journal.ended(10)) == 2
    journal.close()


def test_what_only_a_newer_version_understands_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write(ended("known", 1))
    newer = '{"id": "x", "request": {"verb": "teleport"}}'
    for name, over in (("begun", 0), ("ended", 1)):
        journal._database.execute("INSERT INTO operations VALUES (?, 2, ?, ?)", (name, over, newer))
    assert journal.interrupt() == ()
    assert [operation.id for operation in journal.ended(10)] == ["known"]
    journal.close()
