"""What a copy between nodes and a delete ask of this backend; no engine takes part in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fleetview_agent.backends import Deleting, Receiving, Storing
from fleetview_agent.backends.llamacpp import LlamaCppBackend, second_file
from fleetview_agent.backends.llamacpp import backend as module
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, Unusable
from fleetview_agent.planning.small_plans import plan_disk
from fleetview_agent.wire import DeleteRequest, ModelPart
from tests.builders import a_snapshot
from tests.gguf_files import Tiny, write_tiny, write_truncated
from tests.ollama.store import Store


@pytest.fixture
def backend(home: Path, monkeypatch: pytest.MonkeyPatch) -> LlamaCppBackend:
    """One that has a folder `m` of the operator and Ollama's blobs, and makes no file by itself."""
    monkeypatch.setattr(module, "is_installed", lambda: True)
    monkeypatch.setattr(second_file, "make", nothing)
    (home / "m").mkdir()
    return LlamaCppBackend(LlamaCppConfig(folders=(home / "m",)), lambda: None, ollama_models=home / "ollama")


async def nothing() -> bool:
    """Make no second file."""
    return False


def part_of(file: Path) -> ModelPart:
    data = file.read_bytes()
    return ModelPart(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), name=file.name)


def came(*files: Path) -> tuple[tuple[Path, ModelPart], ...]:
    return tuple((file, part_of(file)) for file in files)


async def names(backend: LlamaCppBackend) -> set[str]:
    return {file.name for file in (await backend.status()).models}


def in_the_hub(home: Path, name: str) -> tuple[Path, Path]:
    """A file as Hugging Face's cache has it: bytes under their sum, and a link for each of two revisions."""
    repository = home / ".cache/huggingface/hub/models--x--y"
    blob = write_tiny(repository / "blobs" / "draft", Tiny(name=name))
    blob = blob.rename(blob.with_name(part_of(blob).sha256))
    links = [repository / "snapshots" / revision / f"{name}.gguf" for revision in ("one", "two")]
    for link in links:
        link.parent.mkdir(parents=True)
        link.symlink_to(Path("../../blobs") / blob.name)
    return links[0], blob


async def test_it_can_delete_and_take_in_but_not_fetch(backend: LlamaCppBackend) -> None:
    assert isinstance(backend, Deleting)
    assert isinstance(backend, Receiving)
    assert not isinstance(backend, Storing)
    assert (await backend.status()).abilities == ("delete", "copy")


async def test_a_delete_takes_all_files_of_a_model_and_no_others(home: Path, backend: LlamaCppBackend) -> None:
    for number in (1, 2):
        write_tiny(home / "m" / f"A-0000{number}-of-00002.gguf", Tiny(name=f"part {number}"))
    write_tiny(home / "m" / "B.gguf", Tiny(name="B"))
    assert await names(backend) == {"A", "B"}
    await backend.delete("A")
    assert [file.name for file in (home / "m").iterdir()] == ["B.gguf"]
    assert await names(backend) == {"B"}
    with pytest.raises(NotFound):
        await backend.delete("A")


async def test_a_delete_in_the_cache_of_hugging_face_takes_the_bytes_behind_the_links(
    home: Path, backend: LlamaCppBackend
) -> None:
    link, blob = in_the_hub(home, "A")
    kept, _ = in_the_hub(home / "elsewhere", "B")
    (home / "m" / "B.gguf").symlink_to(kept)
    await backend.delete("A")
    assert not blob.exists()
    assert not list(link.parents[1].rglob("*.gguf"))
    await backend.delete("B")
    assert kept.exists()  # what an operator's own link leads to is theirs


