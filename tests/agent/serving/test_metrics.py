"""`/metrics`: what Prometheus is told, and that it understands it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from fleetview_agent.agent import Agent
from fleetview_agent.counters import Counters
from fleetview_agent.serving import metrics
from fleetview_agent.serving.api import build_app, build_port_app
from fleetview_agent.serving.exposition import PREFIX, expose
from fleetview_agent.serving.openai import Door
from fleetview_agent.serving.series import SERIES, Node
from fleetview_agent.wire import Gpu, ResidentModel, Sample, Snapshot
from tests.agents import a_load, a_running_agent, outcome, say
from tests.builders import (
    a_backend_state,
    a_machine,
    a_resident,
    a_sample,
    a_served,
    a_snapshot,
    a_traffic,
    an_operation,
)

TOKEN = "correct-horse-battery-staple"  # noqa: S105 - of this test alone
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool, of Debian's prometheus, is not on PATH")


@asynccontextmanager
async def a_client(folder: Path) -> AsyncIterator[tuple[Agent, httpx.AsyncClient]]:
    async with (
        a_running_agent(folder) as agent,
        httpx.AsyncClient(transport=httpx.ASGITransport(build_app(agent)), base_url="http://agent") as client,
    ):
        yield agent, client


def a_complete_node() -> Node:
    """Everything is known, and no two figures of the reading are the same."""
    sample = a_sample(
        cpu_celsius=61.0,
        gpu_memory_limit_inferred=True,
        gpu_hertz=1.398e9,
        gpu_watts=33.0,
        power_covers="chip",
        thermal_state="heavy",
        fans_rpm=(1200.0, 0.0),
        swap_used_bytes=7,
        swap_bytes_per_second=8.0,
        gpus=tuple(
            Gpu(name="GB", ratio=0.1, memory_used_bytes=11, memory_limit_bytes=12, celsius=13.0, watts=14.0 + index)
            for index in range(2)
        ),
        traffic=(a_traffic(in_flight=2, queued=3, prompt_tokens_per_second=4.5, generation_tokens_per_second=5.5),),
    )
    machine = a_machine(memory_bytes_per_second=8e11)
    state = a_backend_state(resident=(a_resident(gpu_memory_bytes=15),))
    counters = Counters()
    counters.count(a_served())
    return Node(
        Snapshot(machine=machine, backends=(state,), operations=(an_operation(),), samples=(sample,)), counters, 0
    )


def told(text: str) -> Figures:
    """What an answer says."""
    every = [sample for family in read_text(text) for sample in family.samples]
    figures = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in every}
    assert len(figures) == len(every), "a figure is told twice, which voids a scrape"
    return figures


def of_node(node: Node) -> Figures:
    """What is said of a node; not of the agent's own process."""
    figures = told(expose(node, "")[0].decode())
    return {key: value for key, value in figures.items() if key[0].startswith(PREFIX)}


def check(text: bytes) -> None:
    """Let Prometheus's own tool judge it."""
    assert PROMTOOL is not None
    judged = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")


def test_every_number_of_a_reading_is_told_and_every_series_has_something_to_tell() -> None:
    node = a_complete_node()
    figures = of_node(node)
    assert {name for name, _ in figures} == {PREFIX + series.name for series in SERIES}
    plain = {value for (_, labels), value in figures.items() if not labels} | {
        figures["fleetview_power_watts", frozenset({("covers", "chip")})]
    }
    for field in set(Sample.model_fields) - {"interval_seconds", "gpu_memory_limit_inferred"}:
        if isinstance(value := getattr(node.sample, field), int | float):
            assert value in plain, field
    assert figures["fleetview_thermal_state", frozenset({("state", "heavy")})] == 1
    assert figures["fleetview_thermal_state", frozenset({("state", "nominal")})] == 0
    assert figures["fleetview_fan_speed_rpm", frozenset({("fan", "1")})] == 0
    assert figures["fleetview_gpu_device_power_watts", frozenset({("gpu", "1"), ("name", "GB")})] == 15


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    bare = a_machine(chip=None, gpu=None, gpu_cores=None)
    state = a_backend_state(resident=(ResidentModel(name="m", phase="loading"),))
    node = Node(Snapshot(machine=bare, backends=(state,), samples=(Sample(at=5.0),)), Counters(), 0)
    names = {name.removeprefix(PREFIX) for name, _ in of_node(node)}
    of_machine = {"machine_info", "cpu_cores", "memory_size_bytes"}
    of_agent = {"build_info", "samples_total", "listeners_cut_off_total", "reading_timestamp_seconds"}
    of_models = {"backend_ready", "backend_info", "model_ready"}
    counted = {"requests_total", "prompt_tokens_total", "completion_tokens_total"}
    assert names == of_machine | of_agent | of_models | counted | {"operations_in_hand", "operations_total"}


