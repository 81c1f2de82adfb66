"""The server's list beside the processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.answers import Loaded
from fleetview_agent.backends.ollama.environment import Settings
from fleetview_agent.backends.ollama.looks import Sight
from fleetview_agent.backends.ollama.processes import Processes, Runner
from fleetview_agent.backends.ollama.residents import orphan_rows, paired

ONE, TWO = "sha256-" + "1" * 64, "sha256-" + "2" * 64
NAMES = {ONE: ("one:latest", "twin:latest"), TWO: ("two:latest",)}


def a_runner(blob: str = ONE, *, pid: int = 7, context: int = 4096, created_at: float = 1.0) -> Runner:
    return Runner(pid, 1, created_at, f"/srv/models/blobs/{blob}", 9000 + pid, context, 1, 5, orphaned=False)


def a_sight(*runners: Runner, orphans: tuple[Runner, ...] = ()) -> Sight:
    return Sight(Processes((), runners), None, runners, orphans, Path("/srv/models"), Settings())


def loaded(name: str, context: int = 4096) -> Loaded:
    return Loaded(name=name, context=context)


def pids(seen: tuple[Loaded, ...], *runners: Runner) -> list[int | None]:
    return [place.pid for place in paired(seen, a_sight(*runners), NAMES).places]


def test_each_model_is_found_with_its_process() -> None:
    assert pids((loaded("two:latest"), loaded("one:latest")), a_runner(), a_runner(TWO, pid=8)) == [8, 7]


def test_another_name_of_the_same_file_is_found_too() -> None:
    assert pids((loaded("twin:latest"),), a_runner()) == [7]


def test_while_a_model_is_reloaded_the_process_with_its_context_counts_else_the_younger_one() -> None:
    old, young = a_runner(pid=7), a_runner(pid=8, context=8192, created_at=2.0)
    assert pids((loaded("one:latest", 4096),), old, young) == [7]
    assert pids((loaded("one:latest", 8192),), old, young) == [8]
    assert pids((loaded("one:latest", 512),), old, young) == [8]


def test_where_manifests_cannot_be_read_the_only_choice_is_taken() -> None:
    stranger = a_runner("sha256-" + "3" * 64)
    assert pids((loaded("mine:latest"),), stranger) == [7]
    assert pids((loaded("mine:latest"), loaded("yours:latest")), stranger) == [None, None]


def test_before_there_were_runners_the_list_stands_alone() -> None:
    assert pids((loaded("one:latest"),)) == [None]


def test_a_process_that_the_list_does_not_name_is_left_over() -> None:
    seen = paired((loaded("two:latest"),), a_sight(a_runner(), a_runner(TWO, pid=8)), NAMES)
    assert [runner.pid for runner in seen.further] == [7]


def test_a_model_is_found_however_its_name_is_written() -> None:
    seen = paired((loaded("two:latest"),), a_sight(a_runner(TWO)), NAMES)
    assert seen.find("Two") is seen.places[0]
    assert seen.find("three") is None


@pytest.mark.parametrize(
    ("blob", "name"),
    [
        pytest.param(TWO, "two:latest#7", id="known"),
        pytest.param("sha256-" + "ab" * 32, "abababababab#7", id="unknown"),
    ],
)
def test_an_orphan_is_named_for_its_model_and_its_process(blob: str, name: str) -> None:
    orphan = replace(a_runner(blob), orphaned=True)
    (row,) = orphan_rows(a_sight(orphans=(orphan,)), NAMES)
    assert (row.name, row.phase, row.memory_bytes, row.pid) == (name, "orphaned", 5, 7)
    assert row.remark is not None
    assert "unloading it ends the process" in row.remark
