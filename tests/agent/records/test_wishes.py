"""What should run, and which models are pinned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes, lapsed
from fleetview_agent.wire import LoadOptions
from tests.builders import a_backend_state, a_resident

OPTIONS = LoadOptions(context=2048, keep="forever")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


def test_wishes_outlive_the_agent(journal: Journal) -> None:
    wishes = Wishes(journal)
    wishes.came("ollama/a", OPTIONS)
    wishes.came("ollama/b", LoadOptions())
    wishes.pin("ollama/a")
    wishes.pin("ollama/b")
    wishes.left(["ollama/b"])
    again = Wishes(journal)
    assert again.running("ollama") == {"a": OPTIONS}
    assert again.options("ollama/a") == OPTIONS
    assert again.options("ollama/b") is None
    assert again.pins == {"ollama/a"}


def test_the_model_that_was_loaded_longest_ago_comes_first_also_after_a_restart(journal: Journal) -> None:
    wishes = Wishes(journal)
    for name in ("a", "b", "a"):
        wishes.came(f"ollama/{name}", OPTIONS)
    assert list(wishes.running("ollama")) == list(Wishes(journal).running("ollama")) == ["b", "a"]


def test_what_ended_together_ran_last_together(journal: Journal) -> None:
    wishes = Wishes(journal)
    for name in ("a", "b", "c"):
        wishes.came(f"ollama/{name}", OPTIONS)
    wishes.left(["ollama/a"])
    assert list(wishes.last_ran("ollama")) == ["b", "c"]
    wishes.pin("ollama/b")
    wishes.stopped(["ollama/b", "ollama/c"])
    assert list(wishes.last_ran("ollama")) == ["b", "c"]
    assert wishes.running("ollama") == {}
    assert wishes.pins == {"ollama/b"}
    assert wishes.last_ran("llamacpp") == {}


def test_options_change_only_for_what_should_run(journal: Journal) -> None:
    wishes = Wishes(journal)
    wishes.changed("ollama/a", OPTIONS)
    assert wishes.running("ollama") == {}
    wishes.came("ollama/a", LoadOptions())
    wishes.changed("ollama/a", OPTIONS)
    assert wishes.options("ollama/a") == OPTIONS


def test_options_that_only_a_newer_agent_understands_are_left_to_the_agent(journal: Journal) -> None:
    journal._database.execute("INSERT INTO wanted VALUES ('ollama/a', '{\"keep\": \"until full moon\"}', NULL)")
    assert Wishes(journal).running("ollama") == {"a": LoadOptions()}


@pytest.mark.parametrize(
    ("expires", "phase_after", "expected"),
    [(3.0, "ready", ("ollama/a",)), (300.0, "ready", ()), (None, "ready", ()), (3.0, "stopped", ())],
)
def test_a_model_has_lapsed_when_it_is_gone_and_its_time_was_over(
    expires: float | None, phase_after: str, expected: tuple[str, ...]
) -> None:
    former = a_backend_state("ollama", resident=(a_resident("a", expires_in_seconds=expires),))
    now = a_backend_state("ollama", resident=(), phase=phase_after)
    assert lapsed(former, now, 5.0) == expected
    assert lapsed(former, former, 5.0) == ()
