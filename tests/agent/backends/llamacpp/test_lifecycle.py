from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetview_agent.backends.llamacpp import LlamaCppBackend
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.errors import BackendFailed, BadRequest, NotFound, NotResident, Unusable
from fleetview_agent.wire import LoadOptions
from tests.agent.backends.llamacpp.bench import Bench, is_gone, until
from tests.gguf_files import Tiny, write_missing_tensor, write_tiny, write_truncated, write_unknown_architecture


async def test_without_the_engine_the_backend_says_how_to_get_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llama_cpp" else real(name))
    backend = LlamaCppBackend(LlamaCppConfig(), lambda: None)
    state = await backend.status()
    assert state.phase == "missing"
    assert "fleetview-agent[llamacpp]" in (state.hint or "")
    await backend.close()


def test_the_agent_itself_never_imports_the_engine() -> None:
    script = "import sys, fleetview_agent.backends.llamacpp; sys.exit('llama_cpp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_worker_starts_without_what_only_the_agent_needs() -> None:
    script = (
        "import sys, fleetview_agent.llamacpp_worker.commands, fleetview_agent.llamacpp_worker.pipe\n"
        "sys.exit(bool({'pydantic', 'asyncio', 'fleetview_agent.wire'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


async def test_a_loaded_model_is_ready_with_measured_figures(bench: Bench) -> None:
    shares: list[float] = []
    write_tiny(bench.folder / "A.gguf", Tiny(name="A", context_length=32_768))
    await bench.backend.load("A", LoadOptions(), shares.append)
    row = await bench.row("A")
    state = await bench.backend.status()
    assert (state.phase, state.backend) == ("ready", "llamacpp")
    assert state.version
    assert (row.phase, row.context, row.quantization, row.progress) == ("ready", 8192, "F32", None)
    cache_bytes = 8192 * 2 * 2 * 32 * 2  # tokens, blocks, keys and values, two heads of 16, f16
    assert row.memory_bytes > cache_bytes + 300_000
    assert row.pid != os.getpid()
    assert not is_gone(row.pid)
    assert row.idle_seconds >= 0
    assert shares
    assert all(0 <= share <= 1 for share in shares)


async def test_loading_is_shown_while_it_lasts(bench: Bench) -> None:
    write_tiny(bench.folder / "A.gguf")
    load = asyncio.create_task(bench.backend.load("A", LoadOptions(), lambda _: None))
    await until(lambda: bench.changes > 0)
    assert (await bench.row("A")).phase == "loading"
    with pytest.raises(NotResident):
        await bench.answer("A")
    with pytest.raises(BadRequest):
        await bench.backend.load("A", LoadOptions(), lambda _: None)
    await load
    assert (await bench.row("A")).phase == "ready"


async def test_a_model_that_was_prepared_for_loads_without_waiting_for_imports(bench: Bench) -> None:
    async with bench.backend.preparing():
        spare = bench.backend._spare
        await bench.load("A")
        assert (await bench.row("A")).pid == spare.pid
    assert bench.backend._spare is None
    assert not is_gone(spare.pid)
    await bench.answer("A", max_tokens=1)


async def test_a_preparation_that_was_not_needed_leaves_no_process(bench: Bench) -> None:
    async with bench.backend.preparing():
        pid = bench.backend._spare.pid
        assert not is_gone(pid)
    assert is_gone(pid)


async def test_a_spare_that_died_is_not_used(bench: Bench) -> None:
    async with bench.backend.preparing():
        os.kill(bench.backend._spare.pid, signal.SIGKILL)
        await bench.backend._spare.ended()
        await bench.load("A")
    assert (await bench.row("A")).phase == "ready"


async def test_loading_what_is_there_changes_nothing_and_another_context_is_refused(bench: Bench) -> None:
    await bench.load("A", context=1024)
    pid = (await bench.row("A")).pid
    await bench.backend.load("A", LoadOptions(context=1024), lambda _: None)
    assert (await bench.row("A")).pid == pid
    with pytest.raises(BadRequest, match="1024 tokens, not 2048"):
        await bench.backend.load("A", LoadOptions(context=2048), lambda _: None)
    assert (await bench.row("A")).pid == pid


async def test_unloading_ends_the_process_and_forgets_the_model(bench: Bench) -> None:
    await bench.load("A")
    pid, child = (await bench.row("A")).pid, bench.backend._residents["A"]._child
    await bench.backend.unload("A")
    assert is_gone(pid)
    assert child.exit_status == 0  # by itself, not by a signal
    assert await bench.row("A") is None
    with pytest.raises(NotResident):
        await bench.backend.unload("A")
    with pytest.raises(NotResident):
        await bench.answer("A")


async def test_a_process_that_does_not_listen_is_killed(bench: Bench) -> None:
    await bench.load("A")
    pid = (await bench.row("A")).pid
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(4):
        await bench.backend.unload("A")
    assert is_gone(pid)


async def test_unloading_ends_answers_in_progress_and_in_line(bench: Bench) -> None:
    await bench.load_long("A")
    answers = [asyncio.create_task(bench.answer("A")) for _ in range(3)]
    await until(lambda: bench.traffic.queued == 2)
    await bench.backend.unload("A")
    for answer in answers:
        with pytest.raises(BackendFailed, match="A was unloaded"):
            await answer


async def test_a_cancelled_load_leaves_no_process_and_no_model(bench: Bench) -> None:
    write_tiny(bench.folder / "A.gguf")
    load = asyncio.create_task(bench.backend.load("A", LoadOptions(), lambda _: None))
    await until(lambda: "A" in bench.backend._residents and bench.backend._residents["A"]._child is not None)
    pid = bench.backend._residents["A"]._child.pid
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    assert is_gone(pid)
    assert await bench.row("A") is None
    await bench.backend.load("A", LoadOptions(), lambda _: None)


async def test_closing_ends_everything(home: Path, bench: Bench) -> None:
    await bench.load("A")
    await bench.load("B")
    rows = (await bench.backend.status()).resident
    async with bench.backend.preparing():
        pids = [*(row.pid for row in rows), bench.backend._spare.pid]
        await bench.backend.close()
        assert len(pids) == 3
        assert all(map(is_gone, pids))


async def test_an_unknown_model_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no model Nowhere"):
        await bench.backend.load("Nowhere", LoadOptions(), lambda _: None)
    with pytest.raises(NotFound):
        await bench.backend.header("Nowhere")


async def test_a_truncated_file_is_refused_before_any_process_is_started(bench: Bench) -> None:
    write_truncated(bench.folder / "Cut.gguf")
    with pytest.raises(Unusable, match="truncated"):
        await bench.backend.load("Cut", LoadOptions(), lambda _: None)
    with pytest.raises(Unusable):
        await bench.backend.header("Cut")
    assert bench.changes == 0


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (write_missing_tensor, "tensor 'blk.1.attn_q.weight' not found"),
        (write_unknown_architecture, "unknown model architecture: 'tomorrow'"),
    ],
)
async def test_what_only_the_engine_finds_out_is_told_in_its_words(
    bench: Bench, write: Callable[[Path], Path], words: str
) -> None:
    write(bench.folder / "Bad.gguf")
    with pytest.raises(BackendFailed) as caught:
        await bench.backend.load("Bad", LoadOptions(), lambda _: None)
    assert caught.value.message == f"Bad could not be loaded: {caught.value.message.partition(': ')[2]}"
    assert words in caught.value.message
    assert any("error loading model" in line for line in caught.value.log)
    assert caught.value.exit_status == 1
    assert await bench.row("Bad") is None


