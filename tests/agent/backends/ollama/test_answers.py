from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview_agent.backends.ollama import answers
from fleetview_agent.backends.ollama.chat import Answering
from fleetview_agent.backends.ollama.names import canonical
from fleetview_agent.backends.ollama.refusals import failure, refusal
from fleetview_agent.backends.ollama.transfers import Pulling
from fleetview_agent.errors import AgentError
from tests.agent.backends.ollama.scripted import recorded

FIELDS = (
    *("models", "name", "size", "size_vram", "digest", "details", "expires_at", "context_length", "version"),
    *("parameters", "model_info", "capabilities", "message", "content", "tool_calls", "function", "arguments", "done"),
    *("done_reason", "eval_count", "eval_duration", "prompt_eval_count", "prompt_eval_cached_count", "status", "total"),
    *("completed", "error", "general.architecture", "quantization_level", "remote_host"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=12,
)


def test_the_models_on_the_disk_are_listed() -> None:
    newest, older = answers.tags(json.loads(recorded("tags.json")))
    assert (newest.name, newest.size_bytes, newest.quantization) == ("smol2k:latest", 98362760, "Q4_1")
    assert (older.family, older.parameter_size, older.context_length) == ("llama", "134.52M", 8192)
    assert older.digest.startswith("fd5f44c0b5af")
    assert older.capabilities == ("completion",)
    assert not older.remote


def test_what_an_older_server_does_not_tell_is_unknown() -> None:
    (listed,) = answers.tags({"models": [{"name": "m:latest", "size": 7, "details": {"family": ""}}]})
    assert (listed.family, listed.capabilities, listed.context_length) == (None, None, None)
    (loaded,) = answers.residents({"models": [{"name": "m:latest", "expires_at": "0001-01-01T00:00:00Z"}]})
    assert (loaded.context, loaded.expires_at, loaded.forever) == (None, None, False)


def test_an_empty_list_may_be_null() -> None:
    assert answers.tags({"models": None}) == ()
    assert answers.residents({"models": None}) == ()


def test_a_resident_model_has_its_expiry_in_seconds() -> None:
    (loaded,) = answers.residents(json.loads(recorded("ps.json")))
    assert (loaded.name, loaded.context, loaded.gpu_bytes) == ("smollm2:latest", 4096, 0)
    assert loaded.size_bytes > 98362745  # more than the weights
    assert loaded.expires_at is not None
    assert not loaded.forever


def test_a_pinned_model_is_there_for_ever() -> None:
    (loaded,) = answers.residents(json.loads(recorded("ps_pinned.json")))
    assert loaded.forever


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2026-11-21T16:07:37.729100163Z", 1795277257.7291),
        ("2026-11-21T17:07:37.729100163+01:00", 1795277257.7291),
        ("2026-11-21T16:07:37Z", 1795277257.0),
        ("1970-01-01T00:00:00Z", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_times_are_read_with_their_zones(written: str, seconds: float | None) -> None:
    (loaded,) = answers.residents({"models": [{"name": "m", "expires_at": written}]})
    assert loaded.expires_at == (None if seconds is None else pytest.approx(seconds, abs=1e-5))


def test_a_model_is_shown_with_its_parameters() -> None:
    shown = answers.shown(json.loads(recorded("show.json")))
    assert (shown.architecture, shown.context_length, shown.default_context) == ("llama", 8192, 2048)
    assert shown.parameters["stop"] == "<|im_end|>"
    assert shown.template is not None
    assert shown.capabilities == ("completion",)


def test_a_model_without_a_context_of_its_own_has_none() -> None:
    assert answers.shown({"parameters": 'stop "<s>"', "model_info": None}).default_context is None


@pytest.mark.parametrize("models", [[{}], [{"name": 3}], [{"name": "m", "size": -1}], "none", [None]])
def test_nonsense_names_what_cannot_be_understood(models: Any) -> None:
    with pytest.raises(AgentError, match="cannot be understood: models"):
        answers.tags({"models": models})


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("SmolLM2", "smollm2:latest"),
        ("smollm2:135m", "smollm2:135m"),
        ("library/smollm2", "smollm2:latest"),
        ("registry.ollama.ai/library/smollm2:latest", "smollm2:latest"),
        ("hf.co/Ada/Repo-GGUF:Q4_K_M", "hf.co/ada/repo-gguf:q4_k_m"),
        ("host:5000/ada/model", "host:5000/ada/model:latest"),
    ],
)
def test_a_name_has_one_way_of_being_written(written: str, name: str) -> None:
    assert canonical(written) == name


@given(JSON)
def test_no_json_whatsoever_is_more_than_an_error_in_words(value: Any) -> None:
    def chunks(line: Any) -> object:
        return list(Answering().chunks(line))

    for decode in (answers.version, answers.tags, answers.residents, answers.shown, chunks, Pulling().receive):
        try:
            decode(value)
        except AgentError as problem:
            assert problem.message  # noqa: PT017 - either outcome is right, a third is not


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps({"error": value}).encode()), st.integers(300, 599))
def test_no_failure_whatsoever_is_more_than_an_error_in_words(body: bytes, status: int) -> None:
    assert refusal(status, body, "/x", "127.0.0.1:11434").message
    assert failure(body.decode(errors="replace")).message


def test_a_listed_model_shows_its_architecture_through_shown_properties() -> None:
    shown = answers.shown({"model_info": {"general.architecture": "gemma3", "gemma3.context_length": 32768}})
    assert (shown.architecture, shown.context_length) == ("gemma3", 32768)
