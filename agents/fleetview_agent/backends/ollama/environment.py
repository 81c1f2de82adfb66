"""What a running server was told by its environment, where this account may read that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleetview_agent.backends.ollama.processes import Server
from fleetview_agent.needs import CACHE_TYPES
from fleetview_agent.wire import CacheType, Keep

DEFAULT_KEEP_SECONDS = 300.0
"""How long Ollama keeps a model when nobody says otherwise."""
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
"""What Go takes for no."""
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?(?:ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d*)?)(ms|s|m|h)")


@dataclass(frozen=True)
class Settings:
    """The settings that matter for what we show and say."""

    models: Path | None = None
    """Its models folder; None: not known."""
    context: int | None = None
    """Tokens for every load that names no other number; None: by the memory of the GPU."""
    keep: Keep = DEFAULT_KEEP_SECONDS
    """How long a model stays after its last answer."""
    parallel: int = 1
    """Requests that a model answers at a time."""
    flash_attention: bool = True
    """By itself Ollama takes it where it can be had."""
    cache_type: CacheType = "f16"
    prompt_cache_bytes: int | None = None
    """What each runner may keep of old prompts; None: nobody set a limit."""


def settings_of(server: Server) -> Settings:
    """The settings of a running server; what is usual where they cannot be read."""
    try:
        return settings(psutil.Process(server.pid).environ())
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return Settings()


def settings(environment: Mapping[str, str]) -> Settings:
    """What an environment says (ollama : envconfig/config.go)."""
    home, models = environment.get("HOME"), _bare(environment, "OLLAMA_MODELS")
    context = _bare(environment, "OLLAMA_CONTEXT_LENGTH")
    cache_type = _bare(environment, "OLLAMA_KV_CACHE_TYPE").lower()
    prompt_cache = _count(environment.get("LLAMA_ARG_CACHE_RAM", "").strip())
    return Settings(
        models=Path(models) if models else Path(home) / ".ollama" / "models" if home else None,
        context=int(context) if context.isdecimal() and int(context) else None,
        keep=_keep(_bare(environment, "OLLAMA_KEEP_ALIVE")),
        parallel=max(1, _count(_bare(environment, "OLLAMA_NUM_PARALLEL")) or 1),
        flash_attention=_bare(environment, "OLLAMA_FLASH_ATTENTION") not in _FALSE,
        cache_type=next((kind for kind in CACHE_TYPES if kind == cache_type), "f16"),
        prompt_cache_bytes=None if prompt_cache is None else prompt_cache << 20,
    )


def _bare(environment: Mapping[str, str], name: str) -> str:
    """A variable as Ollama reads it: without blanks and quotes around it."""
    return environment.get(name, "").strip().strip("\"'")


def _count(text: str) -> int | None:
    """A whole number that is not negative; None for anything else, such as llama.cpp's -1 for no limit."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


def _keep(text: str) -> Keep:
    """A duration as Go writes it, or bare seconds; a negative one is for ever."""
    if text.startswith("-") and (text[1:].isdecimal() or _DURATION.fullmatch(text[1:])):
        return "forever"
    if text.isdecimal():
        return float(text)
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return DEFAULT_KEEP_SECONDS
