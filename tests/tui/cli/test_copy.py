"""`fleetview copy`: to several nodes at once, each with an end of its own, and no faster than it may."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fleetview.cli import copy
from fleetview.config import FleetConfig, read_config
from fleetview.copying.throttle import Throttle
from fleetview.remote.logins import Logins
from fleetview.words.exits import CommandError, Exit
from fleetview.words.parser import parse
from tests.agent.shelf import Shelf
from tests.openssh import a_short_folder
from tests.tui.remote.scripted import a_real_agent

MODEL = "sim-small"
CONTENT = {"weights": os.urandom(3 << 20), "template": b"small"}
NAMES = ("here", "b", "c")


class Fleet:
    """Three nodes with a shelf each; the first has the model."""

    def __init__(self, config: FleetConfig, shelves: dict[str, Shelf]) -> None:
        self.config = config
        self.shelves = shelves

    async def run(self, *words: str) -> int:
        """Carry out a command line."""
        return await copy.run(parse(("copy", *words)), self.config, Logins())


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    with a_short_folder() as folder:
        file, shelves = folder / "fleet.toml", {}
        async with AsyncExitStack() as stack:
            for name in NAMES:
                (folder / name).mkdir()
                agent = await stack.enter_async_context(a_real_agent(folder / name / "agent.sock"))
                agent.backends["simulated"] = shelves[name] = Shelf(folder / name / "shelf")
            file.write_text(
                "".join(
                    f'[[node]]\nname = "{name}"\nlocal = true\nsocket = "{folder}/{name}/agent.sock"\n'
                    for name in NAMES
                )
            )
            shelves["here"].put(MODEL, **CONTENT)
            yield Fleet(read_config(file), shelves)


async def test_a_model_goes_to_several_nodes_and_one_that_refuses_leaves_the_others_alone(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.shelves["c"].put(MODEL, weights=b"other")
    assert await fleet.run("here", MODEL, "b", "c") == Exit.REFUSED
    told = capsys.readouterr()
    assert told.out.startswith("simulated/sim-small has come to b after ")
    assert "copy of simulated/sim-small to c was refused: another simulated/sim-small is there already" in told.err
    assert fleet.shelves["b"].content(MODEL) == CONTENT
    assert fleet.shelves["c"].content(MODEL) == {"weights": b"other"}
    assert await fleet.run("here", MODEL, "c", "--json") == Exit.REFUSED
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["node"], row["operation"]["refused"], row["error"]) == ("c", True, None)


async def test_what_would_be_done_is_shown_and_not_done(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert await fleet.run("here", MODEL, "b", "c", "--dry-run") == Exit.DONE
    assert "copy  simulated/sim-small on b" in capsys.readouterr().out
    assert not any((fleet.shelves[name].folder / MODEL).exists() for name in ("b", "c"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("here sim-small b here", "here is where the model comes from, so it cannot go there too"),
        ("here sim-small b --no-wait", "leave --no-wait out"),
        ("here sim-small b --limit 50", "50 is no speed; say 500K, 50M or 1G, in bytes per second"),
        ("here sim-small b --limit 0M", "0M is no speed"),
        ("here sim-smal b", "did you mean simulated/sim-small?"),
        ("here sim-small d", "there is no node d in the fleet"),
    ],
)
async def test_what_makes_no_sense_is_told_before_anything_goes(fleet: Fleet, words: str, told: str) -> None:
    with pytest.raises(CommandError, match=told.replace("?", r"\?")) as refused:
        await fleet.run(*words.split())
    assert refused.value.status == Exit.USAGE


async def test_all_that_share_a_limit_are_together_no_faster_than_it() -> None:
    throttle, began = Throttle(1 << 20), time.monotonic()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(1 << 16)

    async def passed() -> int:
        return sum([len(piece) async for piece in throttle.through(pieces())])

    assert await asyncio.gather(passed(), passed()) == [1 << 18, 1 << 18]
    took = time.monotonic() - began
    assert took >= 0.5 - (1 << 16) / (1 << 20)  # the last piece need not wait for its own time


async def test_what_is_limited_arrives_all_the_same(fleet: Fleet, tmp_path: Path) -> None:
    began = time.monotonic()
    assert await fleet.run("here", MODEL, "b", "--limit", "6M") == Exit.DONE
    assert time.monotonic() - began > 0.4
    assert fleet.shelves["b"].content(MODEL) == CONTENT
