from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import second_file
from fleetview_agent.backends.llamacpp.inventory import Inventory
from fleetview_agent.gguf import read_header
from tests.gguf_files import Tiny, write_cut_in_header, write_tiny, write_truncated, write_wrong_magic


async def names(*folders: Path) -> list[str]:
    return list(await Inventory(folders).files())


async def test_models_are_found_in_the_caches_of_other_programs(home: Path) -> None:
    llama_cpp = "Library/Caches/llama.cpp" if sys.platform == "darwin" else ".cache/llama.cpp"
    write_tiny(home / llama_cpp / "B.gguf", Tiny(name="B"))
    write_tiny(home / ".lmstudio/models/someone/thing/C.gguf", Tiny(name="C"))
    write_tiny(home / ".cache/fleetview/models/D.gguf", Tiny(name="D"))
    blob = write_tiny(home / ".cache/huggingface/hub/models--x--y/blobs/0123", Tiny(name="A"))
    snapshot = home / ".cache/huggingface/hub/models--x--y/snapshots/main"
    snapshot.mkdir(parents=True)
    (snapshot / "A.gguf").symlink_to(blob)
    assert sorted(await names()) == ["A", "B", "C", "D"]


async def test_a_model_is_described_by_its_header(home: Path) -> None:
    path = write_tiny(home / "m" / "Big.gguf", Tiny(name="Big", context_length=100_000))
    write_tiny(home / "m" / "Small.gguf", Tiny(name="Small", context_length=512))
    files = await Inventory((home / "m",)).files()
    row = files["Big"].row("Big")
    assert (row.architecture, row.quantization, row.context_length, row.default_context, row.refusal) == (
        *("llama", "F32", 100_000, 8192),
        None,
    )
    assert row.size_bytes == path.stat().st_size
    assert row.identity
    assert files["Small"].default_context == 512


async def test_a_home_folder_may_be_written_with_a_tilde(home: Path) -> None:
    write_tiny(home / "m" / "A.gguf")
    assert await names(Path("~/m")) == ["A"]


async def test_different_files_of_one_name_are_told_apart_by_their_folders(home: Path) -> None:
    write_tiny(home / "m/one/A.gguf", Tiny(name="first"))
    write_tiny(home / "m/two/A.gguf", Tiny(name="second"))
    write_tiny(home / "m/two/B.gguf", Tiny(name="other"))
    assert sorted(await names(home / "m")) == ["B", "one/A", "two/A"]


async def test_even_where_the_folders_have_one_name(home: Path) -> None:
    write_tiny(home / "m/x/gguf/A.gguf", Tiny(name="first"))
    write_tiny(home / "m/y/gguf/A.gguf", Tiny(name="second"))
    assert sorted(await names(home / "m")) == ["x/gguf/A", "y/gguf/A"]


async def test_the_same_content_is_shown_once(home: Path) -> None:
    write_tiny(home / "m/one/A.gguf")
    write_tiny(home / "m/two/Copy.gguf")
    (home / "m/three").mkdir()
    (home / "m/three/A.gguf").symlink_to(home / "m/one/A.gguf")
    assert len(await names(home / "m", home / "m/one")) == 1