async def test_what_belongs_to_others_is_refused_before_anything_happens(
    home: Path, backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(home / "ollama").create("tiny", write_tiny(home / "b.gguf"))
    carried = write_tiny(home / "package" / "C.gguf", Tiny(name="C"))
    monkeypatch.setattr(second_file, "carried", lambda: carried)
    state = await backend.status()
    for model, words in (("tiny:latest", "delete ollama/tiny:latest instead"), ("C", "part of an installed package")):
        request = DeleteRequest(author="me", backend="llamacpp", model=model)
        plan = plan_disk(request, a_snapshot(backends=(state,)), earlier=(), stores=True)
        assert words in (plan.refusal or "")
        with pytest.raises(BadRequest, match=words):
            await backend.delete(model)
    assert await names(backend) == {"tiny:latest", "C"}


async def test_a_delete_that_the_disk_does_not_allow_says_so(
    home: Path, backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(home / "m" / "A.gguf")

    def denied(path: Path, **_: bool) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", denied)
    with pytest.raises(BackendFailed, match=r"A could not be deleted: .*A.gguf: Permission denied"):
        await backend.delete("A")


async def test_a_model_consists_of_its_files_and_some_are_named_by_their_sums(
    home: Path, backend: LlamaCppBackend
) -> None:
    first, second = (write_tiny(home / "m" / f"A-0000{n}-of-00002.gguf", Tiny(name=f"{n}")) for n in (1, 2))
    link, blob = in_the_hub(home, "B")
    Store(home / "ollama").create("tiny", write_tiny(home / "b.gguf", Tiny(name="tiny")))
    assert await backend.parts("A") == ((first, None), (second, None))
    ((path, part),) = await backend.parts("B")
    assert (path.resolve(), part) == (blob, part_of(blob).model_copy(update={"name": link.name}))
    ((path, part),) = await backend.parts("tiny:latest")
    assert part == part_of(path)
    assert await backend.manifest("B") is None
    with pytest.raises(NotFound):
        await backend.parts("Nowhere")
    write_truncated(home / "m" / "Cut.gguf", Tiny(name="cut"))
    with pytest.raises(Unusable):
        await backend.parts("Cut")


async def test_files_that_came_become_a_model_of_the_name_that_was_asked_for(
    home: Path, backend: LlamaCppBackend
) -> None:
    one = came(write_tiny(home / "x1", Tiny(name="one")))
    two = came(*(write_tiny(home / f"y{n}", Tiny(name=f"{n}")) for n in (1, 2)))
    for model, files in (("llama3.2:1b", one), ("someone/Big", two)):
        assert await backend.room_for(model, tuple(part for _, part in files)) == home / "m"
        await backend.take_in(model, files, None)
    assert await names(backend) == {"llama3.2:1b", "Big"}
    assert sorted(file.name for file in (home / "m").iterdir()) == [
        *("Big-00001-of-00002.gguf", "Big-00002-of-00002.gguf", "llama3.2:1b.gguf")
    ]


async def test_the_same_content_is_taken_in_twice_without_harm_and_other_content_never(
    home: Path, backend: LlamaCppBackend
) -> None:
    there = write_tiny(home / "m" / "A.gguf", Tiny(name="A"))
    await backend.take_in("A", came(write_tiny(home / "x", Tiny(name="A"))), None)
    other = came(write_tiny(home / "y", Tiny(name="B", seed=2)))
    before = there.read_bytes()
    with pytest.raises(BadRequest, match=r"another A\.gguf"):
        await backend.take_in("A", other, None)
    assert there.read_bytes() == before
    assert other[0][0].exists()
    with pytest.raises(BadRequest, match=r"another A\.gguf"):
        await backend.room_for("A", (other[0][1].model_copy(update={"size_bytes": 7}),))


async def test_of_a_model_in_several_files_all_come_or_none(home: Path, backend: LlamaCppBackend) -> None:
    (home / "m" / "A-00001-of-00002.gguf").write_bytes(b"something else")
    with pytest.raises(BadRequest):
        await backend.take_in("A", came(*(write_tiny(home / f"x{n}", Tiny(name=f"{n}")) for n in (1, 2))), None)
    assert [file.name for file in (home / "m").iterdir()] == ["A-00001-of-00002.gguf"]


async def test_on_another_disk_the_bytes_are_copied_and_nothing_is_left_of_a_failure(
    home: Path, backend: LlamaCppBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def across(_source: Path, _target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("fleetview_agent.backends.llamacpp.arrivals.os.link", across)
    source = write_tiny(home / "x")
    await backend.take_in("A", came(source), None)
    assert (home / "m" / "A.gguf").read_bytes() == source.read_bytes()
    monkeypatch.setattr("fleetview_agent.backends.llamacpp.arrivals.shutil.copyfile", across)
    with pytest.raises(BackendFailed, match=r"B\.gguf cannot be put into .*Invalid cross-device link"):
        await backend.take_in("B", came(source), None)
    assert [file.name for file in (home / "m").iterdir()] == ["A.gguf"]


@pytest.mark.parametrize("model", ["..", "a/.hidden", "x" * 300, "line\nfeed", "ends/"])
async def test_no_name_leads_out_of_the_folder(home: Path, backend: LlamaCppBackend, model: str) -> None:
    files = came(write_tiny(home / "x"))
    with pytest.raises(BadRequest, match="cannot be the name of a GGUF file"):
        await backend.room_for(model, (files[0][1],))
    with pytest.raises(BadRequest):
        await backend.take_in(model, files, None)
    assert not list((home / "m").iterdir())


async def test_without_a_folder_of_the_operator_a_model_goes_to_our_own(home: Path) -> None:
    own = LlamaCppBackend(LlamaCppConfig(), lambda: None)
    files = came(write_tiny(home / "x"))
    assert await own.room_for("A", (files[0][1],)) == home / ".fleetview" / "models"
    await own.take_in("A", files, None)
    assert await own.parts("A") == ((home / ".fleetview" / "models" / "A.gguf", None),)
