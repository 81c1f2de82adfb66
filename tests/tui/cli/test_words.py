"""Names and times on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.words.exits import CommandError, Exit
from fleetview.words.names import pick_model, pick_name
from fleetview.words.parser import parse
from fleetview.words.requests import change_request, keep_of, load_options
from fleetview_agent.wire import CreateRequest, LoadOptions, SwapRequest, UndoRequest
from tests.builders import a_backend_state, a_model_file, a_resident, a_snapshot

SAME = (a_model_file("qwen3:32b", identity="same"),)
OLLAMA = a_backend_state("ollama", abilities=("pull", "create", "delete"), models=SAME, resident=())
LLAMACPP = a_backend_state(models=SAME, resident=())


@pytest.mark.parametrize(
    ("words", "expected"),
    [("90s", 90.0), ("30m", 1800.0), ("1.5h", 5400.0), ("2d", 172_800.0), ("0s", 0.0), ("forever", "forever")],
)
def test_times_are_read(words: str, expected: object) -> None:
    assert keep_of(words) == expected


def test_the_default_is_the_engines_own_time() -> None:
    assert keep_of("default") is None


@pytest.mark.parametrize("words", ["", "soon", "30", "m", "-5m", "1h30m", "3651d", "99999999999s", "\u0661m"])
def test_what_is_no_time_is_told_with_what_would_be_one(words: str) -> None:
    with pytest.raises(CommandError, match="is no time to keep a model; say 90s, 30m") as wrong:
        keep_of(words)
    assert wrong.value.status == Exit.USAGE


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("gemma3:27b", ("ollama", "gemma3:27b")),
        ("ollama/gemma3:27b", ("ollama", "gemma3:27b")),
        ("hf.co/somebody/model:Q4_K_M", ("ollama", "hf.co/somebody/model:Q4_K_M")),
        ("llamacpp/gemma3:27b", ("llamacpp", "gemma3:27b")),
    ],
)
def test_a_model_that_is_not_there_yet_goes_to_the_engine_that_can(word: str, expected: tuple[str, str]) -> None:
    assert pick_name("studio", (OLLAMA, LLAMACPP), word, "pull") == expected


def test_where_no_engine_or_several_could_the_reason_is_told() -> None:
    with pytest.raises(CommandError, match="nothing on studio can pull a model: ollama is missing: install it") as none:
        pick_name("studio", (a_backend_state("ollama", phase="missing", hint="install it"), LLAMACPP), "x", "pull")
    assert none.value.status == Exit.REFUSED
    other = a_backend_state("other", abilities=("pull",))
    with pytest.raises(CommandError, match="x is not clear on studio: say ollama/x or other/x") as several:
        pick_name("studio", (OLLAMA, other), "x", "pull")
    assert several.value.status == Exit.USAGE


def test_a_file_that_two_engines_run_belongs_to_the_one_that_can_delete_it() -> None:
    assert pick_model("studio", (LLAMACPP, OLLAMA), "qwen3:32b") == ("ollama", "qwen3:32b")


def test_where_one_engine_has_it_in_memory_that_one_is_meant() -> None:
    ready = a_backend_state(models=SAME, resident=(a_resident("qwen3:32b"),))
    assert pick_model("studio", (ready, OLLAMA), "qwen3:32b") == ("llamacpp", "qwen3:32b")


def test_a_name_without_a_tag_has_the_usual_one() -> None:
    state = a_backend_state("ollama", models=(a_model_file("mini:latest"), a_model_file("mini:1b")), resident=())
    for word in ("mini", "ollama/mini", "mini:latest"):
        assert pick_model("studio", (state,), word) == ("ollama", "mini:latest")
    both = a_backend_state("ollama", models=(a_model_file("mini"), a_model_file("mini:latest")), resident=())
    assert pick_model("studio", (both,), "mini") == ("ollama", "mini")


def test_two_files_of_one_name_are_not_guessed_at() -> None:
    other = a_backend_state(models=(a_model_file("qwen3:32b", identity="another"),), resident=())
    with pytest.raises(CommandError, match="say llamacpp/qwen3:32b or ollama/qwen3:32b"):
        pick_model("studio", (other, OLLAMA), "qwen3:32b")


def test_a_swap_of_the_same_file_to_another_engine_takes_its_place_unless_told_otherwise() -> None:
    there = a_backend_state("ollama", models=SAME, resident=(a_resident("qwen3:32b"),))
    snapshot = a_snapshot(backends=(there, LLAMACPP))
    for words, evict in (
        ((), ("ollama/qwen3:32b",)),
        (("--evict", "auto"), "auto"),
        (("--evict", "none"), "none"),
    ):
        arguments = parse(("swap", "studio", "llamacpp/qwen3:32b", "--keep", "1h", *words))
        request = change_request(arguments, "studio", snapshot)
        assert isinstance(request, SwapRequest)
        assert (request.evict, request.options.keep) == (evict, 3600.0)


def test_a_model_is_made_from_a_file_or_from_another_model() -> None:
    snapshot = a_snapshot(backends=(OLLAMA, LLAMACPP))
    for source, expected in (("/models/x.gguf", "/models/x.gguf"), ("llamacpp/qwen3:32b", "llamacpp/qwen3:32b")):
        request = change_request(parse(("create", "studio", "mine", "--from", source)), "studio", snapshot)
        assert isinstance(request, CreateRequest)
        assert (request.backend, request.model, request.source) == ("ollama", "mine", expected)
    for words in (("create", "studio", "mine", "--from", "x.gguf"), ("pull", "studio", "x" * 2000)):
        with pytest.raises(CommandError) as wrong:
            change_request(parse(words), "studio", snapshot)
        assert wrong.value.status == Exit.USAGE


def test_an_orphan_is_named_with_its_process() -> None:
    orphan = a_backend_state("ollama", resident=(a_resident("small#4711", phase="orphaned"),))
    assert pick_model("studio", (orphan,), "ollama/small#4711") == ("ollama", "small#4711")


def test_every_option_of_a_load_can_be_said(tmp_path: Path) -> None:
    template = tmp_path / "chat.jinja"
    template.write_text("{{ messages }}")
    words = "--ctx 4096 --batch 256 --flash-attention off --cache-type-k q8_0 --cache-type-v f16 --gpu-layers all"
    more = ("--mmap", "on", "--mlock", "--threads", "4", "--template", str(template))
    assert load_options(parse(("load", "studio", "m", *words.split(), *more)), 60.0) == LoadOptions(
        context=4096,
        keep=60.0,
        batch=256,
        flash_attention=False,
        cache_type_k="q8_0",
        cache_type_v="f16",
        gpu_layers=-1,
        mmap=True,
        mlock=True,
        threads=4,
        chat_template="{{ messages }}",
    )
    assert load_options(parse(("plan", "studio", "m"))) == LoadOptions()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "the template cannot be read: no such file or directory"),
        (b" ", "there is no template in it"),
        (b"\xff\xfe", "a chat template is text in UTF-8, and this is not"),
        (b"x" * ((1 << 18) + 1), "a template has at most 262144 characters, and this is longer"),
    ],
)
def test_a_template_that_cannot_be_used_is_told_before_anything_is_asked(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "chat.jinja"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=said) as wrong:
        load_options(parse(("load", "studio", "m", "--template", str(file))))
    assert wrong.value.status == Exit.USAGE


def test_an_undo_names_an_operation_or_leaves_it_to_the_node() -> None:
    for words, operation in (((), None), (("--operation", "4f2a"), "4f2a")):
        request = change_request(parse(("undo", "studio", *words)), "studio", a_snapshot())
        assert isinstance(request, UndoRequest)
        assert request.operation == operation
    with pytest.raises(CommandError, match="--operation takes an id"):
        change_request(parse(("undo", "studio", "--operation", "")), "studio", a_snapshot())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--mmap yes", "--mmap cannot be yes; say on or off"),
        ("--cache-type-k q8", "--cache-type-k cannot be q8; did you mean q8_0?"),
        ("--gpu-layers some", "some is not a whole number from 0 to 10000, nor is it all"),
        ("--keep 5x", "unrecognized arguments: --keep 5x; see fleetview plan --help"),
    ],
)
def test_a_wrong_option_is_told_with_what_would_be_right(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["plan", "here", "large", *words.split()])
    assert told in capsys.readouterr().err


def test_a_model_of_an_engine_that_is_stopped_is_told_with_what_starts_it() -> None:
    asleep = a_backend_state("ollama", phase="stopped", models=(), resident=(), hint="fleetview start NODE ollama")
    with pytest.raises(CommandError, match=r"has ollama/qwen3:32b: ollama is stopped: fleetview start studio ollama$"):
        pick_model("studio", (asleep, LLAMACPP), "ollama/qwen3:32b")