async def test_two_models_that_say_the_same_of_themselves_are_two(home: Path) -> None:
    good = write_tiny(home / "m/one/A.gguf")
    damaged = write_tiny(home / "m/two/A.gguf")
    with damaged.open("r+b") as file:
        file.seek(good.stat().st_size // 2)
        file.write(b"\x55" * 20_000)
    assert sorted(await names(home / "m")) == ["one/A", "two/A"]


async def test_projectors_and_later_parts_are_no_models(home: Path) -> None:
    write_tiny(home / "m/mmproj-A-f16.gguf", Tiny(name="projector"))
    write_tiny(home / "m/A-00001-of-00002.gguf", Tiny(name="part 1"))
    second = write_tiny(home / "m/A-00002-of-00002.gguf", Tiny(name="part 2"))
    inventory = Inventory((home / "m",))
    assert list(await inventory.files()) == ["A"]
    assert (await inventory.files())["A"].size_bytes > second.stat().st_size * 1.9


async def test_the_weights_of_all_parts_are_counted_and_a_truncated_one_is_named(home: Path) -> None:
    first = read_header(write_tiny(home / "m/A-00001-of-00002.gguf", Tiny(name="part 1")))
    write_tiny(home / "m/A-00002-of-00002.gguf", Tiny(name="part 2"))
    inventory = Inventory((home / "m",))
    header = (await inventory.files())["A"].header
    assert header is not None
    assert header.tensor_bytes == 2 * first.tensor_bytes
    write_truncated(home / "m/A-00002-of-00002.gguf", Tiny(name="part 2"))
    refusal = (await inventory.files(afresh=True))["A"].refusal or ""
    assert refusal.startswith("A-00002-of-00002.gguf is truncated")


async def test_a_missing_part_is_named(home: Path) -> None:
    write_tiny(home / "m/A-00001-of-00002.gguf")
    found = await Inventory((home / "m",)).find("A")
    assert found is not None
    assert "A-00002-of-00002.gguf is missing" in (found.refusal or "")


@pytest.mark.parametrize(
    ("write", "words"),
    [(write_wrong_magic, "GGUF"), (write_truncated, "truncated"), (write_cut_in_header, "truncated")],
)
async def test_a_file_that_cannot_be_loaded_is_listed_with_the_reason(
    home: Path, write: Callable[[Path], Path], words: str
) -> None:
    write(home / "m" / "Bad.gguf")
    found = await Inventory((home / "m",)).find("Bad")
    assert found is not None
    assert words in (found.refusal or "")
    assert found.row("Bad").refusal == found.refusal


async def test_loops_of_links_and_closed_folders_do_no_harm(home: Path) -> None:
    write_tiny(home / "m/a/A.gguf")
    (home / "m/a/loop").symlink_to(home / "m")
    (home / "m/dangling.gguf").symlink_to(home / "nowhere")
    closed = home / "m/closed"
    closed.mkdir(mode=0o000)
    os.mkfifo(home / "m/pipe.gguf")
    try:
        files = await Inventory((home / "m",)).files()
    finally:
        closed.chmod(0o700)
    assert "A" in files
    assert files["pipe"].refusal
    assert set(files) == {"A", "pipe"}


async def test_a_new_file_is_found_at_once_by_its_name_and_soon_in_the_list(home: Path) -> None:
    write_tiny(home / "m/A.gguf", Tiny(name="A"))
    inventory = Inventory((home / "m",))
    assert list(await inventory.files()) == ["A"]
    write_tiny(home / "m/B.gguf", Tiny(name="B"))
    assert await inventory.find("B") is not None
    (home / "m/B.gguf").unlink()
    assert list(await inventory.files(afresh=True)) == ["A"]


async def test_a_header_is_read_once_and_again_when_the_file_is_another(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny(home / "m/A.gguf", Tiny(name="before"))
    inventory = Inventory((home / "m",))
    before = (await inventory.files())["A"].header
    assert (await inventory.files(afresh=True))["A"].header is before
    write_tiny(path, Tiny(name="after, and longer"))
    after = (await inventory.files(afresh=True))["A"].header
    assert after is not None
    assert after.name == "after, and longer"


async def test_the_carried_model_is_found_without_importing_its_package(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "site" / "carrier_of_a_model"
    write_tiny(package / "Carried.gguf", Tiny(name="Carried"))
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setattr(second_file, "CARRIER", "carrier_of_a_model")
    assert await names() == ["Carried"]


async def test_a_name_that_is_no_text_can_still_be_told(home: Path) -> None:
    write_tiny(Path(os.fsdecode(os.fsencode(home / "m") + b"/odd-\xff.gguf")))
    ((name, found),) = (await Inventory((home / "m",)).files()).items()
    assert name == "odd-\N{REPLACEMENT CHARACTER}"
    assert found.row(name).model_dump_json()


async def test_a_link_to_itself_hides_no_other_file(home: Path) -> None:
    write_tiny(home / "m" / "A.gguf")
    (home / "m" / "loop.gguf").symlink_to("loop.gguf")
    assert await names(home / "m") == ["A"]
