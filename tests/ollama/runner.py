"""A real llama-server in a process of its own, under the command line that Ollama gives its runners."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

from tests.ollama.lifetime import end_with_the_tests

LOAD_SECONDS = "STANDIN_LOAD_SECONDS"
"""How long a load takes at least; a tiny model loads in milliseconds."""


def main() -> None:
    """Load the model, serve it until somebody ends us."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("-c", type=int, required=True)
    parser.add_argument("-np", type=int, required=True)
    parser.add_argument("--embedding", action="store_true")
    options, _ = parser.parse_known_args()
    end_with_the_tests()
    time.sleep(float(os.environ.get(LOAD_SECONDS, "0")))
    import xllamacpp  # here, so that the process is seen before the library has been read

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options.model
    parameters.port, parameters.n_ctx, parameters.n_parallel = options.port, options.c, options.np
    parameters.n_batch = parameters.n_ubatch = 512
    parameters.cpuparams.n_threads = 1  # the machines that run these tests have two cores, and other tests
    parameters.embedding = options.embedding
    parameters.endpoint_slots = True
    parameters.endpoint_metrics = os.environ.get("LLAMA_ARG_ENDPOINT_METRICS") == "1"
    parameters.cache_ram_mib = int(os.environ.get("LLAMA_ARG_CACHE_RAM", "8192"))
    parameters.verbosity, parameters.ctx_shift = 4, True
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as problem:
        sys.exit(f"error: {problem}")
    assert server.listening_address
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