async def test_a_damaged_chat_template_fails_the_load_in_plain_words(bench: Bench) -> None:
    with pytest.raises(BackendFailed, match="chat template is damaged"):
        await bench.load("A", Tiny(chat_template="{% for %}"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of another process")
async def test_a_load_without_enough_memory_fails_and_says_so(bench: Bench) -> None:
    import resource  # not everywhere

    async with bench.backend.preparing():
        resource.prlimit(bench.backend._spare.pid, resource.RLIMIT_AS, (3 << 30, 3 << 30))
        with pytest.raises(BackendFailed, match=r"A could not be loaded: .*insufficient memory") as caught:
            await bench.load("A", context=1 << 24)
    assert caught.value.log
    assert await bench.row("A") is None


async def test_warming_generates_a_token_and_is_no_answer(bench: Bench) -> None:
    await bench.load("A")
    await bench.backend.warm("A")
    assert (await bench.row("A")).time_to_first_token_seconds is None
    await bench.answer("A", max_tokens=2)
    assert (await bench.row("A")).time_to_first_token_seconds > 0


async def test_state_changes_are_told_and_tokens_are_not(bench: Bench) -> None:
    await bench.load("A")
    assert bench.changes == 2  # loading, ready
    chunks = await bench.answer("A", max_tokens=500, temperature=1, seed=4)
    assert chunks[-1].usage.completion_tokens > 100
    assert bench.changes == 3
    await bench.backend.unload("A")
    assert bench.changes == 5  # unloading, gone
