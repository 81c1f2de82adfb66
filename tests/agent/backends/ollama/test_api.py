from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.http import Http
from fleetview_agent.errors import BackendFailed, ContextExceeded, NotFound, Unusable
from fleetview_agent.wire import ChatMessage, ChatRequest, Keep
from tests.agent.backends.ollama.scripted import Reply, Scripted, recorded, scripted

ASK = ChatRequest(model="ollama/smollm2", messages=(ChatMessage(role="user", content="Hi"),))
PULLED = b"""{"status":"pulling manifest"}
{"status":"pulling 0123456789ab","digest":"sha256:0123","total":100}
{"status":"pulling 0123456789ab","digest":"sha256:0123","total":100,"completed":100}
{"status":"verifying sha256 digest"}
{"status":"writing manifest"}
"""


@asynccontextmanager
async def an_api(replies: Mapping[str, Reply]) -> AsyncIterator[tuple[OllamaApi, Scripted]]:
    async with scripted(replies) as server, asyncio.timeout(10):
        http = Http(server.address)
        try:
            yield OllamaApi(http), server
        finally:
            await http.close()


async def test_version_models_and_residents_are_asked_for() -> None:
    replies = {
        "GET /api/version": Reply(recorded("version.json")),
        "GET /api/tags": Reply(recorded("tags.json")),
        "GET /api/ps": Reply(recorded("ps.json")),
        "POST /api/show": Reply(recorded("show.json")),
    }
    async with an_api(replies) as (api, server):
        assert await api.version() == "0.33.0-rc2"
        assert len(await api.tags()) == 2
        assert (await api.resident())[0].name == "smollm2:latest"
        assert (await api.show("smol2k")).default_context == 2048
        assert server.asked[-1].said == {"model": "smol2k"}


@pytest.mark.parametrize(
    ("context", "keep", "said"),
    [
        (None, None, {}),
        (2048, None, {"options": {"num_ctx": 2048}}),
        (None, "forever", {"keep_alive": -1}),
        (None, 90.0, {"keep_alive": 90.0}),
        (None, 0, {"keep_alive": 1.0}),  # zero would ask for the opposite
    ],
)
async def test_a_load_has_no_prompt(context: int | None, keep: Keep | None, said: dict[str, Any]) -> None:
    async with an_api({"POST /api/generate": Reply(recorded("load.json"))}) as (api, server):
        await api.load("smollm2", context=context, keep=keep)
        assert server.asked[0].said == {"model": "smollm2", "stream": False, **said}


async def test_cancelling_a_load_hangs_up() -> None:
    async with an_api({"POST /api/generate": Reply(hangs=True)}) as (api, server):
        loading = asyncio.create_task(api.load("smollm2", context=None, keep=None))
        await server.reached.wait()
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await server.left.wait()


async def test_an_unload_keeps_for_no_time_at_all() -> None:
    async with an_api({"POST /api/generate": Reply(recorded("unload.json"))}) as (api, server):
        await api.unload("smollm2")
        assert server.asked[0].said == {"model": "smollm2", "stream": False, "keep_alive": 0}


@pytest.mark.parametrize(("keep", "said"), [("forever", -1), (60, 60), (0, 0), (None, 300)])
async def test_how_long_a_model_stays_is_said_with_its_context(keep: Keep | None, said: float) -> None:
    async with an_api({"POST /api/generate": Reply(recorded("load.json"))}) as (api, server):
        await api.keep("smollm2", keep, context=2048)
        assert server.asked[0].said["keep_alive"] == said
        assert server.asked[0].said["options"] == {"num_ctx": 2048}


async def test_one_token_is_generated_at_the_context_that_is_there() -> None:
    async with an_api({"POST /api/generate": Reply(recorded("load.json"))}) as (api, server):
        await api.generate_one("smollm2", context=2048)
        assert server.asked[0].said["options"] == {"num_predict": 1, "num_ctx": 2048}
        assert server.asked[0].said["prompt"]


