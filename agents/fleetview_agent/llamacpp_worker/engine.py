"""llama.cpp with one model in it: loading, evaluating, and what its log tells."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jinja2
import llama_cpp
from llama_cpp import llama_cpp as library

BATCH_TOKENS = 512
"""Tokens of a prompt between two looks at whether it was cancelled; Metal cannot be stopped within a batch."""
PROGRESS_SECONDS = 0.05
"""Between two reports of a load."""

RANDOM_SEED = 0xFFFFFFFF
"""llama.cpp's way of saying: another one each time."""

_INFO, _ERROR, _CONTINUED = 2, 4, 5
_STDERR = 2
_BUFFER = re.compile(r"buffer size *= *([0-9.]+) MiB")
_CAUSE = re.compile(r"error loading model: (?:error loading model hyperparameters: )?(.+)")
_EMPTY_PHRASES = ("failed to load model", "llama_model_load_from_file_impl")


@dataclass(frozen=True)
class LoadCommand:
    """How to load a file."""

    path: str
    context: int
    threads: int
    gpu_layers: int


class LoadFailed(Exception):
    """llama.cpp could not load the file; says why in its own words."""


class EvaluationFailed(Exception):
    """llama.cpp could not compute, and on some GPUs will not any more."""


class EngineLog:
    """What llama.cpp says: passed on to stderr, and read for memory and causes of failures."""

    def __init__(self) -> None:
        self.buffer_bytes = 0
        """Sum of all buffers that were allocated: weights, cache and compute."""
        self._errors: list[str] = []
        self._callback = library.llama_log_callback(self._take)  # kept: C holds no reference
        library.llama_log_set(self._callback, ctypes.c_void_p(0))

    def cause(self) -> str | None:
        """Why the load failed; None where no line says it."""
        for line in self._errors:
            if found := _CAUSE.search(line):
                return found[1].strip()
        telling = [line for line in self._errors if not any(phrase in line for phrase in _EMPTY_PHRASES)]
        return telling[0] if telling else None

    def _take(self, level: int, text: bytes, _user_data: object) -> None:
        """Called by llama.cpp, from any of its threads."""
        if level < _INFO or level == _CONTINUED:
            return
        os.write(_STDERR, text)
        line = text.decode(errors="replace").strip()
        if found := _BUFFER.search(line):
            self.buffer_bytes += int(float(found[1]) * (1 << 20))
        if level == _ERROR:
            self._errors = [*self._errors[-20:], line]


class Engine(llama_cpp.Llama):
    """A loaded model that can be watched, and stopped, while it reads a prompt."""

    watch: Callable[[int], None] | None = None
    """Told before each batch how many tokens of this evaluation are still to be read; may raise to stop."""

    def eval(self, tokens: Sequence[int]) -> None:
        """Evaluate tokens, in batches. Raises EvaluationFailed."""
        for start in range(0, max(len(tokens), 1), self.n_batch):
            if self.watch is not None:
                self.watch(len(tokens) - start)
            try:
                super().eval(tokens[start : start + self.n_batch])
            except RuntimeError as problem:
                raise EvaluationFailed(str(problem)) from problem

    @functools.cached_property
    def vocabulary(self) -> library.llama_vocab_p:
        """What the functions about tokens want."""
        vocabulary: library.llama_vocab_p = library.llama_model_get_vocab(self.model)
        return vocabulary


def load(command: LoadCommand, log: EngineLog, progress: Callable[[float], None]) -> Engine:
    """Load a model, with flash attention and logits for one token only, which saves most of the compute buffer.

    Raises LoadFailed. The full-size cache of sliding windows stays on: without it, a prefix is reused wrongly.
    """
    # verbose: otherwise the constructor points descriptors 1 and 2 at /dev/null, and an abort would leave no word
    with _adjusted_defaults(progress), contextlib.redirect_stderr(io.StringIO()):
        try:
            engine = Engine(
                command.path,
                n_ctx=command.context,
                n_batch=BATCH_TOKENS,
                n_ubatch=BATCH_TOKENS,
                n_threads=command.threads,
                n_threads_batch=command.threads,
                n_gpu_layers=command.gpu_layers,
                flash_attn=True,
                use_mmap=True,
                verbose=True,
            )
        except jinja2.TemplateError as problem:
            raise LoadFailed(f"its chat template is damaged: {problem}") from problem
        except (ValueError, RuntimeError, OSError, MemoryError) as problem:
            raise LoadFailed(log.cause() or str(problem) or type(problem).__name__) from problem
    engine.verbose = False
    return engine


def memory_bytes(log: EngineLog) -> int:
    """What the loaded model takes: the buffers of llama.cpp, else the whole process at its largest."""
    if log.buffer_bytes:
        return log.buffer_bytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextlib.contextmanager
def _adjusted_defaults(progress: Callable[[float], None]) -> Iterator[None]:
    """While held, llama.cpp's default parameters have what the constructor of Llama has no argument for."""
    model_defaults, context_defaults = library.llama_model_default_params, library.llama_context_default_params
    callback = library.llama_progress_callback(_throttled(progress))

    def model_parameters() -> library.llama_model_params:
        parameters: library.llama_model_params = model_defaults()
        parameters.progress_callback = callback
        return parameters

    def context_parameters() -> library.llama_context_params:
        parameters: library.llama_context_params = context_defaults()
        parameters.n_outputs_max = 1
        return parameters

    setattr(library, "llama_model_default_params", model_parameters)  # noqa: B010 -- an assignment has another type
    setattr(library, "llama_context_default_params", context_parameters)  # noqa: B010 -- the same
    try:
        yield
    finally:
        setattr(library, "llama_model_default_params", model_defaults)  # noqa: B010 -- the same
        setattr(library, "llama_context_default_params", context_defaults)  # noqa: B010 -- the same


def _throttled(progress: Callable[[float], None]) -> Callable[[float, object], bool]:
    """A callback for llama.cpp that reports now and then, and never stops the load."""
    reported_at = 0.0

    def report(share: float, _user_data: object) -> bool:
        nonlocal reported_at
        now = time.monotonic()
        if now - reported_at >= PROGRESS_SECONDS:
            reported_at = now
            progress(share)
        return True

    return report
