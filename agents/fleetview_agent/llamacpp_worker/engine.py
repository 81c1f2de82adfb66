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
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import llama_cpp
from llama_cpp import _internals
from llama_cpp import llama_cpp as library

PROGRESS_SECONDS = 0.05
"""Between two reports of a load."""

RANDOM_SEED = 0xFFFFFFFF
"""llama.cpp's way of saying: another one each time."""

TEMPLATE_KEY = "tokenizer.chat_template"
# fmt: off
CACHE_TYPES = {
    "f32": 0, "f16": 1, "bf16": 30, "q8_0": 8, "q5_1": 7, "q5_0": 6, "q4_1": 3, "q4_0": 2, "iq4_nl": 20,
}
"""How the numbers of a cache may be kept → what llama.cpp calls that; llama_cpp does not know all of them."""
# fmt: on

_INFO, _ERROR, _CONTINUED = 2, 4, 5
_STDERR = 2
_ONE_SEQUENCE = 0
_BUFFER = re.compile(r"(?P<device>\S+) +(?:\S+ +)?buffer size *= *(?P<size>[0-9.]+) MiB")
_OF_THE_MACHINE = re.compile(r"CPU|AMX|BLAS|.*_Host$")
"""Devices whose buffers are in the memory of the machine, by the beginning of their names."""
_UNLOCKED = "failed to mlock"
_CAUSE = re.compile(r"error loading model: (?:error loading model \w+: )?(.+)")
_EMPTY_PHRASES = ("failed to load model", "llama_model_load_from_file_impl")


@dataclass(frozen=True)
class LoadCommand:
    """How to load a file."""

    path: str
    context: int
    threads: int
    gpu_layers: int = -1
    """-1: all of them."""
    batch: int = 512
    """Tokens of a prompt that are read at once, and between two looks at whether the prompt was cancelled."""
    flash_attention: bool = True
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    mmap: bool = True
    mlock: bool = False
    chat_template: str | None = None
    """In place of the file's own."""


class LoadFailed(Exception):
    """llama.cpp could not load the file; says why in its own words."""


class EvaluationFailed(Exception):
    """llama.cpp could not compute, and on some GPUs will not any more."""


class EngineLog:
    """What llama.cpp says: passed on to stderr, and read for memory and causes of failures."""

    def __init__(self) -> None:
        self.buffer_bytes = 0
        """Sum of all buffers that were allocated: weights, cache and compute."""
        self.gpu_bytes = 0
        """Of these, what is not in the memory of the machine."""
        self.is_unlocked = False
        """Whether weights that should be locked in memory could not be."""
        self._errors: list[str] = []
        self._callback = library.llama_log_callback(self._take)  # kept: C holds no reference
        library.llama_log_set(self._callback, ctypes.c_void_p(0))

    def cause(self) -> str | None:
        """Why the load failed; None where no line says it."""
        telling = [line for line in self._errors if not any(phrase in line for phrase in _EMPTY_PHRASES)]
        causes = [found[1].strip() for line in telling if (found := _CAUSE.search(line))]
        return next(iter((*causes, *telling)), None)

    def _take(self, level: int, text: bytes, _user_data: object) -> None:
        """Called by llama.cpp, from any of its threads."""
        if level < _INFO or level == _CONTINUED:
            return
        os.write(_STDERR, text)
        line = text.decode(errors="replace").strip()
        if found := _BUFFER.search(line):
            size = int(float(found["size"]) * (1 << 20))
            self.buffer_bytes += size
            self.gpu_bytes += 0 if _OF_THE_MACHINE.match(found["device"]) else size
        self.is_unlocked |= _UNLOCKED in line
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

    def generate(  # type: ignore[override]  # all further parameters are handed on as they are
        self,
        tokens: Sequence[int],
        **sampling: Any,  # Any: the parameters of llama_cpp, each of another type
    ) -> Generator[int, Sequence[int] | None, None]:
        """The tokens that follow; what is still in the cache is used, as far as that is right."""
        self._forget_unless_reusable(tokens)
        return super().generate(tokens, **sampling)

    def _forget_unless_reusable(self, tokens: Sequence[int]) -> None:
        """Drop everything where a layer with a sliding window has lost what the first new token looks back at.

        Such a layer keeps little more than its window, so a prompt that was cut back further must be read again.
        """
        window: int = library.llama_model_n_swa(self.model)
        if not window or not self.n_tokens:
            return
        same = _common_prefix(self.input_ids[: self.n_tokens].tolist(), tokens)
        reused = same - 1 if same == len(tokens) else same  # the last token is read again, for what comes after it
        oldest: int = library.llama_memory_seq_pos_min(library.llama_get_memory(self.ctx), _ONE_SEQUENCE)
        if oldest > max(0, reused + 1 - window):
            self.n_tokens = 0  # whereupon everything is removed from the cache

    @functools.cached_property
    def vocabulary(self) -> library.llama_vocab_p:
        """What the functions about tokens want."""
        vocabulary: library.llama_vocab_p = library.llama_model_get_vocab(self.model)
        return vocabulary


