"""Names of Ollama's models, which can be written in several ways."""

from __future__ import annotations

_DEFAULTS = ("registry.ollama.ai/", "library/")
"""Host and namespace that nobody writes."""


def canonical(name: str) -> str:
    """The one way of writing it, by which names are compared: lower case, with its tag, without what goes unsaid."""
    short = name.lower()
    for default in _DEFAULTS:
        short = short.removeprefix(default)
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"
