from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama import ledger, watch
from fleetview_agent.backends.ollama.traffic import Observer
from fleetview_agent.wire import Served
from tests.agent.backends.ollama.runners import BLOB, FakeRunner, a_runner, a_slot

LIMIT_SECONDS = 8.0
NAMES = {BLOB: "smol:latest"}
THE_LOG = """slot launch_slot_: id  0 | task 7 | processing task, is_child = 0
slot   operator(): id  0 | task 7 | new prompt, n_ctx_slot = 2048, n_keep = 4, task.n_tokens = 1000
slot   operator(): id  0 | task 7 | cached n_tokens = 200, memory_seq_rm [200, end)
"""
ITS_END = """slot print_timing: id  0 | task 7 | prompt eval time =    4000.00 ms /   800 tokens ( 5.00 ms per token, 200.00 tokens per second)
slot print_timing: id  0 | task 7 |        eval time =    2000.00 ms /   100 tokens ( 20.00 ms per token, 50.00 tokens per second)
slot      release: id  0 | task 7 | stop processing: n_tokens = 1099, truncated = 0
[GIN] 2026/11/21 - 16:02:12 | 200 |  7.5s |    192.168.1.20 | POST     "/api/chat"
"""  # noqa: E501 - as long as they are written


class Scene:
    """An observer, the runner that it watches, and what it has told."""

    def __init__(self, runner: FakeRunner) -> None:
        self.runner = runner
        self.told: list[Served] = []
        self.observer = Observer("ollama", self.told.append)
        self.runners = (a_runner(runner.port),)
        self.log: Path | None = None

    async def look(self) -> None:
        await self.observer.observe(self.runners, NAMES, server_address="127.0.0.1:11434", log_file=self.log)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Go on looking until it is so."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not is_so():
                await self.look()
                await asyncio.sleep(0.01)

    async def polls(self, count: int) -> None:
        """Go on looking until the runner was polled so many times more, and has answered."""
        goal = self.runner.asked.count("/slots") + count
        await self.until(lambda: self.runner.asked.count("/slots") >= goal and not self.observer._polls)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for seconds to pass."""
    for part, name, seconds in (
        (watch, "INTERVAL_SECONDS", 0.05), (watch, "EARLY_SECONDS", 0.0), (watch, "STALE_SECONDS", 0.6),
        (ledger, "SETTLE_SECONDS", 0.1), (ledger, "LOG_SECONDS", 0.6),
    ):  # fmt: skip
        monkeypatch.setattr(part, name, seconds)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with FakeRunner({"/slots": [a_slot()]}).running() as runner:
        scene = Scene(runner)
        yield scene
        await scene.observer.close()


async def test_an_idle_model_generates_measured_nothing(scene: Scene) -> None:
    await scene.polls(1)
    (row,) = scene.observer.rows()
    assert (row.backend, row.model, row.in_flight, row.generation_tokens_per_second) == (
        "ollama",
        "smol:latest",
        0,
        0.0,
    )
    assert row.prompt_progress is None
    assert row.prompt_tokens_per_second is None


async def test_a_rate_is_there_after_the_second_poll(scene: Scene) -> None:
    scene.runner.answers["/slots"] = [a_slot(id_task=7, decoded=5)]
    await scene.polls(1)
    (row,) = scene.observer.rows()
    assert (row.in_flight, row.generation_tokens_per_second) == (1, None)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, decoded=15)]
    await scene.polls(1)
    (row,) = scene.observer.rows()
    assert row.generation_tokens_per_second is not None
    assert 10 < row.generation_tokens_per_second < 10 / 0.04
    assert scene.observer.idle_seconds("smol:latest") is None


async def test_an_ended_request_is_told_once_with_what_the_slots_knew(scene: Scene) -> None:
    told = {"id_task": 7, "n_prompt_tokens_processed": 10, "n_prompt_tokens_cache": 4}
    scene.runner.answers["/slots"] = [a_slot(**told, decoded=5)]
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, busy=0, n_prompt_tokens=43)]
    await scene.until(lambda: scene.told)
    await scene.polls(3)
    (served,) = scene.told
    assert (served.backend, served.model, served.author) == ("ollama", "smol:latest", None)
    assert (served.prompt_tokens, served.cached_tokens, served.completion_tokens) == (14, 4, 30)
    assert served.source == "the runner's /slots"
    assert 0 <= (scene.observer.idle_seconds("smol:latest") or -1) < LIMIT_SECONDS


async def test_counters_tell_of_a_request_that_no_poll_saw(scene: Scene) -> None:
    scene.runner.answers["/metrics"] = counters(prompt=100, cached=0, seconds=1.0, predicted=50, predicted_seconds=2.0)
    await scene.polls(1)
    scene.runner.answers["/metrics"] = counters(prompt=107, cached=3, seconds=1.5, predicted=53, predicted_seconds=2.1)
    scene.runner.answers["/slots"] = [a_slot(id_task=9, busy=0, n_prompt_tokens=12)]
    await scene.until(lambda: scene.told)
    (served,) = scene.told
    assert (served.prompt_tokens, served.cached_tokens, served.completion_tokens) == (10, 3, 3)
    assert served.tokens_per_second == pytest.approx(30.0)
    assert served.prompt_tokens_per_second == pytest.approx(14.0)
    assert scene.observer.time_to_first_token("smol:latest") == pytest.approx(0.5)
    assert served.source == "the runner's /metrics"


async def test_a_runner_without_counters_is_not_asked_for_them_again(scene: Scene) -> None:
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=9, busy=0, n_prompt_tokens=12)]
    await scene.until(lambda: scene.told)
    assert scene.runner.asked.count("/metrics") == 1


async def test_the_log_is_exact_and_wins(scene: Scene, tmp_path: Path) -> None:
    scene.log = tmp_path / "server.log"
    scene.log.write_text("what was before\n")
    await scene.polls(1)
    write(scene.log, THE_LOG)
    told = {"id_task": 7, "n_prompt_tokens_cache": 200}
    scene.runner.answers["/slots"] = [a_slot(**told, n_prompt_tokens_processed=50)]
    await scene.polls(2)
    (row,) = scene.observer.rows()
    assert row.prompt_progress == 0.25
    scene.runner.answers["/slots"] = [a_slot(**told, n_prompt_tokens_processed=800, decoded=40)]
    await scene.polls(1)
    write(scene.log, ITS_END)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, busy=0, n_prompt_tokens=1099)]
    await scene.until(lambda: scene.told)
    await scene.polls(3)
    (served,) = scene.told
    assert (served.prompt_tokens, served.cached_tokens, served.completion_tokens) == (1000, 200, 100)
    assert (served.prompt_tokens_per_second, served.tokens_per_second) == (200.0, 50.0)
    assert served.time_to_first_token_seconds == 5.5
    assert (served.author, served.inferred) == ("192.168.1.20", True)
    assert served.source == "the log of Ollama's server"


async def test_a_proven_log_tells_of_requests_that_no_poll_saw(scene: Scene, tmp_path: Path) -> None:
    await test_the_log_is_exact_and_wins(scene, tmp_path)
    assert scene.log is not None
    write(scene.log, (THE_LOG + ITS_END).replace("task 7", "task 8"))
    await scene.until(lambda: len(scene.told) > 1)
    assert scene.told[1].completion_tokens == 100


async def test_a_log_of_another_server_holds_nothing_up_for_long(scene: Scene, tmp_path: Path) -> None:
    scene.log = tmp_path / "server.log"
    scene.log.write_text("")
    await scene.polls(1)
    write(scene.log, (THE_LOG + ITS_END).replace("task 7", "task 99"))
    scene.runner.answers["/slots"] = [a_slot(id_task=7, n_prompt_tokens_processed=10, decoded=5)]
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, busy=0, n_prompt_tokens=39)]
    await scene.until(lambda: scene.told)
    await asyncio.sleep(0)
    assert [(served.completion_tokens, served.source) for served in scene.told] == [(30, "the runner's /slots")]


async def test_a_log_that_cannot_be_read_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.log = tmp_path / "nowhere" / "server.log"
    scene.runner.answers["/slots"] = [a_slot(id_task=7, n_prompt_tokens_processed=10, decoded=5)]
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, busy=0, n_prompt_tokens=39)]
    await scene.until(lambda: scene.told)
    assert scene.told[0].completion_tokens == 30


async def test_the_agents_own_answers_are_not_told(scene: Scene) -> None:
    await scene.polls(1)
    with scene.observer.answering("smol:latest") as answer:
        scene.runner.answers["/slots"] = [a_slot(id_task=7, n_prompt_tokens_processed=10, decoded=5)]
        await scene.polls(1)
        answer.ended(30)
    scene.runner.answers["/slots"] = [a_slot(id_task=7, busy=0, n_prompt_tokens=39)]
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=50, n_prompt_tokens_processed=3, decoded=5)]
    await scene.polls(1)
    scene.runner.answers["/slots"] = [a_slot(id_task=50, busy=0, n_prompt_tokens=12)]
    await scene.until(lambda: scene.told)
    assert [served.completion_tokens for served in scene.told] == [10]


async def test_a_busy_runner_is_not_waited_for_and_not_asked_twice(scene: Scene) -> None:
    await scene.polls(1)
    scene.runner.held.clear()
    asked = len(scene.runner.asked)
    await scene.until(lambda: len(scene.runner.asked) > asked)
    for _ in range(3):
        before = time.monotonic()
        await scene.look()
        assert time.monotonic() - before < 0.5
    assert len(scene.runner.asked) == asked + 1
    await scene.until(lambda: scene.observer.rows() == ())
    scene.runner.answers["/slots"] = [a_slot(id_task=7, decoded=5)]
    scene.runner.held.set()
    await scene.until(scene.observer.rows)
    assert scene.observer.rows()[0].in_flight == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"{}", b"[1]", b'[{"id": 1e999}]', b"\xff\xfe", b"[" * 100_000, None],
    ids=["nothing", "half", "object", "number", "endless", "no text", "deep", "not there"],
)
async def test_nonsense_is_no_row_and_no_trouble(scene: Scene, answer: bytes | None) -> None:
    scene.runner.answers["/slots"] = answer
    await scene.until(lambda: "/slots" in scene.runner.asked and not scene.observer._polls)
    assert scene.observer.rows() == ()


async def test_a_runner_that_is_gone_has_no_row(scene: Scene) -> None:
    await scene.polls(1)
    assert scene.observer.rows()
    scene.runners = ()
    await scene.look()
    assert scene.observer.rows() == ()
    assert scene.observer.idle_seconds("smol:latest") is None
    assert scene.observer.time_to_first_token("smol:latest") is None


async def test_a_port_where_nobody_listens_any_more_has_no_row() -> None:
    async with FakeRunner({"/slots": [a_slot()]}).running() as runner:
        scene = Scene(runner)
        await scene.polls(1)
    await scene.until(lambda: scene.observer.rows() == ())
    await scene.observer.close()


async def test_a_new_process_on_an_old_port_is_looked_at_anew(scene: Scene) -> None:
    scene.runner.answers["/slots"] = [a_slot(id_task=7, decoded=5)]
    await scene.polls(1)
    scene.runners = (replace(scene.runners[0], created_at=time.time() + 1),)
    scene.runner.answers["/slots"] = [a_slot()]
    await scene.polls(1)
    assert scene.observer.rows()[0].in_flight == 0
    assert scene.told == []


async def test_orphans_and_runners_without_a_port_are_not_asked(scene: Scene) -> None:
    scene.runners = (replace(scene.runners[0], orphaned=True), replace(scene.runners[0], port=None))
    await scene.look()
    assert scene.runner.asked == []


def counters(*, prompt: int, cached: int, seconds: float, predicted: int, predicted_seconds: float) -> bytes:
    return (
        f"llamacpp:prompt_tokens_total {prompt}\nllamacpp:prompt_tokens_cached_total {cached}\n"
        f"llamacpp:prompt_seconds_total {seconds}\nllamacpp:tokens_predicted_total {predicted}\n"
        f"llamacpp:tokens_predicted_seconds_total {predicted_seconds}\nllamacpp:requests_deferred 0\n"
    ).encode()


def write(path: Path, text: str) -> None:
    """More lines, as a running server writes them."""
    with path.open("a") as file:
        file.write(text)
