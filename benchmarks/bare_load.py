"""A process that imports llama.cpp, loads a file and generates one token, with nothing of ours around it.

`python bare_load.py FILE THREADS CONTEXT BATCH`. It says `token` when there is one, and ends.
"""

from __future__ import annotations

import os
import sys

from llama_cpp import Llama


def main() -> int:
    """Load, generate, tell; the exit status."""
    file, threads, context, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    told = os.dup(1)
    os.dup2(2, 1)  # whatever llama.cpp says is no answer
    engine = Llama(
        file, n_ctx=context, n_batch=batch, n_ubatch=batch, n_threads=threads, n_threads_batch=threads, n_gpu_layers=-1,
        flash_attn=True, verbose=False,
    )  # fmt: skip
    next(engine.generate(engine.tokenize(b"Hello")))
    os.write(told, b"token\n")
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)  # nobody waits for it to tidy up, nor does anybody in the agent
