"""What loads have taught, and how it is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.load_book import LAST, File, LoadBook, Measured, settings_key
from fleetview_agent.wire import LoadOptions

GIB = 1 << 30
FILE = File("llamacpp", "gguf-1", 4 * GIB)
OTHER = File("llamacpp", "gguf-2", 8 * GIB)
FIRST_VERSION = """
CREATE TABLE loads (identity TEXT PRIMARY KEY, context INTEGER, seconds REAL NOT NULL) STRICT;
INSERT INTO loads VALUES ('gguf-1', 4096, 2.5), ('gguf-2', NULL, 1.0);
"""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[LoadBook]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal.loads
    journal.close()


def test_the_last_context_of_a_file_is_remembered(book: LoadBook) -> None:
    assert (book.context("gguf-1"), book.context(None)) == (None, None)
    book.keep_context("gguf-1", 4096)
    book.keep_context("gguf-1", 8192)
    assert book.context("gguf-1") == 8192


def test_a_journal_of_the_first_version_keeps_its_contexts(tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(FIRST_VERSION)
    old.close()
    for _ in range(2):
        journal = Journal(file)
        assert (journal.loads.context("gguf-1"), journal.loads.context("gguf-2")) == (4096, None)
        assert journal.loads.seconds(FILE, is_cold=None) is None, "nobody knows how cold those loads were"
        journal.close()


def test_memory_is_remembered_by_engine_file_and_settings(book: LoadBook) -> None:
    settings = settings_key(LoadSettings(8192), LoadOptions(), 8192)
    book.keep_measured(FILE, settings, Measured(5 * GIB, 4 * GIB))
    book.keep_measured(FILE, settings, Measured(6 * GIB))
    assert book.measured(FILE, settings) == Measured(6 * GIB)
    assert book.measured(FILE, settings_key(LoadSettings(4096), LoadOptions(), 4096)) is None
    assert book.measured(replace(FILE, backend="ollama"), settings) is None
    assert book.measured(OTHER, settings) is None


def test_what_decides_about_memory_makes_other_settings() -> None:
    plain = settings_key(LoadSettings(8192), LoadOptions(), 8192)
    assert settings_key(LoadSettings(8192), LoadOptions(threads=3, keep="forever", mlock=True), 8192) == plain
    usual = LoadOptions(flash_attention=True, gpu_layers=-1, mmap=True)
    assert settings_key(LoadSettings(8192), usual, 8192) == plain, "so it is done anyway"
    others = {
        settings_key(LoadSettings(8192, sequences=2), LoadOptions(), 8192),
        settings_key(LoadSettings(8192, cache_type_k="q8_0"), LoadOptions(), 8192),
        settings_key(LoadSettings(8192), LoadOptions(gpu_layers=10), 8192),
        settings_key(None, LoadOptions(), 8192),
        settings_key(None, LoadOptions(batch=64), 8192),
    }
    assert len(others - {plain}) == 5


def test_times_are_those_of_loads_as_cold_as_this_one(book: LoadBook) -> None:
    for seconds in (9.0, 30.0, 10.0):
        book.keep_seconds(FILE, seconds, is_cold=True)
    book.keep_seconds(FILE, 1.0, is_cold=False)
    assert book.seconds(FILE, is_cold=True) == 10.0, "one slow load does not count for much"
    assert book.seconds(FILE, is_cold=False) == 1.0
    assert book.seconds(FILE, is_cold=None) == 9.5, "it could be either"


def test_old_times_are_forgotten(book: LoadBook) -> None:
    book.keep_seconds(FILE, 50.0, is_cold=False)
    for seconds in range(LAST):
        book.keep_seconds(FILE, float(seconds), is_cold=True)
        book.keep_seconds(OTHER, 99.0, is_cold=True)
    for _ in range(LAST):
        book.keep_seconds(FILE, 7.0, is_cold=True)
    assert book.seconds(FILE, is_cold=True) == 7.0
    assert book.seconds(FILE, is_cold=False) == 50.0, "loads of the other kind push nothing out"
    ((kept,),) = book._read("SELECT count(*) FROM load_times WHERE identity = ?", FILE.identity)
    assert kept == LAST + 1


def test_a_new_file_is_as_fast_as_the_one_nearest_in_size(book: LoadBook) -> None:
    new = File("llamacpp", "gguf-3", 6 * GIB)
    assert book.seconds(new, is_cold=True) is None
    book.keep_seconds(File("llamacpp", "tiny", GIB // 10), 1.0, is_cold=True)
    book.keep_seconds(OTHER, 4.0, is_cold=True)
    book.keep_seconds(File("ollama", "gguf-4", 6 * GIB), 60.0, is_cold=True)
    assert book.seconds(new, is_cold=True) == 3.0
    assert book.seconds(new, is_cold=False) is None, "cold loads tell nothing of warm ones"
    assert book.seconds(new, is_cold=None) is None


def test_a_dry_run_is_remembered_for_that_version_of_the_engine(book: LoadBook) -> None:
    need, settings = Need(4 * GIB, GIB, 5, state_bytes=7), settings_key(LoadSettings(8192), LoadOptions(), 8192)
    assert not book.is_known(FILE, "1.0")
    book.keep_dry_run(FILE, "1.0", settings, need)
    assert book.dry_run(FILE, "1.0", settings) == need
    assert (book.dry_run(FILE, "2.0", settings), book.dry_run(FILE, None, settings)) == (None, None)
    assert (book.is_known(FILE, "1.0"), book.is_known(FILE, "2.0"), book.is_known(OTHER, "1.0")) == (True, False, False)
    book.keep_dry_run(FILE, None, settings, "unknown model architecture: 'teapot'")
    assert book.dry_run(FILE, None, settings) == "unknown model architecture: 'teapot'"
    book.keep_seconds(OTHER, 1.0, is_cold=None)
    assert book.is_known(OTHER, "2.0"), "it was loaded"


def test_a_layout_of_a_newer_version_is_read_as_far_as_it_is_known(book: LoadBook) -> None:
    book.keep_dry_run(FILE, "1.0", "{}", Need(1, 2, 3))
    book._write("UPDATE dry_runs SET need = json_set(need, '$.later_bytes', 9)")
    assert book.dry_run(FILE, "1.0", "{}") == Need(1, 2, 3)
