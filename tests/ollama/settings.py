"""What the environment of `ollama serve` says."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.ollama.errors import Refused

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([+-]?)((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)")


@dataclass(frozen=True)
class Settings:
    """The variables that the stand-in heeds, read once."""

    host: str
    port: int
    models: Path
    keep_seconds: float
    context: int
    parallel: int
    max_loaded: int
    registry: Path | None
    """A models folder from which is pulled."""
    pull_bytes_per_second: float

    @staticmethod
    def read() -> Settings:
        address = os.environ.get("OLLAMA_HOST", "127.0.0.1:11434").removeprefix("http://")
        host, _, port = address.rpartition(":")
        models = os.environ.get("OLLAMA_MODELS")
        registry = os.environ.get("STANDIN_REGISTRY")
        return Settings(
            host=host,
            port=int(port),
            models=Path(models) if models else Path.home() / ".ollama" / "models",
            keep_seconds=keep_seconds(os.environ.get("OLLAMA_KEEP_ALIVE") or "5m"),
            context=int(os.environ.get("OLLAMA_CONTEXT_LENGTH") or 0) or 4096,
            parallel=int(os.environ.get("OLLAMA_NUM_PARALLEL") or 0) or 1,
            max_loaded=int(os.environ.get("OLLAMA_MAX_LOADED_MODELS") or 0) or 3,
            registry=Path(registry) if registry else None,
            pull_bytes_per_second=float(os.environ.get("STANDIN_PULL_BYTES_PER_SECOND", "4e6")),
        )


def keep_seconds(value: float | str) -> float:
    """How long a model stays; infinite for a negative time. A number counts seconds, a text needs a unit."""
    if isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
        if (parsed := _DURATION.fullmatch(value)) is None:
            raise Refused(400, f'time: invalid duration "{value}"')
        parts = re.findall(r"([\d.]+)([a-zµ]+)", parsed[2])
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts) * (-1 if parsed[1] == "-" else 1)
    else:
        seconds = float(value)
    return math.inf if seconds < 0 else seconds
