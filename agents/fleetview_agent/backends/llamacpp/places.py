"""Where GGUF files lie on this machine, and where those go that come from another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from fleetview_agent import paths
from fleetview_agent.backends.llamacpp import second_file


def roots(configured: tuple[Path, ...]) -> Iterator[Path]:
    """Folders in which models are looked for: the operator's, our own, and the caches of other programs."""
    home = Path.home()
    yield from (folder.expanduser() for folder in configured)
    yield own_folder()
    yield second_file.models_folder()
    yield _hub()
    yield _of_llama_cpp()
    yield home / ".lmstudio" / "models"
    yield home / ".cache" / "lm-studio" / "models"


def own_folder() -> Path:
    """Where models go that were copied here, unless the operator has a folder for them."""
    return paths.home() / "models"


def landing(configured: tuple[Path, ...]) -> Path:
    """Where a model goes that is copied here: the first of the operator's folders that may be written, else our own."""
    theirs = (folder.expanduser() for folder in configured)
    return next((folder for folder in theirs if os.access(folder, os.W_OK | os.X_OK)), own_folder())


def _hub() -> Path:
    """The cache of Hugging Face's programs."""
    if given := os.environ.get("HF_HUB_CACHE"):
        return Path(given)
    if given := os.environ.get("HF_HOME"):
        return Path(given) / "hub"
    return Path.home() / ".cache" / "huggingface" / "hub"


def _of_llama_cpp() -> Path:
    """The cache of llama.cpp's own programs."""
    if given := os.environ.get("LLAMA_CACHE"):
        return Path(given)
    return Path.home() / ("Library/Caches/llama.cpp" if sys.platform == "darwin" else ".cache/llama.cpp")
