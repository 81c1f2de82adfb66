"""A store of chats in a file, whose clock goes on by a minute each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleetview.chats.store import ChatStore
from tests.tui.chats.said import ticking


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "chats.db"


@pytest.fixture
def store(file: Path) -> Iterator[ChatStore]:
    ticks = ticking()
    with closing(ChatStore(file, lambda: next(ticks))) as store:
        yield store
