from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.gguf_files import WINDOW, write_windowed

CONTEXT = 2048
FULL_CACHES = 6 * CONTEXT * 2 * 2 * 16 * 2
"""Of six layers: keys and values of two heads of 16, f16."""


@pytest.fixture
def engines() -> Iterator[Any]:
    """The engine in this process, which hears of nothing when it is over."""
    reason = "llama-cpp-python is not installed; it comes with the extra llamacpp"
    library = pytest.importorskip("llama_cpp.llama_cpp", reason=reason, exc_type=ImportError)
    from fleetview_agent.llamacpp_worker import engine

    yield engine
    library.llama_log_set(library.llama_log_callback(), ctypes.c_void_p(0))


def test_a_prompt_that_is_cut_back_beyond_a_window_is_answered_as_if_it_were_the_first(
    engines: Any, tmp_path: Path
) -> None:
    file = write_windowed(tmp_path / "w.gguf")
    log = engines.EngineLog()
    engine = engines.load(engines.LoadCommand(str(file), CONTEXT, 1, batch=WINDOW), log, lambda _share: None)
    assert log.buffer_bytes < file.stat().st_size + FULL_CACHES / 2  # of the windows alone
    left: list[int] = []
    engine.watch = left.append

    def answer(tokens: list[int]) -> tuple[tuple[int, ...], int]:
        """What follows, and how many tokens had to be read."""
        left.clear()
        following = tuple(islice(engine.generate(tokens, temp=0.0), 8))
        return following, left[0]

    long = [3 + at * at % 251 for at in range(600)]
    back = [*long[:200], 7, 8, 9]
    cold = answer(back)
    answer(long)
    assert answer(back) == cold
    assert cold[1] == len(back)
    assert answer([*back[:190], 5])[1] == 1  # what it looks back at was still there


def test_the_cause_of_a_failed_load_is_the_line_that_tells_most(engines: Any) -> None:
    log = engines.EngineLog()
    for line in (
        "gguf_init_from_reader: tensor 'w' has invalid ggml type 99. should be in [0, 43)",
        "llama_model_load: error loading model: llama_model_loader: failed to load model from w.gguf",
        "llama_model_load_from_file_impl: failed to load model",
    ):
        log._take(4, line.encode(), None)
    assert log.cause() == "gguf_init_from_reader: tensor 'w' has invalid ggml type 99. should be in [0, 43)"
    log._take(4, b"llama_model_load: error loading model: error loading model vocabulary: no such thing", None)
    assert log.cause() == "no such thing"


def test_what_lies_on_a_gpu_is_told_apart_from_what_lies_beside_it(engines: Any) -> None:
    log = engines.EngineLog()
    for line in (
        "load_tensors: MTL0_Mapped model buffer size =   100.00 MiB",
        "load_tensors:   CPU_Mapped model buffer size =    10.00 MiB",
        "llama_kv_cache:       CUDA0 KV buffer size =     4.00 MiB",
        "sched_reserve:  CUDA_Host compute buffer size =     2.00 MiB",
        "warning: failed to mlock 4096-byte buffer (after previously locking 0 bytes): Cannot allocate memory",
    ):
        log._take(2, line.encode(), None)
    assert (log.buffer_bytes, log.gpu_bytes, log.is_unlocked) == (116 << 20, 104 << 20, True)
