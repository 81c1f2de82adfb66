"""Make a Q8_0 file out of another: `python -m fleetview_agent.llamacpp_worker.requantise SOURCE TARGET`."""

from __future__ import annotations

import ctypes
import sys

from llama_cpp import llama_cpp as library


def requantise(source: str, target: str) -> int:
    """Write `target`; zero where it worked, as exit statuses are."""
    parameters = library.llama_model_quantize_default_params()
    parameters.ftype = library.LLAMA_FTYPE_MOSTLY_Q8_0
    parameters.allow_requantize = True
    status: int = library.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(parameters))
    return status


if __name__ == "__main__":
    sys.exit(requantise(*sys.argv[1:3]))
