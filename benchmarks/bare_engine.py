"""llama.cpp through llama-cpp-python, with nothing of ours around it: answers one request per line of its input.

`python bare_engine.py FILE THREADS CONTEXT`. A request is `{"prompt", "limit"}`, with `"raw": true` for a text
that is gone on with, without any template and past its end; so are the answers JSON, one a line.
"""

from __future__ import annotations

import json
import os
import sys
import time

from llama_cpp import Llama, llama_chat_format


def main() -> int:
    """Answer until the input ends; the exit status."""
    file, threads, context = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever llama.cpp says is no answer
    engine = Llama(
        file, n_ctx=context, n_batch=512, n_ubatch=512, n_threads=threads, n_threads_batch=threads, flash_attn=True,
        verbose=False,
    )  # fmt: skip
    template = engine.metadata["tokenizer.chat_template"]
    ends = engine.detokenize([engine.token_eos()], special=True).decode()
    begins = engine.detokenize([engine.token_bos()], special=True).decode()
    formatter = llama_chat_format.Jinja2ChatFormatter(template, ends, begins)
    for line in sys.stdin:
        answers.write(json.dumps(answer(engine, formatter, **json.loads(line))) + "\n")
    return 0


def answer(
    engine: Llama, formatter: llama_chat_format.Jinja2ChatFormatter, prompt: str, limit: int, *, raw: bool = False
) -> dict[str, object]:
    """One answer, and when its tokens came, counted from before the prompt was put into tokens."""
    began = time.perf_counter()
    text = prompt if raw else formatter(messages=[{"role": "user", "content": prompt}]).prompt
    tokens = engine.tokenize(text.encode(), add_bos=not text.startswith(formatter.bos_token), special=True)
    times: list[float] = []
    pieces: list[bytes] = []
    for token in engine.generate(tokens, temp=0.0, top_p=0.95, min_p=0.05, top_k=40):
        times.append(time.perf_counter() - began)
        if token == engine.token_eos() and not raw:
            break
        pieces.append(engine.detokenize([token]))
        if len(times) == limit:
            break
    return {
        "text": b"".join(pieces).decode(errors="replace"),
        "prompt_tokens": len(tokens),
        "tokens": len(times),
        "first_seconds": times[0],
        "last_seconds": times[-1],
    }


if __name__ == "__main__":
    sys.exit(main())
