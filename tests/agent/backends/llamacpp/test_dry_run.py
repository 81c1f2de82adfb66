"""What llama.cpp says of a load without doing it, and what comes of files that it does not take."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fleetview_agent.backends.llamacpp import dry_run as module
from fleetview_agent.backends.llamacpp.dry_run import dry_run
from fleetview_agent.errors import AgentError, BackendFailed, Unusable
from fleetview_agent.gguf import read_header
from fleetview_agent.needs import PROJECTOR_MARGIN_BYTES, LoadSettings
from fleetview_agent.planning.fit import need
from tests.gguf_files import write_missing_tensor, write_tiny, write_unknown_architecture
from tests.gguf_sparse import write_sparse

if importlib.util.find_spec("llama_cpp") is None:
    pytest.skip("the extra `llamacpp` is not installed", allow_module_level=True)


SMALL = LoadSettings(512)


async def _outcome(path: Path, settings: LoadSettings = SMALL) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await dry_run(path, settings)
    return caught.value


async def test_a_dry_run_says_what_a_load_would_take(tmp_path: Path) -> None:
    file = write_tiny(tmp_path / "tiny.gguf")
    settings = LoadSettings(2048, projector_bytes=1000, prompt_cache_bytes=5)
    told, computed = await dry_run(file, settings), need(read_header(file), settings)
    assert computed is not None
    assert (told.weights_bytes, told.cache_bytes) == (computed.weights_bytes, computed.cache_bytes)
    assert told.projector_bytes == 1000 + PROJECTOR_MARGIN_BYTES
    assert told.total_bytes == pytest.approx(computed.total_bytes, rel=0.01)


async def test_a_file_that_the_engine_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    packed = LoadSettings(512, flash_attention=False, cache_type_v="q4_0")
    unknown, missing, impossible = await asyncio.gather(
        _outcome(write_unknown_architecture(tmp_path / "new.gguf")),
        _outcome(write_missing_tensor(tmp_path / "holes.gguf")),
        _outcome(write_tiny(tmp_path / "tiny.gguf"), packed),
    )
    assert isinstance(unknown, Unusable)
    assert unknown.message == "llama.cpp refuses new.gguf: unknown model architecture: 'tomorrow'"
    assert isinstance(missing, Unusable)
    assert "blk.1.attn_q.weight" in missing.message
    assert isinstance(impossible, BackendFailed)
    assert "quantized V cache requires flash_attn" in impossible.message


async def test_an_engine_that_aborts_is_a_failed_dry_run(tmp_path: Path) -> None:
    file = write_sparse(tmp_path / "mad.gguf", "mixtral", expert_used_count=9)  # of eight: GGML_ASSERT
    problem = await _outcome(file)
    assert isinstance(problem, BackendFailed)
    assert problem.exit_status == -6
    assert problem.message == "the dry run of mad.gguf ended by signal 6"
    assert any("GGML_ASSERT" in line for line in problem.log)


async def test_a_dry_run_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    problem = await _outcome(write_tiny(tmp_path / "tiny.gguf"))
    assert isinstance(problem, BackendFailed)
    assert "took longer" in problem.message
    assert not [child for child in psutil.Process().children() if module.WORKER in child.cmdline()]


def test_a_child_that_hangs_ends_by_itself_even_without_its_agent() -> None:
    program = (
        f"import time; from {module.WORKER.rpartition('.')[0]} import dry_run as child;"
        "child.LONGEST_SECONDS = 1; child.answer = lambda _: time.sleep(60); child.main()"
    )
    ended = subprocess.run([sys.executable, "-c", program], input=b"{}\n", check=False, timeout=20)
    assert ended.returncode == -signal.SIGALRM
