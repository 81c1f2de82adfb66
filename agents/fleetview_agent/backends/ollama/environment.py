"""What a running server was told by its environment, where this account may read that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleetview_agent.backends.ollama.processes import Server
from fleetview_agent.wire import Keep

DEFAULT_KEEP_SECONDS = 300.0
"""How long Ollama keeps a model when nobody says otherwise."""
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
    return Settings(
        models=Path(models) if models else Path(home) / ".ollama" / "models" if home else None,
        context=int(context) if context.isdecimal() and int(context) else None,
        keep=_keep(_bare(environment, "OLLAMA_KEEP_ALIVE")),
    )


def _bare(environment: Mapping[str, str], name: str) -> str:
    """A variable as Ollama reads it: without blanks and quotes around it."""
    return environment.get(name, "").strip().strip("\"'")


def _keep(text: str) -> Keep:
    """A duration as Go writes it, or bare seconds; a negative one is for ever."""
    if text.startswith("-") and (text[1:].isdecimal() or _DURATION.fullmatch(text[1:])):
        return "forever"
    if text.isdecimal():
        return float(text)
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return DEFAULT_KEEP_SECONDS