def load(command: LoadCommand, log: EngineLog, progress: Callable[[float], None]) -> Engine:
    """Load a model, with logits for one token only, which saves most of the compute buffer.

    Layers with a sliding window keep no more than that, which saves most of the cache of such models. Raises
    LoadFailed.
    """
    # verbose: otherwise the constructor points descriptors 1 and 2 at /dev/null, and an abort would leave no word
    with _adjusted(command, progress), contextlib.redirect_stderr(io.StringIO()):
        try:
            engine = Engine(
                command.path,
                n_ctx=command.context,
                n_batch=command.batch,
                n_ubatch=command.batch,
                n_threads=command.threads,
                n_threads_batch=command.threads,
                n_gpu_layers=command.gpu_layers,
                flash_attn=command.flash_attention,
                type_k=CACHE_TYPES[command.cache_type_k],
                type_v=CACHE_TYPES[command.cache_type_v],
                swa_full=False,
                use_mmap=command.mmap,
                use_mlock=command.mlock,
                verbose=True,
            )
        except jinja2.TemplateError as problem:
            whose = "its chat template" if command.chat_template is None else "the chat template given for it"
            raise LoadFailed(f"{whose} is damaged: {problem}") from problem
        except (ValueError, RuntimeError, OSError, MemoryError) as problem:
            raise LoadFailed(log.cause() or str(problem) or type(problem).__name__) from problem
    engine.verbose = False
    return engine


def what_came_of_it(log: EngineLog) -> dict[str, int | bool]:
    """What there is to tell of a load, in bytes and facts."""
    return {
        "memory_bytes": log.buffer_bytes or _largest_so_far(),
        "gpu_memory_bytes": log.gpu_bytes,
        "knows_gpus": bool(library.llama_supports_gpu_offload()),
        "is_unlocked": log.is_unlocked,
    }


def _largest_so_far() -> int:
    """What this process took when it took most, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextlib.contextmanager
def _adjusted(command: LoadCommand, progress: Callable[[float], None]) -> Iterator[None]:
    """While held, llama_cpp does what the constructor of Llama has no argument for."""
    model_defaults, context_defaults = library.llama_model_default_params, library.llama_context_default_params
    metadata = _internals.LlamaModel.metadata
    callback = library.llama_progress_callback(_throttled(progress))

    def model_parameters() -> library.llama_model_params:
        parameters: library.llama_model_params = model_defaults()
        parameters.progress_callback = callback
        return parameters

    def context_parameters() -> library.llama_context_params:
        parameters: library.llama_context_params = context_defaults()
        parameters.n_outputs_max = 1
        return parameters

    def with_template(model: _internals.LlamaModel) -> dict[str, str]:
        own = {key: value for key, value in metadata(model).items() if not key.startswith(TEMPLATE_KEY)}
        return own | {TEMPLATE_KEY: command.chat_template or ""}

    with contextlib.ExitStack() as replaced:
        replaced.enter_context(_replaced(library, "llama_model_default_params", model_parameters))
        replaced.enter_context(_replaced(library, "llama_context_default_params", context_parameters))
        if command.chat_template is not None:
            replaced.enter_context(_replaced(_internals.LlamaModel, "metadata", with_template))
        yield


@contextlib.contextmanager
def _replaced(owner: object, name: str, replacement: object) -> Iterator[None]:
    """While held, a module or class has another attribute of that name."""
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens are the same from the beginning on."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


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
