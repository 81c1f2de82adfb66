"""agent.toml, all of it optional."""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fleetview_agent.errors import ConfigError
from fleetview_agent.wire import CacheType

LAST_PORT = 65_535
LOCALHOST = "localhost"


def _expanded(path: Path) -> Path:
    """The path, where `~` is the home folder."""
    try:
        return path.expanduser()
    except RuntimeError as problem:
        raise ValueError(f"there is no such home folder: {path}") from problem


class Section(BaseModel):
    """A part of the file; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LlamaCppConfig(Section):
    """Running GGUF files in child processes, through llama-cpp-python."""

    enabled: bool = True
    folders: tuple[Path, ...] = ()
    """Searched for GGUF files, besides the places that are always searched. `~` is the home folder."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """None: all cores but one, so that the agent and the clients get their turn."""
    gpu_layers: Annotated[int, Field(ge=-1)] = -1
    """Layers on the GPU, where the build has one; -1: all."""
    batch: Annotated[int, Field(ge=32, le=1 << 14)] = 512
    """Tokens of a prompt that are read at once; more are faster on a GPU, and take more memory."""
    flash_attention: bool = True
    cache_type_k: CacheType = "f16"
    """How the keys of the cache are kept."""
    cache_type_v: CacheType = "f16"
    """How the values of the cache are kept; only `f32`, `f16` and `bf16` go without flash attention."""
    mmap: bool = True
    """Whether a file is mapped into memory rather than read."""
    mlock: bool = False
    """Whether weights may never be swapped out."""

    @field_validator("folders")
    @classmethod
    def _expand(cls, folders: tuple[Path, ...]) -> tuple[Path, ...]:
        """Home folders by their names."""
        return tuple(map(_expanded, folders))


class SimulatedConfig(Section):
    """A backend without an engine, for demonstrations and tests."""

    enabled: bool = False
    load_seconds: Annotated[float, Field(ge=0)] = 2.0
    tokens_per_second: Annotated[float, Field(gt=0)] = 30.0


class OllamaServeConfig(Section):
    """How the agent itself runs `ollama serve` where nobody else does; None leaves a setting to Ollama."""

    context: Annotated[int, Field(ge=1)] | None = None
    """Tokens of every model whose load names no other number (OLLAMA_CONTEXT_LENGTH)."""
    parallel: Annotated[int, Field(ge=1)] | None = None
    """Requests that one model answers at a time (OLLAMA_NUM_PARALLEL)."""
    flash_attention: bool | None = None
    kv_cache_type: Literal["f16", "q8_0", "q4_0"] | None = None
    prompt_cache_mib: Annotated[int, Field(ge=0)] = 512
    """Memory that each runner may use to keep old prompts (LLAMA_ARG_CACHE_RAM); its own default is 8192."""
    metrics: bool = True
    """Whether runners count what they do (LLAMA_ARG_ENDPOINT_METRICS)."""
    environment: dict[str, str] = {}
    """Further variables of `ollama serve`."""
    restarts: Annotated[int, Field(ge=0)] = 3
    """How often it is started again within ten minutes after it ended by itself."""
    log_mib: Annotated[int, Field(ge=1)] = 10
    """Size at which its log is set aside; the last three are kept."""

    @field_validator("environment")
    @classmethod
    def _possible(cls, environment: dict[str, str]) -> dict[str, str]:
        """Variables as the system can have them."""
        for name, value in environment.items():
            if not name or "=" in name or "\0" in name + value:
                raise ValueError(f"{name!r} cannot be a variable of a process")
        return environment


class OllamaConfig(Section):
    """Driving the Ollama of this machine."""

    enabled: bool = True
    address: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")] = "127.0.0.1:11434"
    """HOST:PORT where its server answers."""
    program: Path | None = None
    """None: `ollama` on PATH or in the places where it is usually installed."""
    models: Path | None = None
    """Its models folder; None: what its server says, else $OLLAMA_MODELS, else ~/.ollama/models."""
    serve: OllamaServeConfig = OllamaServeConfig()

    @field_validator("address")
    @classmethod
    def _reachable(cls, address: str) -> str:
        """An address whose port there is."""
        if not 0 < int(address.rpartition(":")[2]) <= LAST_PORT:
            raise ValueError(f"a port is a number from 1 to {LAST_PORT}")
        return address

    @field_validator("program", "models")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        """Home folders by their names."""
        return path and _expanded(path)


class AgentConfig(Section):
    """The whole file."""

    sampler: Literal["detect", "simulated"] = "detect"
    drain_seconds: Annotated[float, Field(ge=0)] = 30.0
    """How long a swap waits for answers in progress."""
    delete_wait_seconds: Annotated[float, Field(ge=0)] = 30.0
    """How long a delete can still be cancelled before anything is gone."""
    copy_wait_seconds: Annotated[float, Field(gt=0)] = 30.0
    """How long a copy waits for more of its files before it ends as interrupted."""
    listen: str | None = None
    """HOST:PORT where `/v1` and `/metrics` are served besides, for clients without sockets; None: no port is opened."""
    token_file: Path | None = None
    """Holds what every request on that port must show; without it, the port is open to this machine alone."""
    ollama: OllamaConfig = OllamaConfig()
    llamacpp: LlamaCppConfig = LlamaCppConfig()
    simulated: SimulatedConfig = SimulatedConfig()

    @field_validator("listen")
    @classmethod
    def _bindable(cls, listen: str | None) -> str | None:
        """An address that can be listened at."""
        if listen is not None:
            split_address(listen)
        return listen

    @field_validator("token_file")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        """Home folders by their names."""
        return path and _expanded(path)

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        """No port that others can reach without a token."""
        if self.listen is not None and self.token_file is None and not is_loopback(split_address(self.listen)[0]):
            raise ValueError(
                f"listen: others can reach {self.listen}, so token_file must name a file with a token; "
                "127.0.0.1 is reached from this machine alone"
            )
        return self


def split_address(address: str) -> tuple[str, int]:
    """Host, without brackets, and port of HOST:PORT. Raises ValueError for what cannot be listened at."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not port.isdecimal() or not 0 < int(port[:9]) <= LAST_PORT:
        raise ValueError(f"an address is HOST:PORT, and a port is a number from 1 to {LAST_PORT}")
    if host == LOCALHOST:
        return "127.0.0.1", int(port)
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        raise ValueError(f"one listens at an IP address such as 127.0.0.1, not at {host!r}") from None


