from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing

import pytest

from fleetview_agent.backends.ollama import http as ollama_http
from fleetview_agent.backends.ollama.http import BrokenOff, Http, Unreachable
from fleetview_agent.backends.ollama.refusals import Nonsense
from fleetview_agent.errors import AgentError, BackendFailed, BadRequest, Busy, ContextExceeded, NotFound
from tests.agent.backends.ollama.scripted import Reply, recorded, scripted

HTML = b"<!doctype html><title>It works</title>"
QUEUE_FULL = b'{"error":"server busy, please try again.  maximum pending requests exceeded"}'
CRASHED = b'{"error":"llama-server process has terminated: exit status 1: loading\\nfailed to allocate buffer"}'


async def failure_of(reply: Reply) -> AgentError:
    async with scripted({"GET /x": reply}) as server:
        http = Http(server.address)
        with pytest.raises(AgentError) as caught:
            await http.get("/x", timeout=2.0)
        await http.close()
        return caught.value


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(recorded("no_such_model.json"), 404), NotFound, "model 'nope' not found"),
        (Reply(recorded("cannot_think.json"), 400), BadRequest, "does not support thinking"),
        (
            Reply(recorded("context_exceeded.json"), 400),
            ContextExceeded,
            "has 8530 tokens, and the context has room for 4096",
        ),
        (Reply(b'{"error":"the prompt is longer than the context"}', 400), ContextExceeded, "does not fit"),
        (Reply(QUEUE_FULL, 503), Busy, "maximum pending requests"),
        (Reply(b"", 403), BackendFailed, "refuses every request to a host of that name"),
        (Reply(b'{"error":"remote models are off"}', 403), BadRequest, "remote models are off"),
        (Reply(b'{"error":"unauthorized","signin_url":"x"}', 401), BackendFailed, "signed in"),
        (Reply(b"404 page not found", 404), BackendFailed, "does not know /x"),
        (Reply(b'{"error":"out of cheese"}', 500), BackendFailed, "out of cheese"),
        (Reply(HTML, 404), Nonsense, "is no Ollama"),
        (Reply(HTML, 302), Nonsense, "is no Ollama"),
        (Reply(HTML), Nonsense, "cannot be understood"),
        (Reply(b"\xff\xfe\xfd"), Nonsense, "cannot be understood"),
        (Reply(b"[" * 100_000), Nonsense, "cannot be understood"),
        (Reply(b'{"a": 1e400}'), Nonsense, "cannot be understood"),
        (Reply(b'{"a": "\\ud800"}'), Nonsense, "cannot be understood"),
        (Reply(b'{"error":"late"}'), BackendFailed, "late"),
        (Reply(b'{"vers', breaks=True), BrokenOff, "broke off"),
    ],
)
async def test_every_failure_is_told_in_a_sentence(reply: Reply, kind: type[AgentError], words: str) -> None:
    problem = await failure_of(reply)
    assert type(problem) is kind
    assert words in problem.message
    assert "\n" not in problem.message


async def test_what_a_runner_printed_is_the_log_and_not_the_sentence() -> None:
    problem = await failure_of(Reply(CRASHED, 500))
    assert isinstance(problem, BackendFailed)
    assert problem.log[-1] == "failed to allocate buffer"
    assert "failed to allocate" not in problem.message
    assert problem.hint is not None
    assert "smaller context" in problem.hint


async def test_a_full_queue_says_when_to_ask_again() -> None:
    problem = await failure_of(Reply(QUEUE_FULL, 503))
    assert problem.status == 503
    assert problem.retry_after_seconds


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    async with scripted({"GET /x": Reply(b'{"half":', hangs=True)}) as server:
        http = Http(server.address)
        with pytest.raises(BackendFailed, match=r"said nothing for 0\.1 s"):
            await http.get("/x", timeout=0.1)
        await http.close()


async def test_nobody_at_the_address_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and listening to nobody
        http = Http(f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Unreachable, match="does not answer at"):
            await http.get("/api/version")


async def test_an_endless_answer_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_http, "LARGEST_BODY", 100)
    assert "larger than" in (await failure_of(Reply(b" " * 101))).message


async def test_an_endless_line_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_http, "LARGEST_LINE", 100)
    async with scripted({"POST /x": Reply(b" " * 101)}) as server:
        http = Http(server.address)
        with pytest.raises(Nonsense, match="larger than"):
            await anext(http.stream("/x", {}, stall_seconds=2.0))
        await http.close()


async def test_the_host_is_named_as_it_is_configured_and_in_brackets_where_it_needs_them() -> None:
    async with scripted({"GET /x": Reply(b"1")}) as server:
        http = Http(server.address)
        assert await http.get("/x") == 1
        assert server.asked[0].headers["host"] == server.address
        await http.close()
    assert ("Host", "[::1]:11434") in Http("[::1]:11434")._headers(None)


async def test_an_error_line_in_a_stream_is_raised_after_what_came_before_it() -> None:
    async with scripted({"POST /x": Reply(recorded("create_failed.ndjson"))}) as server:
        http = Http(server.address)
        stream = http.stream("/x", {}, stall_seconds=2.0)
        assert await anext(stream) == {"status": "parsing GGUF"}
        with pytest.raises(BackendFailed, match="not in GGUF format"):
            await anext(stream)
        await http.close()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b'{"status":"a"}\n', breaks=True), "broke off"),
        (Reply(b'{"status":"a"}\n', hangs=True), "said nothing for 0.1 s"),
        (Reply(b'{"status":"a"}\n[1]\n'), "cannot be understood"),
        (Reply(b'{"status":"a"}\n\n{"st'), "cannot be understood"),
    ],
)
async def test_a_stream_that_ends_badly_says_so(reply: Reply, words: str) -> None:
    async with scripted({"POST /x": reply}) as server:
        http = Http(server.address)
        stream = http.stream("/x", {}, stall_seconds=0.1)
        assert await anext(stream) == {"status": "a"}
        with pytest.raises(BackendFailed, match=words):
            await anext(stream)
        await http.close()


async def test_closing_a_stream_ends_the_request() -> None:
    async with scripted({"POST /x": Reply(b'{"n":1}\n', hangs=True)}) as server, asyncio.timeout(5):
        http = Http(server.address)
        async with aclosing(http.stream("/x", {}, stall_seconds=None)) as stream:
            await anext(stream)
        await server.left.wait()
        await http.close()


@pytest.mark.parametrize("body", [{"x": float("nan")}, {"x": [10**5000]}])
async def test_what_json_cannot_say_is_not_sent(body: dict[str, object]) -> None:
    with pytest.raises(BadRequest, match="cannot be written as JSON"):
        await Http("127.0.0.1:1").post("/x", body, timeout=1.0)
