"""Plans that learn: from the engine that is asked, and from loads that were done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.copying.incoming import Incoming
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.planning import forecaster
from fleetview_agent.planning.planner import Planner
from fleetview_agent.records.journal import Journal
from fleetview_agent.records.wishes import Wishes
from fleetview_agent.wire import LoadOptions, LoadRequest, Plan, ResidentModel, Snapshot, SwapRequest
from tests.builders import (
    GIB,
    a_backend_state,
    a_load_request,
    a_model_file,
    a_resident,
    a_sample,
    a_snapshot,
    a_swap_request,
)
from tests.forecasts import a_header, a_plan_for

WORDS = "new.gguf cannot be loaded: unknown model architecture: 'teapot'"
OLD = a_resident("old", memory_bytes=10 * GIB)


class Engine:
    """Knows how it would load, and lays out what it is asked to."""

    name = "llamacpp"

    def __init__(self) -> None:
        self.weights_gib: float | None = 4.0
        self.outcome: Need | Exception = Need(4 * GIB, GIB, GIB)
        self.asked: list[tuple[str, int | None]] = []
        """Models and contexts."""
        self.hangs = False

    async def header(self, _model: str) -> Header | None:
        return None if self.weights_gib is None else a_header(self.weights_gib)

    async def settings(self, _model: str, _options: LoadOptions, context: int) -> LoadSettings | None:
        return LoadSettings(context)

    async def dry_run(self, model: str, options: LoadOptions) -> Need:
        self.asked.append((model, options.context))
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Node:
    """A node with that engine, of which everything can be said."""

    def __init__(self, journal: Journal) -> None:
        self.engine = Engine()
        self.file = a_model_file("new", path=None)
        self.resident: tuple[ResidentModel, ...] = (OLD,)
        self.used_gib = 100
        self.version = "1.0"
        self.planner = Planner(
            {"llamacpp": self.engine},  # as much of a backend as plans need
            journal,
            Wishes(journal),
            self.look,
            Incoming(journal.folder / "incoming"),
        )

    async def look(self) -> Snapshot:
        models = (self.file, a_model_file("old"), a_model_file("second", path=None))
        sample = a_sample(gpu_memory_used_bytes=self.used_gib * GIB, gpu_memory_limit_bytes=110 * GIB, traffic=())
        state = a_backend_state(models=models, resident=self.resident, version=self.version, load_options=("batch",))
        return a_snapshot(backends=(state,), samples=(sample,))

    async def preview(self, request: LoadRequest | SwapRequest | None = None) -> Plan:
        return await self.planner.plan(request or a_load_request("new"))

    async def operation(self, request: LoadRequest | SwapRequest | None = None) -> Plan:
        return await self.planner.plan(request or a_swap_request("new"), "op-1")

    async def loads(self, request: LoadRequest | SwapRequest, context: int, seconds: float, **row: Any) -> None:
        """As if it had been loaded so."""
        await self.operation(request)
        self.resident = (a_resident("new", context=context, **row),)
        await self.planner.remember(request, context, seconds)
        self.resident = (OLD,)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield Node(journal)
    journal.close()


async def test_a_clear_preview_asks_no_engine(node: Node) -> None:
    plan = await node.preview()
    assert (plan.verdict, plan.confidence, node.engine.asked) == ("fits", "computed", [])
    node.used_gib = 109
    plan = await node.preview()
    assert (plan.verdict, node.engine.asked) == ("does_not_fit", [])


async def test_an_engine_is_asked_once_where_the_formulas_know_nothing(node: Node) -> None:
    node.engine.weights_gib = None
    for _ in range(2):
        plan = await node.preview()
        assert (plan.need_bytes, plan.confidence) == (Need(4 * GIB, GIB, GIB).total_bytes, "computed")
    assert node.engine.asked == [("new", 8192)]
    await node.preview(a_load_request("new", options=LoadOptions(context=4096)))
    node.version = "2.0"
    await node.preview()
    assert len(node.engine.asked) == 3, "other settings, and another engine"


async def test_an_engine_is_asked_where_it_is_a_close_call(node: Node) -> None:
    node.engine.weights_gib = 8.0
    assert a_plan_for(a_load_request("new"), await node.look(), a_header(8.0)).verdict == "does_not_fit"
    node.engine.outcome = Need(6 * GIB, GIB, GIB // 2)
    plan = await node.preview()
    assert len(node.engine.asked) == 1
    assert (plan.need_bytes, plan.refusal) == (Need(6 * GIB, GIB, GIB // 2).total_bytes, None)


async def test_a_file_that_is_new_here_is_laid_out_before_anybody_leaves_for_it(node: Node) -> None:
    await node.preview(a_swap_request("new"))
    assert node.engine.asked == []
    node.engine.outcome = Unusable(WORDS)
    plan = await node.operation()
    assert (plan.refusal, plan.evictions) == (WORDS, ("llamacpp/old",))
    assert (await node.operation(a_swap_request("new", force=True))).refusal == WORDS
    assert (await node.preview(a_swap_request("new"))).refusal == WORDS
    assert len(node.engine.asked) == 1, "once is enough"


async def test_nobody_is_asked_about_a_file_that_is_known_here_or_makes_nobody_leave(node: Node) -> None:
    await node.operation(a_load_request("new"))
    assert node.engine.asked == []
    await node.loads(a_load_request("new"), 8192, 1.0)
    await node.operation()
    assert node.engine.asked == []


async def test_nobody_is_asked_about_what_is_refused_anyway(node: Node) -> None:
    node.file = a_model_file("new", refusal="new.gguf is truncated")
    assert (await node.operation()).refusal == "new.gguf is truncated"
    node.file = a_model_file("new")
    assert (await node.operation(a_swap_request("new", options=LoadOptions(threads=2)))).refusal is not None
    assert node.engine.asked == []


async def test_options_that_make_no_sense_are_refused_before_anybody_leaves(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refusing(*_: object) -> LoadSettings:
        raise Unusable("the chat template is damaged: line 3")

    monkeypatch.setattr(node.engine, "settings", refusing)
    plan = await node.planner.plan(a_swap_request("new"))
    assert plan.refusal == "the chat template is damaged: line 3"
    assert node.engine.asked == []


async def test_a_dry_run_that_comes_to_nothing_leaves_the_formula(node: Node) -> None:
    node.engine.outcome = BackendFailed("the dry run was killed")
    plan = await node.operation()
    assert (plan.refusal, plan.confidence) == (None, "computed")
    node.engine.weights_gib = None
    for _ in range(2):
        assert (await node.preview()).verdict == "unknown"
    assert len(node.engine.asked) == 1, "who only looks does not ask again what came to nothing"


async def test_an_engine_that_does_not_answer_is_not_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecaster, "PREVIEW_SECONDS", 0.01)
    node.engine.weights_gib, node.engine.hangs = None, True
    async with asyncio.timeout(5):
        assert (await node.preview()).verdict == "unknown"


async def test_two_who_look_at_once_ask_once(node: Node) -> None:
    node.engine.weights_gib = None
    plans = await asyncio.gather(node.preview(), node.preview())
    assert len({plan.need_bytes for plan in plans}) == 1
    assert len(node.engine.asked) == 1


async def test_the_next_plan_says_what_was_measured(node: Node) -> None:
    node.engine.weights_gib = 8.0  # too much, by the formula
    await node.loads(a_load_request("new", force=True), 8192, 2.5, memory_bytes=7 * GIB)
    asked = len(node.engine.asked)
    plan = await node.preview()
    process = Need(0, 0, 0).total_bytes
    assert (plan.need_bytes, plan.confidence) == (7 * GIB + process, "measured")
    assert (plan.verdict, plan.refusal, plan.expected_seconds) == ("fits", None, 2.5)
    assert len(node.engine.asked) == asked, "who has measured need not ask"
    other = await node.preview(a_load_request("new", options=LoadOptions(context=4096)))
    assert other.confidence == "computed"


async def test_what_an_engine_loaded_otherwise_is_not_taken_for_a_measurement(node: Node) -> None:
    await node.loads(a_load_request("new"), 8192, 1.0, memory_bytes=None)
    assert (await node.preview()).confidence == "computed"
    node.resident = (a_resident("new", context=8192),)
    await node.planner.remember(a_load_request("new"), 4096, 1.0)
    node.resident = (OLD,)
    plan = await node.preview()
    assert (plan.context, plan.confidence) == (4096, "computed")


async def test_the_context_is_the_wanted_one_else_the_last_one_else_the_default(node: Node) -> None:
    assert (await node.preview()).context == 8192
    await node.loads(a_load_request("new", options=LoadOptions(context=2048)), 2048, 1.0)
    assert (await node.preview()).context == 2048
    assert (await node.preview(a_load_request("new", options=LoadOptions(context=1024)))).context == 1024


async def test_cold_and_warm_loads_are_told_apart(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node.file = a_model_file("new", path=str(tmp_path / "new.gguf"))
    share = 0.0
    monkeypatch.setattr(forecaster, "cached_share", lambda _path: share)
    plan = await node.preview()
    assert (plan.expected_seconds, plan.expected_cold) == (None, None)
    await node.loads(a_load_request("new"), 8192, 9.0)
    plan = await node.preview()
    assert (plan.expected_seconds, plan.expected_cold) == (9.0, True)
    share = 1.0
    assert (await node.preview()).expected_seconds is None, "nothing is known of a warm one"
    await node.loads(a_load_request("new"), 8192, 1.0)
    plan = await node.preview()
    assert (plan.expected_seconds, plan.expected_cold) == (1.0, False)


async def test_a_load_is_as_cold_as_it_was_when_it_began(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.file = a_model_file("new", path=str(tmp_path / "new.gguf"))
    share = 0.0
    monkeypatch.setattr(forecaster, "cached_share", lambda _path: share)
    await node.operation(a_load_request("new"))
    share = 1.0  # loading has read it, and somebody looks meanwhile
    await node.preview()
    await node.planner.remember(a_load_request("new"), 8192, 9.0)
    assert (await node.preview()).expected_seconds is None
    share = 0.0
    assert (await node.preview()).expected_seconds == 9.0


async def test_all_models_of_a_swap_are_foreseen(node: Node) -> None:
    request = a_swap_request("new", beside=(a_load_request("second"),))
    plan = await node.preview(request)
    assert plan.need_bytes == 2 * ((await node.preview()).need_bytes or 0)
    node.engine.outcome = Unusable(WORDS)
    assert (await node.operation(request)).refusal == WORDS
    assert len(node.engine.asked) == 2
    with pytest.raises(BadRequest, match="llamacpp/new cannot be loaded twice"):
        await node.preview(a_swap_request("new", beside=(a_load_request("new"),)))


async def test_of_several_models_only_those_are_asked_about_that_were_never_measured(node: Node) -> None:
    await node.loads(a_load_request("new"), 8192, 1.0, memory_bytes=4 * GIB)
    node.engine.weights_gib = None
    await node.preview(a_swap_request("new", beside=(a_load_request("second"),)))
    assert node.engine.asked == [("second", 8192)]


async def test_names_that_are_not_there_come_with_the_nearest_one(node: Node) -> None:
    with pytest.raises(NotFound) as model:
        await node.preview(a_load_request("olde"))
    assert model.value.hint == "did you mean old?"
    with pytest.raises(NotFound) as backend:
        await node.preview(a_load_request("new", backend="llamacp"))
    assert backend.value.hint == "did you mean llamacpp?"


async def test_a_time_to_stay_needs_an_engine_that_knows_times(node: Node) -> None:
    refusal = (await node.preview(a_load_request("new", options=LoadOptions(keep=60.0)))).refusal
    assert refusal is not None
    assert "knows no time to keep it for" in refusal
