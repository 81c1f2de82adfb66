from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from fleetview_agent.backends import Notices, build_backends
from fleetview_agent.backends.llamacpp.inventory import Inventory
from fleetview_agent.config import AgentConfig, OllamaConfig
from fleetview_agent.wire import LoadOptions
from tests.gguf_files import Tiny, write_tiny, write_truncated
from tests.ollama.store import MODEL, Store


@pytest.fixture
def store(home: Path) -> Store:
    return Store(home / ".ollama" / "models")


def inventory(store: Store, *folders: Path) -> Inventory:
    return Inventory(folders, store.folder)


def write_keys(path: Path, **keys: float | str) -> Path:
    """A file of one tensor with these keys, dots as two underscores."""
    writer = gguf.GGUFWriter(path, str(keys.pop("architecture")))
    for key, value in keys.items():
        add = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        add(key.replace("__", "."), value)
    writer.add_tensor("x", np.ones(32, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def put(store: Store, path: Path) -> None:
    """A model of the name `m` out of a file that Ollama would not understand so easily."""
    store.write_manifest("m", b"{}", [{"mediaType": MODEL, "digest": store.add(path.read_bytes())}])


async def test_a_blob_is_a_model_under_ollamas_name(home: Path, store: Store) -> None:
    write_tiny(home / "m" / "Own.gguf", Tiny(name="own"))
    store.create("tiny", write_tiny(home / "b.gguf", Tiny(name="stored")))
    files = await inventory(store, home / "m").files()
    assert list(files) == ["Own", "tiny:latest"]
    row = files["tiny:latest"].row("tiny:latest")
    assert row.refusal is None
    assert row.path == str(store.weights("tiny"))
    assert row.identity == store.header("tiny").identity


async def test_several_names_of_one_blob_are_one_model_under_the_oldest(home: Path, store: Store) -> None:
    path = write_tiny(home / "b.gguf")
    store.create("tiny", path)
    store.create("a-later-one", path, num_ctx=1024)
    assert list(await inventory(store).files()) == ["tiny:latest"]


async def test_a_blob_that_also_lies_in_a_folder_is_shown_once_under_its_file_name(home: Path, store: Store) -> None:
    store.create("tiny", write_tiny(home / "m" / "A.gguf"))
    assert list(await inventory(store, home / "m").files()) == ["A"]


async def test_what_ollama_fetched_is_found_at_once_by_its_name_and_gone_when_it_was_deleted(
    home: Path, store: Store
) -> None:
    files = inventory(store)
    assert await files.files() == {}
    store.create("tiny", write_tiny(home / "b.gguf"))
    assert await files.find("tiny:latest") is not None
    store.delete("tiny")
    assert await files.files(afresh=True) == {}


async def test_refusals_name_the_model_and_not_its_digest(home: Path, store: Store) -> None:
    store.create("cut", write_truncated(home / "b.gguf"))
    digest = store.add(b"ggjt, from before GGUF")
    store.write_manifest("old", b"{}", [{"mediaType": MODEL, "digest": digest}])
    files = await inventory(store).files()
    assert (files["cut:latest"].refusal or "").startswith("cut:latest is truncated")
    assert (files["old:latest"].refusal or "").startswith("old:latest is not a GGUF file")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"architecture": "gptoss"}, "architecture gptoss"),
        ({"architecture": "qwen25vl"}, "architecture qwen25vl"),
        ({"architecture": "gemma3", "gemma3__vision__block_count": 27}, "converted by Ollama"),
        ({"architecture": "gemma3", "gemma3__rope__global__freq_base": 1e6}, "converted by Ollama"),
        ({"architecture": "mistral3", "mistral3__rope__scaling__beta_fast": 32.0}, "converted by Ollama"),
    ],
)
async def test_files_that_only_ollama_reads_are_refused(
    home: Path, store: Store, keys: dict[str, int | float | str], words: str
) -> None:
    put(store, write_keys(home / "b", **keys))
    found = (await inventory(store).files())["m:latest"]
    assert words in (found.refusal or "")
    assert "m:latest" in (found.refusal or "")


async def test_ordinary_files_of_the_same_architectures_are_not_refused(home: Path, store: Store) -> None:
    put(store, write_keys(home / "b", architecture="gemma3", gemma3__rope__freq_base=1e6))
    assert (await inventory(store).files())["m:latest"].refusal is None


async def test_the_backend_finds_ollamas_models_and_runs_one(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python comes with the extra llamacpp")
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    store.create("tiny", write_tiny(home / "b.gguf"))
    config = AgentConfig(ollama=OllamaConfig(enabled=False))
    (backend,) = build_backends(config, Notices(lambda: None))
    try:
        await backend.load("tiny:latest", LoadOptions(context=256), lambda _share: None)
        await backend.warm("tiny:latest")
        assert [model.name for model in (await backend.status()).resident] == ["tiny:latest"]
    finally:
        await backend.close()
