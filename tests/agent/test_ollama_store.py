from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fleetview_agent import ollama_store
from fleetview_agent.ollama_store import models_folder, stored_models
from tests.gguf_files import Tiny, write_tiny
from tests.ollama.store import MODEL, PROJECTOR, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def names(store: Store) -> list[str]:
    return [model.name for model in stored_models(store.folder)]


def put(store: Store, name: str, *layers: dict[str, object]) -> Path:
    """A manifest with any layers."""
    path = store.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
    return path


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("smollm2", "smollm2:latest"),
        ("llama3.3:70b-instruct-q4_K_M", "llama3.3:70b-instruct-q4_K_M"),
        ("someone/model:v1", "someone/model:v1"),
        ("hf.co/user/Repo-GGUF:Q4_K_M", "hf.co/user/Repo-GGUF:Q4_K_M"),
        ("registry.example:5000/library/model", "registry.example:5000/library/model:latest"),
    ],
)
def test_a_model_is_named_as_ollama_names_it(store: Store, tmp_path: Path, name: str, shown: str) -> None:
    store.create(name, write_tiny(tmp_path / "a.gguf"))
    assert names(store) == [shown]


def test_a_model_is_its_file(store: Store, tmp_path: Path) -> None:
    gguf = write_tiny(tmp_path / "a.gguf")
    digest = store.create("tiny", gguf)
    (model,) = stored_models(store.folder)
    assert model.blob.read_bytes() == gguf.read_bytes()
    assert (model.size_bytes, model.digest, model.projector, model.is_gguf) == (
        *(gguf.stat().st_size, digest),
        None,
        True,
    )


def test_models_come_in_the_order_of_their_names(store: Store, tmp_path: Path) -> None:
    gguf = write_tiny(tmp_path / "a.gguf")
    for name in ("smol-1k", "smol:v2", "smol", "apple"):
        store.create(name, gguf)
    assert names(store) == ["apple:latest", "smol:latest", "smol:v2", "smol-1k:latest"]


def test_a_projector_and_other_formats_are_told(store: Store) -> None:
    weights, eyes = store.add(b"ggjt, from before GGUF"), store.add(b"GGUF eyes")
    put(store, "llava", {"mediaType": MODEL, "digest": weights}, {"mediaType": PROJECTOR, "digest": eyes})
    (model,) = stored_models(store.folder)
    assert not model.is_gguf
    assert model.projector == store.blob(eyes)


def test_a_manifest_that_was_replaced_is_read_again(store: Store, tmp_path: Path) -> None:
    first = store.create("tiny", write_tiny(tmp_path / "a.gguf"))
    assert [model.digest for model in stored_models(store.folder)] == [first]
    second = store.create("tiny", write_tiny(tmp_path / "b.gguf", Tiny(name="another")))
    assert [model.digest for model in stored_models(store.folder)] == [second]
    store.delete("tiny")
    assert stored_models(store.folder) == ()


def test_models_without_one_file_of_weights_are_left_out(store: Store) -> None:
    there, gone = store.add(b"GGUF"), f"sha256:{'a' * 64}"
    put(store, "safetensors", {"mediaType": "application/vnd.ollama.image.tensor", "digest": there})
    put(store, "pulled-in-part", {"mediaType": MODEL, "digest": gone})
    store.blob(f"sha256:{'b' * 64}").mkdir()
    put(store, "folder", {"mediaType": MODEL, "digest": f"sha256:{'b' * 64}"})
    assert names(store) == []


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../etc/passwd",
        "sha256:" + "A" * 64,
        "sha256-" + "a" * 64,
        "",
        7,
        None,
        "sha256:" + "a" * 64 + "\n",
    ],
)
def test_a_digest_leads_nowhere_but_to_a_blob(store: Store, digest: object) -> None:
    put(store, "evil", {"mediaType": MODEL, "digest": digest})
    assert names(store) == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "7", '{"layers": 7}', '{"layers": [7]}', "{not json", "\x00\xff"),
        "[" * 100_000,
        '{"layers": ' + "[" * 100_000,
        '{"layers": [], "x": "' + "a" * (1 << 20) + '"}',
    ],
    ids=lambda text: text[:12],
)
def test_a_manifest_that_makes_no_sense_hides_no_other(store: Store, tmp_path: Path, text: str) -> None:
    store.create("good", write_tiny(tmp_path / "a.gguf"))
    put(store, "evil").write_text(text)
    assert names(store) == ["good:latest"]


def test_files_in_odd_places_and_under_odd_names_are_left_out(store: Store, tmp_path: Path) -> None:
    store.create("good", write_tiny(tmp_path / "a.gguf"))
    manifest = store.path("good")
    for place in (".DS_Store", "deep/er/and/deep/er", "registry.ollama.ai/library/bad name/latest", "x/y/z/\x1b[2J"):
        odd = store.folder / "manifests" / place
        odd.parent.mkdir(parents=True, exist_ok=True)
        odd.write_bytes(manifest.read_bytes())
    os.mkfifo(manifest.with_name("pipe"))
    manifest.with_name("loop").symlink_to("loop")
    (manifest.parents[2] / "round").symlink_to(store.folder / "manifests")
    assert names(store) == ["good:latest"]


def test_a_great_many_manifests_are_not_all_read(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_store, "MAX_MANIFESTS", 3)
    gguf = write_tiny(tmp_path / "a.gguf")
    for number in range(5):
        store.create(f"model-{number}", gguf)
    assert len(stored_models(store.folder)) == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_is_closed_to_us_holds_nothing(store: Store, tmp_path: Path) -> None:
    store.create("good", write_tiny(tmp_path / "a.gguf"))
    store.folder.chmod(0o000)
    try:
        assert names(store) == []
        assert models_folder(store.folder) == store.folder
    finally:
        store.folder.chmod(0o700)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert stored_models(tmp_path / "nowhere") == ()


def test_the_folder_is_looked_for_where_ollama_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, own = tmp_path / "service", tmp_path / ".ollama" / "models"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("OLLAMA_MODELS", raising=False)
    monkeypatch.setattr(ollama_store, "SERVICE_FOLDER", service)
    assert models_folder(None) == own
    service.mkdir()
    assert models_folder(None) == service
    own.mkdir(parents=True)
    assert models_folder(None) == own
    monkeypatch.setenv("OLLAMA_MODELS", "/elsewhere")
    assert models_folder(None) == Path("/elsewhere")
    assert models_folder(Path("/configured")) == Path("/configured")
