"""AgentClient against scripted agents for what goes wrong, and a real one for what goes right."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview.remote.errors import Lost, Refused, RemoteError, Unreachable
from fleetview_agent.wire import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    OperationChanged,
    Sampled,
    Snapshot,
    Timings,
    Usage,
)
from tests.agents import a_swap
from tests.builders import a_sample, a_snapshot
from tests.tui.remote.scripted import (
    HOLD,
    LIMIT_SECONDS,
    a_client,
    a_real_agent,
    a_scripted_agent,
    answer,
    streamed,
    until,
)

HELLO = ChatRequest(model="simulated/sim-small", messages=(ChatMessage(role="user", content="one two three"),))
SNAPSHOT = a_snapshot().model_dump_json().encode()
SAMPLED = Sampled(sample=a_sample()).model_dump_json().encode()


def sse(*values: object) -> tuple[bytes, ...]:
    """Server-sent events of a chat."""
    return streamed(*(b"data: " + json.dumps(value).encode() + b"\n" for value in values))


def content(text: str) -> object:
    return {"choices": [{"delta": {"content": text}, "finish_reason": None}]}


async def chat_texts(socket: Path) -> list[str]:
    async with a_client(socket) as client:
        return [chunk.text async for chunk in client.chat(HELLO)]


async def test_every_request_is_understood_by_a_real_agent(socket: Path) -> None:
    async with a_real_agent(socket), a_client(socket) as client, asyncio.timeout(LIMIT_SECONDS):
        snapshot = await client.snapshot()
        assert [state.backend for state in snapshot.backends] == ["simulated"]
        assert (await client.plan(a_swap("sim-small"))).verdict == "fits"
        async with aclosing(client.events(1.0)) as events:
            assert isinstance(await anext(events), Snapshot)
            operation_id = await client.operate(a_swap("sim-small"))
            async for event in events:
                if isinstance(event, OperationChanged) and event.operation.result:
                    assert (event.operation.id, event.operation.result) == (operation_id, "done")
                    break
        (ended,) = await client.journal(10)
        assert ended.id == operation_id
        history = await client.history(snapshot.samples[-1].at, 10)
        assert history.figures["cpu_ratio"].mean[0] is not None
        chunks = [chunk async for chunk in client.chat(HELLO)]
        assert "".join(chunk.text for chunk in chunks).strip() == "one two three"
        assert chunks[-1].finish_reason == "stop"
        assert None not in {chunks[-1].usage, chunks[-1].timings}
        with pytest.raises(Refused) as told:
            await client.cancel(operation_id)
        assert (told.value.code, told.value.status) == ("not_found", 404)
        assert client.dropped == 0


async def test_the_chunks_of_a_completion_are_its_text(socket: Path) -> None:
    request = CompletionRequest(model="simulated/sim-small", prompt="one two", max_tokens=4)
    parts = sse({"choices": [{"index": 0, "text": "three", "finish_reason": None}]}, content("!"))
    async with a_scripted_agent(socket, *parts, b"data: [DONE]\n\n") as script, a_client(socket) as client:
        assert [chunk.text async for chunk in client.complete(request)] == ["three", "!"]
    (asked,) = script.requests
    assert asked.startswith(b"POST /v1/completions ")
    assert b'"stream":true' in asked


async def test_a_model_that_is_not_resident_is_refused_with_what_to_do(socket: Path) -> None:
    async with a_real_agent(socket):
        with pytest.raises(Refused) as told:
            await chat_texts(socket)
    assert (told.value.code, told.value.status) == ("not_resident", 409)
    assert told.value.hint


async def test_unknown_events_are_skipped_and_nonsense_is_dropped_and_counted(socket: Path) -> None:
    parts = streamed(SNAPSHOT, b'{"type":"newer"}', b"nonsense", b"[1]", b'{"type":"sampled"}', b"[" * 100_000, SAMPLED)
    async with a_scripted_agent(socket, *parts, HOLD), a_client(socket) as client:
        async with aclosing(client.events(1.0)) as events:
            assert isinstance(await anext(events), Snapshot)
            assert isinstance(await anext(events), Sampled)
        assert client.dropped == 4


async def test_the_end_of_the_events_is_a_loss(socket: Path) -> None:
    async with a_scripted_agent(socket, *streamed(SNAPSHOT)), a_client(socket) as client:
        with pytest.raises(Lost, match="ended the connection"):
            assert [event async for event in client.events(1.0)] == []


async def test_silence_is_a_loss(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetview.remote.client.SILENCE_SLACK_SECONDS", 0.1)
    async with a_scripted_agent(socket, *streamed(SNAPSHOT), HOLD), a_client(socket) as client:
        with pytest.raises(Lost, match=r"nothing was heard|does not answer any more"):
            async for _ in client.events(0.01):
                pass


async def test_nobody_at_the_socket_is_unreachable(socket: Path) -> None:
    async with a_client(socket) as client:
        with pytest.raises(Unreachable, match="no agent answers on here: no such file"):
            await client.snapshot()


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>hello</html>"),
        answer(b"<html>not here</html>", "404 Not Found"),
        answer(b'{"error": "no"}', "500 Oops"),
        answer(b'{"machine": 1}'),
        answer(b"[" * 100_000),
        b"220 mail.example ESMTP\r\n\r\n",
    ],
)
async def test_whatever_is_no_agent_is_called_so(socket: Path, said: bytes) -> None:
    async with a_scripted_agent(socket, said), a_client(socket) as client:
        with pytest.raises(Unreachable, match="is not a fleetview agent"):
            await client.snapshot()


async def test_an_answer_without_end_is_not_swallowed(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetview.remote.client.LONGEST_BYTES", 1000)
    async with a_scripted_agent(socket, answer(b"x" * 5000)), a_client(socket) as client:
        with pytest.raises(Unreachable, match="without end"):
            await client.snapshot()


async def test_a_connection_that_breaks_is_a_loss(socket: Path) -> None:
    for said in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"):
        async with a_scripted_agent(socket, *filter(None, [said])), a_client(socket) as client:
            with pytest.raises(Lost):
                await client.snapshot()


async def test_thinking_text_usage_and_timings_are_read(socket: Path) -> None:
    timings = {"prompt_n": 2, "prompt_ms": 3.0, "predicted_n": 4, "predicted_ms": 5.0, "predicted_per_second": 800.0}
    usage = {"prompt_tokens": 7, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}
    end = {"choices": [{"delta": {}, "finish_reason": "length"}], "usage": usage, "timings": timings}
    thought = {"choices": [{"delta": {"reasoning_content": "hm"}}]}
    parts = (*sse(thought, content("yes"), end), b": a comment\n", b"data: [DONE]\n", HOLD)
    async with a_scripted_agent(socket, *parts) as script, a_client(socket) as client:
        first, second, last = [chunk async for chunk in client.chat(HELLO)]
    assert (first.thinking, second.text, last.finish_reason) == ("hm", "yes", "length")
    assert last.usage == Usage(prompt_tokens=7, completion_tokens=4, cached_tokens=5)
    assert last.timings == Timings.model_validate(timings)
    assert b'"stream":true' in script.requests[0]
    assert b'"include_usage":true' in script.requests[0]


async def test_an_error_in_the_midst_of_an_answer_is_told(socket: Path) -> None:
    error = {"error": {"code": "draining", "message": "the model is about to leave", "hint": "wait"}}
    parts = sse(content("so "), error)
    async with a_scripted_agent(socket, *parts), a_client(socket) as client, aclosing(client.chat(HELLO)) as chunks:
        assert (await anext(chunks)).text == "so "
        with pytest.raises(Refused, match="about to leave") as told:
            await anext(chunks)
    assert (told.value.code, told.value.hint) == ("draining", "wait")


async def test_an_answer_that_breaks_off_is_a_loss(socket: Path) -> None:
    async with a_scripted_agent(socket, *sse(content("so "))):
        with pytest.raises(Lost, match="broke off"):
            await chat_texts(socket)


async def test_nonsense_in_an_answer_is_dropped(socket: Path) -> None:
    parts = (*sse(content("a")), b"data: nonsense\n", b"data:[DONE]\n")
    async with a_scripted_agent(socket, *parts), a_client(socket) as client:
        assert [chunk.text async for chunk in client.chat(HELLO)] == ["a"]
        assert client.dropped == 1


async def test_closing_an_answer_ends_the_request_at_once(socket: Path) -> None:
    async with a_scripted_agent(socket, *sse(content("a")), HOLD) as script, a_client(socket) as client:
        async with aclosing(client.chat(HELLO)) as chunks:
            assert (await anext(chunks)).text == "a"
            assert not script.left.is_set()
        async with asyncio.timeout(1.0):
            await script.left.wait()


async def test_cancelling_whoever_reads_an_answer_ends_the_request(socket: Path) -> None:
    async with a_scripted_agent(socket, *sse(content("a")), HOLD) as script:
        reading = asyncio.create_task(chat_texts(socket))
        await until(lambda: bool(script.requests), "the request")
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        async with asyncio.timeout(1.0):
            await script.left.wait()


async def test_proxies_of_the_environment_are_left_alone(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with a_scripted_agent(socket, answer(SNAPSHOT)), a_client(socket) as client:
        assert (await client.snapshot()).machine.hostname


def test_every_failure_is_of_one_family_with_its_hint_in_words() -> None:
    assert str(Unreachable("it is away", "come back")) == "it is away (come back)"
    assert all(issubclass(kind, RemoteError) for kind in (Unreachable, Lost, Refused))
