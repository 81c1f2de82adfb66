"""Requests that make no sense: each is answered in one sentence, and none leaves anything behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agent.shelf import a_copy, a_node, a_part
from tests.agents import a_swap
from tests.builders import AUTHOR

Place = tuple[str | int, ...]
NAMES = {"author": AUTHOR, "backend": "simulated", "model": "sim-small"}
SHA256 = "a" * 64


@dataclass(frozen=True)
class Thrown:
    """One request."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, bytes] = field(default_factory=dict)


ODD = st.one_of(
    st.sampled_from([None, True, 0, -1, 1 << 63, 10**30, 10**320, 1e308, float("nan"), float("inf"), [], {}, [{}]]),
    st.sampled_from(
        ["", "\x00", "../../etc/passwd", "\ud800", "x" * 2000, "sim-large", "simulated", "simulated/", "all"]
    ),
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    ),
)
"""What may stand anywhere in a body, and mostly makes no sense there."""
ORDERS: tuple[dict[str, Any], ...] = (
    {"verb": "load", **NAMES, "options": {"context": 512}},
    {"verb": "swap", **NAMES, "evict": ["simulated/sim-large"], "beside": [{**NAMES, "model": "sim-large"}]},
    {"verb": "start", "author": AUTHOR, "backend": "simulated", "beside": [NAMES]},
    {"verb": "keep", **NAMES, "keep": 60},
    {"verb": "create", **NAMES, "source": "/nowhere.gguf"},
    {"verb": "undo", "author": AUTHOR, "operation": "none"},
    a_copy(a_part(b"weights")).model_dump(mode="json"),
)
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/v1/chat/completions", {"model": "sim-small", "messages": [{"role": "user", "content": "x"}], "stop": "y"}),
    ("/v1/completions", {"model": "sim-small", "prompt": "x", "max_tokens": 2, "seed": 1, "stream": True}),
    ("/v1/embeddings", {"model": "sim-small", "input": ["x"], "dimensions": 3, "encoding_format": "base64"}),
)
WORDS = ["", "simulated", "sim-small", "%00", "..%2f..%2fetc", "%ff", "x" * 3000]
NUMBERS = st.sampled_from(["0", "1", "9", "10", "-1", "9" * 18, "9" * 19, "", "x", "٣"])


@st.composite
def bodies(draw: st.DrawFn) -> Thrown:
    """A request that would make sense, but for what was put into it somewhere."""
    about = st.tuples(st.sampled_from(["/api/plan", "/api/operations"]), st.sampled_from(ORDERS))
    path, body = draw(about | st.sampled_from(QUESTIONS))
    for _ in range(draw(st.integers(0, 3))):
        body = _with(body, draw(st.sampled_from([place for place in _places(body) if place])), draw(ODD))
    return Thrown("POST", path, json.dumps(body).encode())


@st.composite
def files(draw: st.DrawFn) -> Thrown:
    """About the files of a model."""
    names = [SHA256, SHA256.upper(), f"{SHA256}%0a", "..", "%2e%2e%2fetc", "x"]
    headers = {
        "content-range": f"bytes {draw(NUMBERS)}-{draw(NUMBERS)}/{draw(NUMBERS)}".encode(),
        "range": f"bytes={draw(NUMBERS)}-{draw(NUMBERS)}".encode(),
    }
    said = {name: value for name, value in headers.items() if draw(st.booleans())}
    method = draw(st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]))
    return Thrown(method, f"/api/blobs/{draw(st.sampled_from(names))}", draw(st.binary(max_size=20)), said)


ANYTHING = st.builds(
    Thrown,
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    st.sampled_from(["/api/plan", "/api/operations", "/api/journal", "/api/snapshot", "/api/processes", "/v1/models"])
    | st.text(max_size=30).map(lambda text: "/" + quote(text, errors="replace"))
    | st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map("/api/parts?backend={0[0]}&model={0[1]}".format)
    | st.sampled_from(WORDS).map("/api/logs?backend={}".format),
    st.binary(max_size=200),
)


def _places(value: object, above: Place = ()) -> Iterator[Place]:
    """Where something else could stand."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*above, key))


def _with(value: Any, place: Place, odd: object) -> Any:
    """The same JSON with something else in one place."""
    if not place:
        return odd
    changed = value.copy()
    changed[place[0]] = _with(value[place[0]], place[1:], odd)
    return changed


def require_a_sentence(answer: httpx.Response) -> None:
    """Fail unless it is an answer, or a failure in the one form."""
    assert answer.status_code != 500, answer.text
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        (error,) = answer.json().values()
        assert error["message"]
        assert "Traceback" not in answer.text


def test_hostile_requests_get_one_sentence_and_leave_the_agent_well(tmp_path_factory: pytest.TempPathFactory) -> None:
    loop = asyncio.new_event_loop()
    manager = a_node(tmp_path_factory.mktemp("hostile"), wait_seconds=0.1)
    _, _, client = loop.run_until_complete(manager.__aenter__())

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies() | bodies() | files() | ANYTHING)
    def throw(one: Thrown) -> None:
        asking = client.request(one.method, one.path, content=one.body, headers=dict(one.headers))
        require_a_sentence(loop.run_until_complete(asyncio.wait_for(asking, 5)))

    throw()
    assert loop.run_until_complete(client.get("/api/snapshot")).status_code == 200
    loop.run_until_complete(manager.__aexit__(None, None, None))
    loop.close()


async def test_numbers_that_no_disk_could_hold_are_refused(tmp_path: Path) -> None:
    request = a_copy(a_part(b"weights")).model_dump(mode="json")
    request["parts"][0]["size_bytes"] = 10**320
    async with a_node(tmp_path) as (_, _, client):
        answer = await client.post("/api/plan", content=json.dumps(request))
        assert answer.status_code == 400
        assert "size_bytes" in answer.json()["error"]["message"]


async def test_a_crowd_of_models_at_once_is_looked_through_in_a_moment(tmp_path: Path) -> None:
    crowd = [{**NAMES, "model": f"model-{number}"} for number in range(50_000)]
    request = json.dumps({**a_swap("sim-small").model_dump(), "beside": crowd})
    async with a_node(tmp_path) as (_, _, client):
        async with asyncio.timeout(8):
            answer = await client.post("/api/plan", content=request)
        assert answer.status_code == 404


async def test_models_that_are_not_there_leave_no_trace_however_often_they_are_asked(tmp_path: Path) -> None:
    async with a_node(tmp_path) as (agent, _, client):
        for number in range(5):
            body = {"model": f"simulated/nobody-{number}", "prompt": "x"}
            assert (await client.post("/v1/completions", json=body)).status_code == 404
        assert not agent.gate._answering
