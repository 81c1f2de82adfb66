"""HTTP of the agent: what it answers, and that nothing makes it stumble."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fleetview_agent.agent import Agent
from fleetview_agent.serving.api import build_app
from fleetview_agent.serving.bodies import BODY_LIMIT_BYTES
from tests.agents import a_load, a_running_agent, a_swap, outcome

Json = dict[str, Any]


@asynccontextmanager
async def a_client(folder: Path, **simulated: float) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    async with a_running_agent(folder, **simulated) as agent:
        transport = httpx.ASGITransport(build_app(agent), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:
            yield agent, client


def error_of(answer: httpx.Response) -> Json:
    """The error of an answer, which must have the one form."""
    body = answer.json()
    assert set(body) == {"error"}
    further = {"type", "param"} if answer.url.path.startswith("/v1/") else set()
    assert set(body["error"]) == {"code", "message", "hint"} | further
    assert "Traceback" not in answer.text
    error: Json = body["error"]
    return error


async def test_the_snapshot_is_complete_from_the_first_moment(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        snapshot = (await client.get("/api/snapshot")).json()
        assert snapshot["type"] == "snapshot"
        assert snapshot["machine"]["simulated"] is True
        assert snapshot["samples"]
        assert {model["name"] for model in snapshot["backends"][0]["models"]} >= {"sim-small", "sim-large"}


async def test_an_operation_is_accepted_with_an_id_and_ends_in_the_journal(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        accepted = await client.post("/api/operations", content=a_load("sim-small").model_dump_json())
        assert accepted.status_code == 202
        operation = next(row for row in agent.operator.operations if row.id == accepted.json()["id"])
        await outcome(agent, operation)
        (entry,) = (await client.get("/api/journal?limit=5")).json()
        assert (entry["id"], entry["result"], entry["request"]["verb"]) == (operation.id, "done", "load")


async def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        plan = (await client.post("/api/plan", content=a_swap("sim-large").model_dump_json())).json()
        assert plan["evictions"] == ["simulated/sim-small"]
        assert plan["verdict"] in {"fits", "unknown"}
        snapshot = (await client.get("/api/snapshot")).json()
        assert [row["name"] for row in snapshot["backends"][0]["resident"]] == ["sim-small"]


async def test_an_operation_is_cancelled_by_its_id(tmp_path: Path) -> None:
    async with a_client(tmp_path, load_seconds=30.0) as (agent, client):
        accepted = await client.post("/api/operations", content=a_load("sim-small").model_dump_json())
        operation = next(row for row in agent.operator.operations if row.id == accepted.json()["id"])
        assert (await client.delete(f"/api/operations/{operation.id}")).status_code == 202
        assert (await outcome(agent, operation)).result == "rolled_back"
        assert (await client.delete(f"/api/operations/{operation.id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/nowhere", b"", 404, "there is no GET /nowhere"),
        ("PUT", "/api/plan", b"", 405, "there is no PUT /api/plan"),
        ("POST", "/api/plan", b"", 400, "Invalid JSON"),
        ("POST", "/api/plan", b"{", 400, "Invalid JSON"),
        ("POST", "/api/plan", b"\xff\xfe", 400, "Invalid JSON"),
        ("POST", "/api/plan", b"[]", 400, ""),
        ("POST", "/api/plan", b'{"verb": "explode"}', 400, "'load', 'swap', 'unload'"),
        ("POST", "/api/plan", b'{"verb": "swap", "author": "a", "backend": "simulated"}', 400, "swap.model"),
        (
            "POST",
            "/api/plan",
            b'{"verb": "swap", "author": "a", "backend": "simulated", "model": "sim-smal"}',
            404,
            "no model sim-smal",
        ),
        (
            "POST",
            "/api/operations",
            b'{"verb":"load","author":"a","backend":"vllm","model":"m"}',
            404,
            "no backend vllm",
        ),
        ("DELETE", "/api/operations/none", b"", 404, "no operation none"),
        ("GET", "/api/journal?limit=many", b"", 400, "limit is a number"),
        ("GET", "/api/events?interval=nan", b"", 400, "interval is a number"),
        ("GET", "/api/events?interval=-1", b"", 400, "interval is a number"),
        ("POST", "/v1/chat/completions", b"{}", 400, "model"),
        (
            "POST",
            "/v1/chat/completions",
            b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}',
            404,
            "no model nobody",
        ),
        (
            "POST",
            "/v1/chat/completions",
            b'{"model": "simulated/sim-small", "messages": [{"role": "user", "content": "x"}]}',
            409,
            "not resident",
        ),
    ],
)
async def test_what_makes_no_sense_is_answered_in_one_sentence(
    tmp_path: Path, method: str, path: str, body: bytes, status: int, words: str
) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.request(method, path, content=body)
        assert answer.status_code == status
        assert words in error_of(answer)["message"]


async def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.post("/api/plan", content=b" " * (BODY_LIMIT_BYTES + 1))
        assert answer.status_code == 413
        assert error_of(answer)["message"] == "the body is larger than 8 MiB"


async def test_a_bug_is_told_without_its_trace(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        agent.journal.ended = lambda _: 1 / 0  # type: ignore[method-assign, assignment, return-value]  # a planted bug
        answer = await client.get("/api/journal")
        assert answer.status_code == 500
        assert error_of(answer)["message"] == "an error in the agent"


async def test_the_models_of_all_backends_are_listed_resident_ones_first(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        await agent.snapshot()
        models = (await client.get("/v1/models")).json()["data"]
        assert (models[0]["id"], models[0]["resident"]) == ("simulated/sim-small", True)
        assert all(not model["resident"] for model in models[1:])
        assert "simulated/sim-unusable" not in {model["id"] for model in models}


async def test_a_whole_answer_has_usage_and_timings(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        body = {"model": "sim-small", "messages": [{"role": "user", "content": "one two three"}]}
        answer = (await client.post("/v1/chat/completions", json=body)).json()
        assert "one two three" in answer["choices"][0]["message"]["content"]
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert (
            answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]
        )
        assert answer["timings"]["predicted_n"] == answer["usage"]["completion_tokens"]


async def test_a_streamed_answer_begins_with_a_role_and_ends_with_figures(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        body = {"model": "sim-small", "messages": [{"role": "user", "content": "one two"}], "stream": True}
        lines = (await client.post("/v1/chat/completions", json=body)).text.split("\n\n")
        events = [json.loads(line.removeprefix("data: ")) for line in lines if line and "[DONE]" not in line]
        assert lines[-2] == "data: [DONE]"
        assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert events[-1]["choices"][0]["finish_reason"] == "stop"
        assert events[-1]["usage"]["completion_tokens"] > 0
        assert events[-1]["timings"]["predicted_per_second"] > 0


async def test_an_engine_that_dies_in_the_midst_ends_the_stream_with_an_error(tmp_path: Path) -> None:
    async with a_client(tmp_path, tokens_per_second=50.0) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        body = {"model": "sim-small", "messages": [{"role": "user", "content": "w " * 200}], "stream": True}
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=body))
        async with asyncio.timeout(10):
            while not any(row.generation_tokens_per_second for row in agent.backends["simulated"].traffic()):
                await asyncio.sleep(0.01)
        await agent.backends["simulated"].unload("sim-small")
        *_, last, end = (await asking).text.split("\n\n")
        assert end == ""
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "backend_failed"
