"""`ollama serve`, as the stand-in understands it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time

import uvicorn

from tests.ollama.lifetime import end_with_the_tests
from tests.ollama.settings import Settings
from tests.ollama.standin import VERSION, StandIn


def main() -> None:
    """Serve until a signal comes, then end the runners; or tell the version."""
    if "serve" not in sys.argv[1:]:
        print(f"ollama version is {VERSION}")  # noqa: T201 - this is a program
        return
    end_with_the_tests()
    settings = Settings.read()
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
    except OSError as problem:
        told = (problem.strerror or str(problem)).lower()
        sys.exit(f"Error: listen tcp {settings.host}:{settings.port}: bind: {told}")
    _log("routes.go:1951", "server config", f'env="map[{_environment(settings)}]"')
    _log("routes.go:2008", f"Listening on {settings.host}:{settings.port} (version {VERSION})")
    config = uvicorn.Config(StandIn(settings).app(), log_config=None, access_log=False, timeout_graceful_shutdown=1)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


def _environment(settings: Settings) -> str:
    """The variables that matter here, as the real one prints all of its own."""
    told = {
        "OLLAMA_CONTEXT_LENGTH": os.environ.get("OLLAMA_CONTEXT_LENGTH", "0"),
        "OLLAMA_HOST": f"http://{settings.host}:{settings.port}",
        "OLLAMA_KEEP_ALIVE": os.environ.get("OLLAMA_KEEP_ALIVE", "5m0s"),
        "OLLAMA_MODELS": str(settings.models),
        "OLLAMA_NUM_PARALLEL": str(settings.parallel),
    }
    return " ".join(f"{name}:{value}" for name, value in told.items())


def _log(source: str, message: str, more: str = "") -> None:
    at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}.000Z"
    sys.stderr.write(f'time={at} level=INFO source={source} msg="{message}"{more and " " + more}\n')
    sys.stderr.flush()


if __name__ == "__main__":
    main()
