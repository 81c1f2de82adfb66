"""A model of one Ollama becomes the same model of another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fleetview_agent.backends.ollama.receiving import folder_for, manifest_of, parts_of, put_in
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, Unusable
from fleetview_agent.wire import ModelPart
from tests.gguf_files import write_tiny
from tests.ollama.store import Store

NAMES = ("story", "somebody/story:q4", "hf.co/some-body/story-GGUF:Q8_0")
Files = tuple[tuple[Path, ModelPart], ...]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A models folder with a model of each kind of name."""
    store = Store(tmp_path / "there")
    for name in NAMES:
        store.create(name, write_tiny(tmp_path / "tiny.gguf"))
    return store


def brought(store: Store, model: str, folder: Path) -> Files:
    """The files of a model, as a copy has left them."""
    folder.mkdir()
    files = []
    for blob, part in parts_of(store.folder, model):
        assert part is not None
        files.append((Path(shutil.copyfile(blob, folder / f"{part.sha256}.part")), part))
    return tuple(files)


@pytest.mark.parametrize("name", NAMES)
def test_it_arrives_as_it_was(store: Store, tmp_path: Path, name: str) -> None:
    here = tmp_path / "here"
    files = brought(store, name, tmp_path / "incoming")
    assert folder_for(here, name) == here
    put_in(here, name, files, manifest_of(store.folder, name))
    arrived = Store(here)
    assert list(arrived.names()) == [name if ":" in name else f"{name}:latest"]
    assert arrived.path(name).read_bytes() == store.path(name).read_bytes()
    for blob, _ in parts_of(here, name):
        assert blob.read_bytes() == (store.folder / "blobs" / blob.name).read_bytes()
        assert blob.stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in here.iterdir()) == ["blobs", "manifests"]


def test_a_blob_that_another_model_has_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    here = Store(tmp_path / "here")
    weights = here.blob(here.create("other", tmp_path / "tiny.gguf"))
    before = weights.stat()
    put_in(here.folder, "story", brought(store, "story", tmp_path / "in"), manifest_of(store.folder, "story"))
    assert (weights.stat().st_ino, weights.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(here.names()) == ["other:latest", "story:latest"]


def test_a_manifest_that_does_not_go_with_the_files_is_refused_and_nothing_changes(
    store: Store, tmp_path: Path
) -> None:
    files = brought(store, "story", tmp_path / "in")
    manifest = manifest_of(store.folder, "story")
    here = tmp_path / "here"
    for wrong_files, wrong_manifest in ((files[1:], manifest), (files, None), (files, "{}"), (files, "[")):
        with pytest.raises(BadRequest):
            put_in(here, "story", wrong_files, wrong_manifest)
    assert not here.exists()


@pytest.mark.parametrize("name", ["../story", "a/b/c/d:e", "story:../../x", "/etc/passwd", "st ory", "", "a/../b:c"])
def test_no_name_leads_out_of_the_folder(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest):
        folder_for(tmp_path, name)
    with pytest.raises(NotFound):
        parts_of(store.folder, name)


def test_a_folder_that_cannot_even_be_looked_at_is_judged_by_the_one_above_it(tmp_path: Path) -> None:
    hidden = tmp_path / ("x" * 300)  # as with a closed folder, looking for it is an error
    assert folder_for(hidden, "story") == hidden


def test_a_model_with_a_missing_or_senseless_file_is_not_given_out(store: Store) -> None:
    store.path(NAMES[1]).write_text("{")
    with pytest.raises(Unusable):
        parts_of(store.folder, NAMES[1])
    weights = store.weights("story")
    assert weights is not None
    weights.unlink()
    with pytest.raises(Unusable, match=weights.name):
        parts_of(store.folder, "story")


def test_a_folder_in_which_it_cannot_be_put_is_told_of(store: Store, tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("in the way")
    files = brought(store, "story", tmp_path / "in")
    with pytest.raises(BackendFailed, match="cannot be put into"):
        put_in(tmp_path, "story", files, manifest_of(store.folder, "story"))
