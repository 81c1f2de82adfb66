from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from fleetview_agent.backends.llamacpp.process import LOG_LINE_LENGTH, LOG_LINES, Child
from fleetview_agent.errors import BackendFailed, NotResident
from fleetview_agent.wire import LoadOptions
from tests.agent.backends.llamacpp.bench import LONG, Bench, is_gone, until
from tests.gguf_files import write_tiny

PARENT = """
import asyncio, sys
from pathlib import Path
from fleetview_agent.backends.llamacpp import LlamaCppBackend
from fleetview_agent.config import LlamaCppConfig
from fleetview_agent.wire import ChatRequest, LoadOptions

async def main(what, folder):
    backend = LlamaCppBackend(LlamaCppConfig(folders=(Path(folder),)), lambda: None)
    if what == "importing":
        async with backend.preparing():
            print(backend._spare.pid, flush=True)
            await asyncio.sleep(600)
    await backend.load("A", LoadOptions(context=100_000), lambda _: None)
    if what == "idle":
        print(backend._residents["A"]._child.pid, flush=True)
        await asyncio.sleep(600)
    request = ChatRequest(model="A", messages=[{"role": "user", "content": "hello"}], temperature=0)
    async for chunk in backend.chat("A", request):
        print(backend._residents["A"]._child.pid, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("doing", ["importing", "idle", "answering"])
async def test_no_worker_outlives_an_agent_that_was_killed(bench: Bench, doing: str) -> None:
    write_tiny(bench.folder / "A.gguf", LONG)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, doing, str(bench.folder), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert parent.stdout is not None
        worker = int(await parent.stdout.readline())
        assert not is_gone(worker)
    finally:
        parent.kill()
        await parent.communicate()
    await until(lambda: is_gone(worker), 5)


async def test_a_worker_ends_by_itself_when_its_commands_end_even_while_it_computes(bench: Bench) -> None:
    await bench.load_long("A")
    answers = bench.backend.chat("A", bench.request())
    await anext(answers)
    child = bench.backend._residents["A"]._child
    child._commands.close()  # what the death of the agent does; other systems than Linux have nothing else
    async with asyncio.timeout(5):
        await child.ended()
    assert child.exit_status == 0
    with pytest.raises(BackendFailed):
        async for _ in answers:
            pass


@pytest.mark.parametrize(("number", "word"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGABRT, "SIGABRT")])
async def test_a_worker_that_dies_during_an_answer_costs_that_model_alone(bench: Bench, number: int, word: str) -> None:
    await bench.load_long("A")
    await bench.load("B")
    in_line = asyncio.create_task(bench.answer("A"))
    answer = bench.backend.chat("A", bench.request())
    await anext(answer)
    changes = bench.changes
    os.kill((await bench.row("A")).pid, number)
    with pytest.raises(BackendFailed, match=rf"the process of A ended by signal \d+ \({word}\) during an answer"):
        async for _ in answer:
            pass
    with pytest.raises(BackendFailed):
        await in_line
    row = await bench.row("A")
    assert (row.phase, row.pid, row.failure.exit_status) == ("failed", None, -number)
    assert word in row.failure.reason
    assert any("llama" in line for line in row.failure.log)
    assert bench.changes > changes
    assert [traffic.model for traffic in bench.backend.traffic()] == ["B"]
    assert (await bench.answer("B", max_tokens=3))[-1].finish_reason
    with pytest.raises(NotResident, match="failed"):
        await bench.answer("A")


async def test_an_idle_worker_that_dies_is_noticed(bench: Bench) -> None:
    await bench.load("A")
    child = bench.backend._residents["A"]._child
    child.kill()
    await child.ended()
    await bench.backend._residents["A"]._gone()
    assert "while it was resident" in (await bench.row("A")).failure.reason


async def test_a_failed_model_can_be_loaded_again_or_cleared(bench: Bench) -> None:
    await bench.load("A")
    for repair in (bench.backend.load("A", LoadOptions(), lambda _: None), bench.backend.unload("A")):
        resident = bench.backend._residents["A"]
        resident._child.kill()
        await resident._gone()
        assert (await bench.row("A")).phase == "failed"
        await repair
    assert await bench.row("A") is None


async def test_a_worker_that_dies_during_a_load_fails_that_load(bench: Bench) -> None:
    write_tiny(bench.folder / "A.gguf")
    async with bench.backend.preparing():
        os.kill(bench.backend._spare.pid, signal.SIGSTOP)
        spare = bench.backend._spare
        load = asyncio.create_task(bench.backend.load("A", LoadOptions(), lambda _: None))
        await until(lambda: bench.backend._spare is None)
        spare.kill()
        with pytest.raises(BackendFailed, match=r"signal 9 \(SIGKILL\) while it was loaded") as caught:
            await load
    assert caught.value.exit_status == -signal.SIGKILL
    assert await bench.row("A") is None


async def test_the_kept_log_is_bounded_in_lines_and_in_their_length(bench: Bench) -> None:
    child = await Child.start()
    try:
        for number in range(100):
            child._log.data_received(f"{number} {'x' * 1000}\n".encode())
        assert len(child.log) == LOG_LINES
        assert max(map(len, child.log)) == LOG_LINE_LENGTH
        assert child.log[-1].startswith("99 ")
    finally:
        await child.end()
