"""How Ollama would load a model, from what its server was told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.answers import Listed, Shown
from fleetview_agent.backends.ollama.environment import Settings, settings
from fleetview_agent.backends.ollama.inventory import Entry
from fleetview_agent.backends.ollama.load_settings import UNSET_PROMPT_CACHE_BYTES, load_settings
from fleetview_agent.needs import LoadSettings
from fleetview_agent.ollama_store import StoredModel

TOLD = Settings(parallel=4)


def an_entry(family: str = "llama", *, projector: Path | None = None, is_gguf: bool = True, **shown: object) -> Entry:
    stored = StoredModel("tiny:latest", Path("blob"), 400, "sha256:0", projector, is_gguf, 0.0)
    listed = Listed.model_validate(
        {"name": "tiny:latest", "details": {"family": family, "context_length": 131_072}, "remote_host": None}
    )
    return Entry(listed, stored, shown=Shown.model_validate(shown))


def test_what_the_server_was_told_decides() -> None:
    told = settings(
        {
            "OLLAMA_NUM_PARALLEL": "2",
            "OLLAMA_FLASH_ATTENTION": "false",
            "OLLAMA_KV_CACHE_TYPE": "Q8_0",
            "LLAMA_ARG_CACHE_RAM": "256",
        }
    )
    assert load_settings(an_entry(), told, 2000) == LoadSettings(
        context=2000,
        sequences=2,
        batch=512,
        flash_attention=False,
        cache_type_k="q8_0",
        cache_type_v="q8_0",
        outputs=2,
        prompt_cache_bytes=256 << 20,
    )


@pytest.mark.parametrize("limit", ["", "-1", "much"])
def test_a_server_that_was_told_nothing_does_what_is_usual(limit: str) -> None:
    usual = LoadSettings(4096, prompt_cache_bytes=UNSET_PROMPT_CACHE_BYTES)
    assert load_settings(an_entry(), settings({"LLAMA_ARG_CACHE_RAM": limit}), 4096) == usual


@pytest.mark.parametrize(
    ("context", "parallel", "batch"), [(4096, 1, 512), (4097, 1, 1024), (2048, 4, 1024), (32_769, 1, 2048)]
)
def test_a_longer_context_is_read_in_larger_batches(context: int, parallel: int, batch: int) -> None:
    found = load_settings(an_entry(), Settings(parallel=parallel), context)
    assert found is not None
    assert found.batch == batch


def test_the_batch_that_the_model_names_is_taken() -> None:
    found = load_settings(an_entry(parameters="num_batch 64"), TOLD, 8192)
    assert found is not None
    assert found.batch == 64


@pytest.mark.parametrize(("family", "sequences"), [("llama", 4), ("qwen35", 1), ("nemotron_h_moe", 1)])
def test_some_families_answer_one_request_at_a_time(family: str, sequences: int) -> None:
    found = load_settings(an_entry(family), TOLD, 8192)
    assert found is not None
    assert found.sequences == sequences


def test_a_model_that_sees_needs_its_second_file_and_a_longer_context(tmp_path: Path) -> None:
    projector = tmp_path / "projector"
    projector.write_bytes(b"x" * 1000)
    found = load_settings(an_entry(projector=projector), Settings(), 512)
    assert found is not None
    assert (found.projector_bytes, found.context) == (1000, 2048)


def test_no_model_gets_more_context_than_it_was_trained_for() -> None:
    found = load_settings(an_entry(), Settings(), 1 << 20)
    assert found is not None
    assert found.context == 131_072


def test_an_embedding_model_keeps_no_old_prompts_and_reads_all_at_once() -> None:
    found = load_settings(an_entry(capabilities=["embedding"]), TOLD, 8192)
    assert found is not None
    assert (found.sequences, found.batch, found.outputs, found.prompt_cache_bytes) == (1, 2048, 2048, 0)


def test_what_runs_elsewhere_or_is_no_gguf_file_is_not_known() -> None:
    remote = replace(an_entry(), listed=Listed.model_validate({"name": "big", "remote_host": "https://ollama.com"}))
    assert load_settings(remote, Settings(), 8192) is None
    assert load_settings(an_entry(is_gguf=False), Settings(), 8192) is None