async def test_an_answer_is_streamed() -> None:
    async with an_api({"POST /api/chat": Reply(recorded("chat.ndjson"))}) as (api, _):
        chunks = [chunk async for chunk in api.chat("smollm2", ASK, context=4096)]
        assert "".join(chunk.text for chunk in chunks).startswith("Hello")
        assert chunks[-1].usage is not None


async def test_a_prompt_that_is_too_long_is_refused_before_the_first_chunk() -> None:
    async with an_api({"POST /api/chat": Reply(recorded("context_exceeded.json"), 400)}) as (api, _):
        with pytest.raises(ContextExceeded, match="8530 tokens"):
            await anext(api.chat("smollm2", ASK, context=4096))


async def test_an_answer_without_an_end_is_a_failure() -> None:
    half = b"".join(recorded("chat.ndjson").splitlines(keepends=True)[:2])
    async with an_api({"POST /api/chat": Reply(half)}) as (api, _):
        with pytest.raises(BackendFailed, match="the answer of smollm2 broke off"):
            _ = [chunk async for chunk in api.chat("smollm2", ASK, context=4096)]


async def test_closing_a_chat_hangs_up() -> None:
    first = recorded("chat.ndjson").splitlines(keepends=True)[0]
    async with an_api({"POST /api/chat": Reply(first, hangs=True)}) as (api, server):
        async with aclosing(api.chat("smollm2", ASK, context=4096)) as chunks:
            assert (await anext(chunks)).text
        await server.left.wait()


async def test_a_pull_is_told_from_its_first_line_to_success() -> None:
    async with an_api({"POST /api/pull": Reply(PULLED + b'{"status":"success"}\n')}) as (api, server):
        steps = [step async for step in api.pull("smollm2")]
        assert (steps[0].step, steps[0].total_bytes) == ("pulling manifest", None)
        assert (steps[-1].step, steps[-1].done_bytes, steps[-1].total_bytes) == ("success", 100, 100)
        assert server.asked[0].said == {"model": "smollm2", "stream": True}


async def test_a_pull_of_a_model_that_is_nowhere_is_not_found() -> None:
    missing = b'{"status":"pulling manifest"}\n{"error":"pull model manifest: file does not exist"}\n'
    async with an_api({"POST /api/pull": Reply(missing)}) as (api, _):
        with pytest.raises(NotFound, match="registry has no such model"):
            _ = [step async for step in api.pull("nope")]


@pytest.mark.parametrize(
    "reply", [Reply(PULLED), Reply(PULLED, breaks=True), Reply(PULLED + b'{"error":"max retries exceeded"}')]
)
async def test_a_pull_that_broke_off_says_that_it_can_go_on(reply: Reply) -> None:
    async with an_api({"POST /api/pull": reply}) as (api, _):
        with pytest.raises(BackendFailed) as caught:
            _ = [step async for step in api.pull("smollm2")]
        assert caught.value.hint is not None
        assert "goes on where it was" in caught.value.hint


async def test_closing_a_pull_breaks_it_off() -> None:
    async with an_api({"POST /api/pull": Reply(PULLED, hangs=True)}) as (api, server):
        async with aclosing(api.pull("smollm2")) as steps:
            await anext(steps)
        await server.left.wait()