def test_tokens_that_no_engine_told_are_not_told_as_zero() -> None:
    counters = Counters()
    node = Node(a_snapshot(), counters, 0)
    model = frozenset({("backend", "llamacpp"), ("model", "small")})
    assert of_node(node)["fleetview_completion_tokens_total", model] == 0  # nobody has asked it
    counters.count(a_served(completion_tokens=None))
    figures = of_node(node)
    assert figures["fleetview_requests_total", model] == 1
    assert figures["fleetview_prompt_tokens_total", model] == 120
    assert ("fleetview_completion_tokens_total", model) not in figures


@needs_promtool
async def test_promtool_finds_nothing_wrong_with_what_a_busy_agent_tells(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))
        await say(agent, "sim-small", "hello there")
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    check(answer.content)
    figures = told(answer.text)
    model = frozenset({("backend", "simulated"), ("model", "sim-small")})
    assert figures["fleetview_requests_total", model] == 1
    assert figures["fleetview_prompt_tokens_total", model] == 2
    assert figures["fleetview_operations_total", frozenset({("verb", "load"), ("result", "done")})] == 1
    assert figures["fleetview_model_resident_bytes", model] > 0


@needs_promtool
@pytest.mark.parametrize(
    "node", [a_complete_node(), Node(a_snapshot(backends=()), Counters(), 0)], ids=["all", "little"]
)
def test_promtool_finds_nothing_wrong_with_much_or_little(node: Node) -> None:
    check(expose(node, "")[0])


NAMES = st.text(st.characters() | st.sampled_from('\\"\n\r{}=,# \0\u2028\ud800'), min_size=1, max_size=20)


@settings(max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=4))
def test_models_may_be_called_anything(names: list[str]) -> None:
    rows = tuple(ResidentModel.model_construct(name=name, phase="ready") for name in names)
    state = a_backend_state().model_copy(update={"resident": rows})
    node = Node(a_snapshot().model_copy(update={"backends": (state,)}), Counters(), 0)
    found = {dict(labels)["model"] for name, labels in of_node(node) if name == "fleetview_model_ready"}
    assert found == {name.encode(errors="backslashreplace").decode() for name in names}


@needs_promtool
def test_a_hostile_name_is_one_label_to_prometheus_too() -> None:
    names = ('a"} 1\nfleetview_forged 1', "\\", "\r\0\x1b[31m", "other", "\ud800", "é" * 200)
    rows = tuple(ResidentModel.model_construct(name=name, phase="ready") for name in (*names, *names))
    state = a_backend_state().model_copy(update={"resident": rows})
    text, _ = expose(Node(a_snapshot().model_copy(update={"backends": (state,)}), Counters(), 0), "")
    check(text)
    assert b"\nfleetview_forged" not in text


def test_openmetrics_is_told_to_who_wants_it() -> None:
    text, content_type = expose(a_complete_node(), OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    families = {family.name: family for family in read_openmetrics(text.decode())}
    assert families["fleetview_build"].type == "info"
    assert families["fleetview_requests"].type == "counter"
    assert text.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/openmetrics-text;version=x",
        "text/plain;version=1.x.=",
        ";;,=,",
        "text/plain;version=" + "9" * 5000,
    ],
)
async def test_whatever_form_is_asked_for_there_is_an_answer(tmp_path: Path, accept: str) -> None:
    async with a_client(tmp_path) as (_, client):
        answer = await client.get("/metrics", headers={"accept": accept})
        assert answer.status_code == 200
        assert "fleetview_build_info" in answer.text


async def test_a_second_scrape_differs_by_what_has_happened_alone(tmp_path: Path) -> None:
    async with a_client(tmp_path) as (agent, client):
        await outcome(agent, a_load("sim-small"))

        async def scrape() -> Figures:
            every = told((await client.get("/metrics")).text)
            return {key: value for key, value in every.items() if key[0].startswith(PREFIX)}

        first = await scrape()
        assert await scrape() == first
        await say(agent, "sim-small", "hello there")
        third = await scrape()
        changed = {name for (name, labels), value in third.items() if first.get((name, labels)) != value}
        since = {"fleetview_model_time_to_first_token_seconds"}
        assert changed - since == {
            "fleetview_requests_total",
            "fleetview_prompt_tokens_total",
            "fleetview_completion_tokens_total",
        }


async def test_an_old_reading_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "FRESH_SECONDS", -1.0)
    async with a_client(tmp_path) as (agent, client):
        before = agent.counters.samples
        for _ in range(10_000):  # readings that come too close are one
            await client.get("/metrics")
            if agent.counters.samples > before:
                break
        assert agent.counters.samples == before + 1


async def test_on_the_port_a_scrape_needs_the_token_too(tmp_path: Path) -> None:
    async with a_running_agent(tmp_path) as agent:
        transport = httpx.ASGITransport(Door(build_port_app(agent), TOKEN))
        async with httpx.AsyncClient(transport=transport, base_url="http://node.lan:11500") as client:
            refused = await client.get("/metrics")
            assert refused.status_code == 401
            assert "fleetview_" not in refused.text
            answer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
            assert "fleetview_build_info" in answer.text
