"""The models on disk: what the server tells, beside what its files show."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.backends.ollama import inventory
from fleetview_agent.backends.ollama.api import OllamaApi
from fleetview_agent.backends.ollama.http import Http, Unreachable
from fleetview_agent.backends.ollama.inventory import USUAL_CONTEXT, Inventory
from fleetview_agent.gguf import read_header
from tests.agent.backends.ollama.manifests import put_model
from tests.agent.backends.ollama.scripted import Reply, Scripted, scripted
from tests.gguf_files import Tiny, write_tiny, write_truncated


def a_listed(name: str, **changes: Any) -> dict[str, Any]:
    details = {"format": "gguf", "family": "llama", "quantization_level": "Q4_1"}
    return {"name": name, "size": 400, "digest": f"digest of {name}", "details": details} | changes


def tags(*models: dict[str, Any]) -> Reply:
    return Reply(json.dumps({"models": models}).encode())


def shown(**said: Any) -> Reply:
    return Reply(json.dumps({"capabilities": ["completion"], **said}).encode())


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    """A server with one model, whose answers a test may change."""
    async with scripted({"GET /api/tags": tags(a_listed("tiny:latest")), "POST /api/show": shown()}) as script:
        yield script


@pytest.fixture
async def models(server: Scripted, tmp_path: Path) -> AsyncIterator[Inventory]:
    http = Http(server.address)
    yield Inventory(OllamaApi(http), lambda: tmp_path / "models")
    await http.close()


def answer(server: Scripted, path: str, reply: Reply) -> None:
    server.replies = {**server.replies, path: reply}


def asked(server: Scripted, path: str) -> int:
    return sum(f"{one.method} {one.path}" == path for one in server.asked)


async def test_a_model_whose_file_can_be_read_is_known_by_its_header(models: Inventory, tmp_path: Path) -> None:
    weights = write_tiny(tmp_path / "tiny.gguf")
    blob = put_model(tmp_path / "models", "tiny:latest", weights)
    row = (await models.entries())["tiny:latest"].row(None)
    assert row.identity == read_header(weights).identity, "llama.cpp's row of this file has the same"
    assert row.path == str(blob)
    assert (row.architecture, row.context_length, row.default_context, row.refusal) == ("llama", 2048, 2048, None)


async def test_a_model_whose_file_cannot_be_read_is_known_by_what_the_server_tells(
    server: Scripted, models: Inventory
) -> None:
    info = {"general.architecture": "llama", "llama.context_length": 8192}
    answer(server, "POST /api/show", shown(model_info=info))
    row = (await models.entries())["tiny:latest"].row(None)
    assert (row.identity, row.path, row.quantization) == ("digest of tiny:latest", None, "Q4_1")
    assert (row.architecture, row.context_length) == ("llama", 8192)


@pytest.mark.parametrize(
    ("parameters", "usual", "trained", "expected"),
    [
        pytest.param("num_ctx 1024", None, 2048, 1024, id="the model's own"),
        pytest.param("num_ctx 1024", 512, 2048, 1024, id="which goes before the server's"),
        pytest.param("", 512, 2048, 512, id="the server's"),
        pytest.param("num_ctx 4096", None, 2048, 2048, id="never more than it was trained for"),
        pytest.param("", None, 131_072, USUAL_CONTEXT, id="ours"),
        pytest.param("", None, 2048, 2048, id="ours, and never more than it was trained for"),
        pytest.param("", None, None, None, id="unknown"),
    ],
)
async def test_the_context_of_a_load_that_names_none_is_told_where_it_is_known(
    server: Scripted, models: Inventory, parameters: str, usual: int | None, trained: int | None, expected: int | None
) -> None:
    info = {"general.architecture": "llama", "llama.context_length": trained}
    answer(server, "POST /api/show", shown(parameters=parameters, model_info=info))
    assert (await models.entries())["tiny:latest"].row(usual).default_context == expected


@pytest.mark.parametrize(
    ("listed", "capabilities", "words"),
    [
        pytest.param({"remote_host": "https://ollama.com"}, ["completion"], "cloud", id="a cloud model"),
        pytest.param({}, ["image"], "is for image", id="a model for pictures"),
    ],
)
async def test_what_is_of_no_use_says_why(
    server: Scripted, models: Inventory, listed: dict[str, Any], capabilities: list[str], words: str
) -> None:
    answer(server, "GET /api/tags", tags(a_listed("tiny:latest", **listed)))
    answer(server, "POST /api/show", shown(capabilities=capabilities))
    refusal = (await models.entries())["tiny:latest"].refusal
    assert refusal is not None
    assert words in refusal


async def test_a_file_that_is_cut_off_is_refused_by_the_models_name(models: Inventory, tmp_path: Path) -> None:
    put_model(tmp_path / "models", "tiny:latest", write_truncated(tmp_path / "cut.gguf"))
    refusal = (await models.entries())["tiny:latest"].refusal
    assert refusal is not None
    assert refusal.startswith("tiny:latest is truncated")


async def test_the_server_is_not_asked_again_while_nothing_changes(server: Scripted, models: Inventory) -> None:
    await models.entries()
    await models.entries()
    assert (asked(server, "GET /api/tags"), asked(server, "POST /api/show")) == (1, 1)


async def test_a_new_manifest_is_noticed_and_only_the_new_model_is_asked_about(
    server: Scripted, models: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "STORE_SECONDS", 0)
    await models.entries()
    put_model(tmp_path / "models", "new:7b", write_tiny(tmp_path / "new.gguf", Tiny(seed=2)))
    answer(server, "GET /api/tags", tags(a_listed("tiny:latest"), a_listed("new:7b")))
    assert set(await models.entries()) == {"tiny:latest", "new:7b"}
    assert asked(server, "POST /api/show") == 2


async def test_a_long_list_is_told_at_once_and_its_details_follow(
    server: Scripted, models: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(server, "GET /api/tags", tags(a_listed("one:1b"), a_listed("two:2b")))
    monkeypatch.setattr(inventory, "SHOW_SECONDS", -1)
    assert [entry.shown for entry in (await models.entries()).values()] == [None, None]
    monkeypatch.setattr(inventory, "SHOW_SECONDS", 5)
    assert all(entry.shown for entry in (await models.entries()).values())


async def test_a_model_that_cannot_be_shown_is_listed_all_the_same(server: Scripted, models: Inventory) -> None:
    answer(server, "POST /api/show", Reply(b'{"error":"broken"}', 500))
    assert set(await models.entries()) == {"tiny:latest"}


async def test_a_model_that_has_just_come_is_found(server: Scripted, models: Inventory) -> None:
    assert await models.find("new") is None
    answer(server, "GET /api/tags", tags(a_listed("new:latest")))
    found = await models.find("New")
    assert found is not None
    assert found.name == "new:latest"


async def test_two_models_of_one_file_are_both_named_for_it(
    server: Scripted, models: Inventory, tmp_path: Path
) -> None:
    weights = write_tiny(tmp_path / "tiny.gguf")
    blob = put_model(tmp_path / "models", "tiny:latest", weights)
    put_model(tmp_path / "models", "twin:latest", weights)
    await models.look_at_disk()
    assert set(models.names()[blob.name]) == {"tiny:latest", "twin:latest"}
    assert asked(server, "GET /api/tags") == 0, "names of orphans are needed while the server is gone"


async def test_a_server_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    http = Http("127.0.0.1:1")
    with pytest.raises(Unreachable):
        await Inventory(OllamaApi(http), lambda: tmp_path).entries()
    await http.close()


async def test_what_makes_embeddings_can_be_loaded_for_that(server: Scripted, models: Inventory) -> None:
    answer(server, "GET /api/tags", tags(a_listed("tiny:latest")))
    answer(server, "POST /api/show", shown(capabilities=["embedding"]))
    entry = (await models.entries())["tiny:latest"]
    assert (entry.refusal, entry.embeds) == (None, True)
