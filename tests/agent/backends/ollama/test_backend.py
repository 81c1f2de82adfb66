"""The backend over a server that answers as it is told, and over processes that are made up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.backends import Keeping, Notices, Observing, Storing, Supervised
from fleetview_agent.backends.ollama import OllamaBackend, loads, looks
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.processes import Processes
from fleetview_agent.backends.ollama.supervise import supervisor
from fleetview_agent.config import OllamaConfig
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, NotResident, Unusable
from fleetview_agent.wire import ChatMessage, ChatRequest, LoadOptions
from tests.agent.backends.ollama.manifests import put_model
from tests.agent.backends.ollama.scripted import Reply
from tests.agent.backends.ollama.stage import Stage, a_loaded, a_stage
from tests.gguf_files import write_tiny, write_truncated

NOBODY = "127.0.0.1:1"


def a_request() -> ChatRequest:
    return ChatRequest(model="any", messages=(ChatMessage(role="user", content="hello"),))


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async with a_stage(tmp_path, monkeypatch) as made:
        yield made


async def test_it_can_do_all_that_a_backend_may_be_able_to_do(stage: Stage) -> None:
    for ability in (Supervised, Observing, Keeping, Storing):
        assert isinstance(stage.backend, ability)


async def test_a_server_that_answers_is_told_with_its_models(stage: Stage) -> None:
    state = await stage.backend.status()
    assert (state.phase, state.version, state.address) == ("ready", "0.33.0", stage.script.address)
    assert {model.name for model in state.models} == {"tiny:latest", "broken:latest"}
    assert {"keep", "pull", "create", "delete"} <= set(state.abilities)


async def test_a_server_that_is_not_there_is_stopped_or_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    program = tmp_path / "ollama"
    program.touch(mode=0o755)
    stopped = OllamaBackend(OllamaConfig(address=NOBODY, program=program), Notices(lambda: None), Processes)
    state = await stopped.status()
    assert (state.phase, state.hint) == ("stopped", "fleetview start NODE ollama")
    assert "start" in state.abilities
    assert "pull" not in state.abilities
    monkeypatch.setattr(supervisor.Supervisor, "installed", False)
    missing = OllamaBackend(OllamaConfig(address=NOBODY), Notices(lambda: None), Processes)
    state = await missing.status()
    assert state.phase == "missing"
    assert state.hint is not None
    assert "install Ollama" in state.hint
    monkeypatch.setattr(supervisor.Supervisor, "conflict", "another one runs elsewhere")
    assert (await missing.status()).hint == "another one runs elsewhere"
    await stopped.close()
    await missing.close()


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(b"", 403), id="it refuses us"),
        pytest.param(Reply(b"<html>", 200), id="it is something else"),
        pytest.param(Reply(b"not here", 404), id="it is a web server"),
    ],
)
async def test_what_answers_but_is_no_use_has_failed_with_a_reason(stage: Stage, reply: Reply) -> None:
    stage.answer("GET /api/version", reply)
    state = await stage.backend.status()
    assert state.phase == "failed"
    assert state.failure is not None
    assert state.failure.reason


async def test_a_resident_model_is_told_with_its_process(stage: Stage) -> None:
    stage.hold(a_loaded(), runners=(stage.runner(),))
    row = await stage.row()
    assert (row.name, row.phase, row.pid, row.context) == ("tiny:latest", "ready", 7, 4096)
    assert (row.memory_bytes, row.gpu_memory_bytes, row.remark) == (1000, 1000, None)
    assert row.expires_in_seconds == pytest.approx(300, abs=10)


async def test_a_model_that_stays_has_no_expiry(stage: Stage) -> None:
    stage.hold(a_loaded(expires_at="2318-03-01T00:00:00Z"), runners=(stage.runner(),))
    assert (await stage.row()).expires_in_seconds is None


@pytest.mark.parametrize(
    ("gpu_bytes", "remark"),
    [(1000, None), (0, None), (750, "25 % of it is on the CPU, because the GPU had no room for more")],
)
async def test_a_model_that_is_partly_on_the_cpu_is_remarked(stage: Stage, gpu_bytes: int, remark: str | None) -> None:
    stage.hold(a_loaded(size_vram=gpu_bytes), runners=(stage.runner(),))
    assert (await stage.row()).remark == remark


async def test_a_model_that_another_client_loads_is_seen_although_the_server_hides_it(stage: Stage) -> None:
    stage.hold(runners=(stage.runner(),))
    row = await stage.row()
    assert (row.name, row.phase, row.pid, row.memory_bytes) == ("tiny:latest", "loading", 7, 555)


async def test_a_process_whose_model_left_the_list_is_unloading(stage: Stage) -> None:
    stage.hold(a_loaded(), runners=(stage.runner(),))
    await stage.row()
    stage.hold(runners=(stage.runner(),))
    row = await stage.row()
    assert (row.phase, row.pid) == ("unloading", 7)


async def test_a_reload_by_another_client_is_remarked(stage: Stage) -> None:
    stage.hold(a_loaded(context_length=8192), runners=(stage.runner(context=8192),))
    await stage.row()
    stage.hold(a_loaded(), runners=(stage.runner(pid=8),))
    remark = (await stage.row()).remark
    assert remark == "another client's request reloaded it with a context of 4096 tokens instead of 8192"


async def test_orphans_are_told_by_name_while_the_server_is_gone(stage: Stage) -> None:
    lost = OllamaBackend(OllamaConfig(address=NOBODY, models=stage.models), Notices(lambda: None), stage.orphans)
    (row,) = (await lost.status()).resident
    assert (row.name, row.phase, row.memory_bytes) == ("tiny:latest#7", "orphaned", 555)
    await lost.close()


async def test_an_orphan_that_is_gone_is_not_resident(stage: Stage) -> None:
    with pytest.raises(NotResident, match="not there any more"):
        await stage.backend.unload("tiny:latest#7")


async def test_a_load_says_what_was_asked_and_no_more(stage: Stage) -> None:
    await stage.backend.load("tiny", LoadOptions(context=512, keep=60), lambda _: None)
    await stage.backend.load("tiny", LoadOptions(), lambda _: None)
    assert stage.asked("POST /api/generate") == [
        {"model": "tiny:latest", "stream": False, "keep_alive": 60.0, "options": {"num_ctx": 512}},
        {"model": "tiny:latest", "stream": False},
    ]


async def test_what_cannot_be_loaded_is_refused_before_the_engine_is_asked(stage: Stage, tmp_path: Path) -> None:
    put_model(stage.models, "broken:latest", write_truncated(tmp_path / "cut.gguf"))
    with pytest.raises(NotFound):
        await stage.backend.load("no-such-model", LoadOptions(), lambda _: None)
    with pytest.raises(Unusable, match="truncated"):
        await stage.backend.load("broken", LoadOptions(), lambda _: None)
    assert stage.asked("POST /api/generate") == []


async def test_a_load_that_fails_brings_the_engines_words(stage: Stage) -> None:
    stage.answer("POST /api/generate", Reply(b'{"error":"llama-server process has terminated: exit status 1"}', 500))
    with pytest.raises(BackendFailed, match="has terminated"):
        await stage.backend.load("tiny", LoadOptions(), lambda _: None)
    assert await stage.resident() == ()


async def test_a_load_whose_connection_breaks_leaves_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = OllamaApi.load

    async def loaded_all_the_same(api: OllamaApi, model: str, **said: Any) -> None:
        stage.hold(a_loaded(), runners=(stage.runner(),))
        await load(api, model, **said)

    async def left(_: OllamaApi, model: str) -> None:
        assert model == "tiny:latest"
        stage.hold()

    monkeypatch.setattr(OllamaApi, "load", loaded_all_the_same)
    monkeypatch.setattr(OllamaApi, "unload", left)
    stage.answer("POST /api/generate", Reply(breaks=True))
    with pytest.raises(BackendFailed, match="broke off"):
        await stage.backend.load("tiny", LoadOptions(), lambda _: None)
    assert await stage.resident() == ()


async def test_a_second_model_of_a_resident_file_is_refused(stage: Stage, tmp_path: Path) -> None:
    put_model(stage.models, "broken:latest", write_tiny(tmp_path / "again.gguf"))
    stage.hold(a_loaded(), runners=(stage.runner(),))
    with pytest.raises(BadRequest, match="the same file as ollama/tiny:latest"):
        await stage.backend.load("broken", LoadOptions(), lambda _: None)


async def test_a_chat_never_loads_a_model(stage: Stage) -> None:
    with pytest.raises(NotResident):
        await anext(stage.backend.chat("tiny", a_request()))
    assert stage.asked("POST /api/chat") == []


async def test_keeping_as_usual_says_how_long_that_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "settings_of", lambda _server: looks.Settings(keep=42.0))
    stage.hold(a_loaded(), runners=(stage.runner(),))
    await stage.backend.keep("tiny", "forever")
    await stage.backend.keep("tiny", None)
    assert [asked["keep_alive"] for asked in stage.asked("POST /api/generate")] == [-1, 42.0]


async def test_an_unload_that_does_not_happen_is_told_and_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loads, "UNLOAD_SECONDS", 0.2)
    stage.hold(a_loaded(), runners=(stage.runner(),))
    with pytest.raises(BackendFailed, match="still in memory"):
        await stage.backend.unload("tiny")
    assert (await stage.row()).phase == "ready"
    unload, keep = stage.asked("POST /api/generate")
    assert unload["keep_alive"] == 0
    assert keep["keep_alive"] != 0, "else it would leave as soon as its last answer has ended"


async def test_what_another_client_is_loading_cannot_be_unloaded_yet(stage: Stage) -> None:
    stage.hold(runners=(stage.runner(),))
    with pytest.raises(BadRequest, match="on its way"):
        await stage.backend.unload("tiny:latest")


async def test_a_model_that_was_to_stay_and_is_gone_is_a_failure_that_an_unload_clears(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleetview_agent.backends.ollama.memory.GRACE_SECONDS", 0)
    stage.hold(a_loaded(), runners=(stage.runner(),))
    await stage.backend.keep("tiny", "forever")
    stage.hold()
    assert (await stage.row()).failure is not None
    await stage.backend.unload("tiny:latest")
    assert not await stage.resident()


async def test_a_resident_model_is_not_deleted(stage: Stage) -> None:
    stage.hold(a_loaded(), runners=(stage.runner(),))
    with pytest.raises(BadRequest, match="is resident"):
        await stage.backend.delete("tiny")
    stage.hold()
    stage.answer("DELETE /api/delete", Reply())
    await stage.backend.delete("tiny")
    assert stage.asked("DELETE /api/delete") == [{"model": "tiny"}]


async def test_before_0_30_the_servers_list_is_enough(stage: Stage) -> None:
    stage.hold(a_loaded(context_length=0))
    assert ((row := await stage.row()).phase, row.pid, row.context) == ("ready", None, None)