async def test_a_file_is_hashed_and_sent_and_made_a_model(tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    file = tmp_path / "model"
    file.write_bytes(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    replies = {f"POST /api/blobs/{digest}": Reply(status=201), "POST /api/create": Reply(recorded("create.ndjson"))}
    async with an_api(replies) as (api, server):
        steps = [step async for step in api.create_from_file("mine", file, context=2048)]
        looked, sent, made = server.asked
        assert looked.method == "HEAD"
        assert sent.body == content
        assert made.said == {
            "model": "mine",
            "files": {"model.gguf": digest},
            "parameters": {"num_ctx": 2048},
            "stream": True,
        }
        told = [step.step for step in steps]
        assert told[0] == "hashing"
        assert "uploading" in told
        assert told[-1] == "success"
        assert {step.total_bytes for step in steps} == {len(content)}


async def test_a_file_that_the_store_has_is_not_sent_again(tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    digest = f"sha256:{hashlib.sha256(b'GGUF').hexdigest()}"
    replies = {f"HEAD /api/blobs/{digest}": Reply(), "POST /api/create": Reply(recorded("create.ndjson"))}
    async with an_api(replies) as (api, server):
        steps = [step async for step in api.create_from_file("mine", file, context=None)]
        assert [asked.path for asked in server.asked] == [f"/api/blobs/{digest}", "/api/create"]
        assert "parameters" not in server.asked[1].said
        assert "uploading" not in {step.step for step in steps}


async def test_a_file_that_the_server_refuses_says_why(tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    digest = f"sha256:{hashlib.sha256(b'GGUF').hexdigest()}"
    refused = Reply(b'{"error":"write: no space left on device"}', 500)
    async with an_api({f"POST /api/blobs/{digest}": refused}) as (api, _):
        with pytest.raises(BackendFailed, match="no space left"):
            _ = [step async for step in api.create_from_file("mine", file, context=None)]


async def test_an_upload_that_is_closed_is_broken_off(tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_bytes(b"GGUF")
    digest = f"sha256:{hashlib.sha256(b'GGUF').hexdigest()}"
    async with an_api({f"POST /api/blobs/{digest}": Reply(hangs=True)}) as (api, server):
        async with aclosing(api.create_from_file("mine", file, context=None)) as steps:
            async for step in steps:
                if step.step == "uploading" and step.done_bytes == 4:
                    break
        await server.left.wait()


async def test_a_file_that_cannot_be_read_is_unusable(tmp_path: Path) -> None:
    async with an_api({}) as (api, _):
        with pytest.raises(Unusable, match="cannot be read: No such file"):
            await anext(api.create_from_file("mine", tmp_path / "none.gguf", context=None))


async def test_a_model_is_made_of_another_one_that_is_there() -> None:
    replies = {"POST /api/show": Reply(recorded("show.json")), "POST /api/create": Reply(recorded("create.ndjson"))}
    async with an_api(replies) as (api, server):
        steps = [step async for step in api.create_from_model("mine", "smollm2", context=4096)]
        assert steps[-1].step == "success"
        said = {"model": "mine", "from": "smollm2", "parameters": {"num_ctx": 4096}, "stream": True}
        assert server.asked[1].said == said


async def test_a_model_that_is_not_there_is_never_pulled_by_making_another_of_it() -> None:
    replies = {"POST /api/show": Reply(recorded("no_such_model.json"), 404)}
    async with an_api(replies) as (api, server):
        with pytest.raises(NotFound):
            await anext(api.create_from_model("mine", "nope", context=None))
        assert [asked.path for asked in server.asked] == ["/api/show"]


async def test_making_a_model_that_broke_off_is_a_failure() -> None:
    half = b'{"status":"parsing GGUF"}\n'
    async with an_api({"POST /api/show": Reply(recorded("show.json")), "POST /api/create": Reply(half)}) as (api, _):
        with pytest.raises(BackendFailed, match="the making of mine broke off"):
            _ = [step async for step in api.create_from_model("mine", "smollm2", context=None)]


async def test_a_delete_is_empty_or_not_found() -> None:
    async with an_api({"DELETE /api/delete": Reply()}) as (api, server):
        await api.delete("smollm2")
        assert json.loads(server.asked[0].body) == {"model": "smollm2"}
    async with an_api({"DELETE /api/delete": Reply(recorded("no_such_model.json"), 404)}) as (api, _):
        with pytest.raises(NotFound):
            await api.delete("nope")