def is_loopback(host: str) -> bool:
    """Whether an IP address is reached from this machine alone."""
    return ipaddress.ip_address(host).is_loopback


def read_config(file: Path, *, required: bool = False) -> AgentConfig:
    """The settings in `file`; the defaults where there is none and none is required.

    Raises ConfigError naming the file and the key.
    """
    try:
        return AgentConfig.model_validate(tomllib.loads(file.read_text()))
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{file}: there is no such file") from None
        return AgentConfig()
    except OSError as problem:
        raise ConfigError(f"{file}: {problem.strerror or problem}") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ConfigError(f"{file}: {problem}") from problem
    except ValidationError as problem:
        raise ConfigError(f"{file}: {_explain(problem)}") from problem


def _explain(problem: ValidationError) -> str:
    """The first mistake, with the nearest valid key where it is an unknown one."""
    first = problem.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"{key}: {first['msg']}" if key else str(first["msg"]).removeprefix("Value error, ")
    near = difflib.get_close_matches(str(first["loc"][-1]), _known_keys(), n=1)
    return f"there is no key {key}" + (f"; did you mean {near[0]}?" if near else "")


def _known_keys() -> list[str]:
    """Every key that the file may have."""
    sections = (AgentConfig, OllamaConfig, OllamaServeConfig, LlamaCppConfig, SimulatedConfig)
    return sorted({key for section in sections for key in section.model_fields})
