"""Lays out loads without doing them: `python -m fleetview_agent.llamacpp_worker.dry_run`.

Each line of the input is a JSON object that names a file and how to load it; each line of the output answers one: the
bytes that llama.cpp would take, or why it will not. The input's end is ours.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any

import llama_cpp
from llama_cpp import llama_cpp as library

from fleetview_agent.llamacpp_worker.engine import CACHE_TYPES, EngineLog

Answer = dict[str, int | str]

LONGEST_SECONDS = 60
"""For one answer; then the process ends, wherever the engine hangs, and even if the agent is gone."""
_ALL_LAYERS = -1
_SIZE = re.compile(r"\bsize = +([0-9.]+) MiB \(")
_BUFFER = re.compile(r"(?:compute|output) buffer size = +([0-9.]+) MiB")
_RECURRENT = "llama_memory_recurrent:"


class _Ledger(EngineLog):
    """Adds up what llama.cpp says that it would allocate."""

    def __init__(self) -> None:
        self.cache_bytes = 0
        self.state_bytes = 0
        self.compute_bytes = 0
        super().__init__()

    def _take(self, level: int, text: bytes, user_data: object) -> None:
        super()._take(level, text, user_data)
        line = text.decode(errors="replace")
        if found := _SIZE.search(line):
            if line.startswith(_RECURRENT):
                self.state_bytes += _bytes(found)
            else:
                self.cache_bytes += _bytes(found)
        elif found := _BUFFER.search(line):
            self.compute_bytes += _bytes(found)


def answer(request: Mapping[str, Any]) -> Answer:  # Any: JSON, whose keys are those of LoadSettings
    """What one load would take; else why llama.cpp refuses the file, or fails with these settings."""
    ledger = _Ledger()
    model = library.llama_model_load_from_file(os.fsencode(request["path"]), _model_parameters())
    if not model:
        return {"refused": ledger.cause() or "it gives no reason"}
    context = library.llama_init_from_model(model, _context_parameters(request))
    weights: int = library.llama_model_size(model)
    if context:
        library.llama_free(context)
    library.llama_model_free(model)
    if not context:
        return {"failed": ledger.cause() or "it gives no reason"}
    return {
        "weights_bytes": weights,
        "cache_bytes": ledger.cache_bytes,
        "compute_bytes": ledger.compute_bytes,
        "state_bytes": ledger.state_bytes,
    }


def main() -> None:
    """Answer until nobody asks any more."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints does not get between the answers
    os.environ["GGML_NO_BACKTRACE"] = "1"  # an abort would start a debugger where there is one, and take seconds
    llama_cpp.llama_backend_init()
    for line in sys.stdin:
        signal.alarm(LONGEST_SECONDS)
        replies.write(json.dumps(answer(json.loads(line))) + "\n")
        replies.flush()
        signal.alarm(0)


def _model_parameters() -> library.llama_model_params:
    """Nothing is read but the header, and nothing is allocated for the weights."""
    parameters: library.llama_model_params = library.llama_model_default_params()
    parameters.no_alloc = True
    parameters.load_mode = library.LLAMA_LOAD_MODE_NONE
    parameters.n_gpu_layers = _ALL_LAYERS
    return parameters


def _context_parameters(request: Mapping[str, Any]) -> library.llama_context_params:  # Any: as above
    """The settings as llama.cpp has them: its context is that of all sequences together."""
    parameters: library.llama_context_params = library.llama_context_default_params()
    sequences = request["sequences"]
    parameters.n_ctx = request["context"] * sequences
    parameters.n_seq_max = sequences
    parameters.n_batch = parameters.n_ubatch = request["batch"]
    parameters.n_outputs_max = max(request["outputs"], sequences)
    parameters.type_k = CACHE_TYPES[request["cache_type_k"]]
    parameters.type_v = CACHE_TYPES[request["cache_type_v"]]
    parameters.flash_attn_type = int(request["flash_attention"])
    parameters.swa_full = request["full_window_cache"]
    return parameters


def _bytes(found: re.Match[str]) -> int:
    """Of a size in MiB, as exactly as it was written."""
    return round(float(found[1]) * (1 << 20))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # no tidying up at the end: Metal aborts where models are still loaded
