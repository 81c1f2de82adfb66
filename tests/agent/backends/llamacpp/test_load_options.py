from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import LlamaCppBackend
from fleetview_agent.backends.llamacpp.options import OPTIONS, difference, in_full
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, Unusable
from fleetview_agent.needs import LoadSettings
from fleetview_agent.wire import LoadOptions
from tests.agent.backends.llamacpp.bench import Bench
from tests.gguf_files import Tiny, write_tiny

ALL = LoadOptions(
    context=512,
    batch=64,
    flash_attention=True,
    cache_type_k="bf16",
    cache_type_v="f32",
    gpu_layers=0,
    mmap=False,
    mlock=False,
    threads=1,
    chat_template="{{ messages[0].content }}",
)


def silent(_share: float) -> None:
    """Nobody wants to know how far a load is."""


def test_what_is_not_asked_for_is_as_configured_and_what_is_not_configured_has_a_default() -> None:
    config = LlamaCppConfig(threads=3, mmap=False, cache_type_k="q8_0")
    options = in_full(LoadOptions(mmap=True, batch=1024), config, 4096)
    assert (options.mmap, options.threads, options.cache_type_k, options.batch) == (True, 3, "q8_0", 1024)
    assert (options.cache_type_v, options.flash_attention, options.gpu_layers, options.mlock) == (
        "f16",
        True,
        -1,
        False,
    )
    assert all(getattr(options, name) is not None for name in OPTIONS if name != "chat_template")
    assert in_full(LoadOptions(), LlamaCppConfig(), 100).batch == 100  # no more than there is room for


def test_only_what_was_named_can_be_different() -> None:
    loaded = in_full(LoadOptions(batch=64), LlamaCppConfig(), 512)
    assert difference(LoadOptions(context=512, batch=64, keep=3), loaded) is None
    assert difference(LoadOptions(mlock=True), loaded) == "mlock False, not True"
    assert difference(LoadOptions(chat_template="x"), loaded) == "another chat template"


async def test_settings_are_those_of_the_load_that_would_come(home: Path) -> None:
    write_tiny(home / "m" / "A.gguf")
    backend = LlamaCppBackend(LlamaCppConfig(folders=(home / "m",), cache_type_v="q8_0"), lambda: None)
    settings = await backend.settings("A", LoadOptions(batch=2048, cache_type_k="q4_0"), 8192)
    assert settings == LoadSettings(context=8192, batch=2048, cache_type_k="q4_0", cache_type_v="q8_0")
    with pytest.raises(NotFound):
        await backend.settings("B", LoadOptions(), 8192)
    with pytest.raises(Unusable, match="the chat template is damaged: Unexpected end of template"):
        await backend.settings("A", LoadOptions(chat_template="{% if messages %}"), 8192)


async def test_every_option_reaches_the_engine(bench: Bench) -> None:
    assert set((await bench.backend.status()).load_options) == set(LoadOptions.model_fields) - {"context", "keep"}
    write_tiny(bench.folder / "A.gguf", Tiny(chat_template="{% damaged"))
    await bench.backend.load("A", ALL, silent)
    row = await bench.row("A")
    assert (row.options, row.context) == (ALL, 512)
    assert row.memory_bytes > 0
    said = "\n".join(bench.backend._residents["A"]._child.log)
    assert "K (bf16)" in said
    assert "V (f32)" in said
    assert (await bench.answer("A", "hello", max_tokens=1))[-1].usage.prompt_tokens == len("hello")
    await bench.backend.load("A", LoadOptions(context=512, batch=64), silent)
    with pytest.raises(BadRequest, match="resident with mmap False, not True"):
        await bench.backend.load("A", LoadOptions(context=512, mmap=True), silent)


async def test_a_damaged_template_is_refused_whoever_gave_it(bench: Bench) -> None:
    write_tiny(bench.folder / "A.gguf")
    with pytest.raises(BackendFailed, match="A could not be loaded: the chat template given for it is damaged"):
        await bench.backend.load("A", LoadOptions(chat_template="{% for %}"), silent)
    assert await bench.row("A") is None


async def test_a_setting_that_the_engine_cannot_have_is_refused_in_its_words(bench: Bench) -> None:
    write_tiny(bench.folder / "A.gguf")
    with pytest.raises(BackendFailed, match=r"A could not be loaded: .*K cache type q8_0 with block size 32") as caught:
        await bench.backend.load("A", LoadOptions(cache_type_k="q8_0"), silent)
    assert caught.value.exit_status == 1
    assert caught.value.log


@pytest.mark.skipif(sys.platform == "darwin", reason="a build for a Mac usually has what this is about")
async def test_on_a_mac_a_build_without_metal_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    await bench.load("A")
    row, state = await bench.row("A"), await bench.backend.status()
    assert "no Metal" in row.remark
    assert "no Metal" in state.hint
    assert (state.phase, row.gpu_memory_bytes) == ("ready", None)
