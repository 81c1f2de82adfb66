"""What llama.cpp itself says that a load would take, asked in a child process, which the engine may end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from pathlib import Path

from fleetview_agent.errors import BackendFailed, Unusable
from fleetview_agent.needs import PROJECTOR_MARGIN_BYTES, LoadSettings, Need

WORKER = "fleetview_agent.llamacpp_worker.dry_run"
PATIENCE_SECONDS = 30.0
"""The largest vocabularies take half a second after an import of half a second, on slow machines some more."""
LOG_LINES = 40
LOG_LINE_LENGTH = 300
COMPUTED = "go by the computed figure, or load it with --force"


async def dry_run(path: Path, settings: LoadSettings) -> Need:
    """What the engine would take, allocating next to nothing.

    Raises Unusable for a file that the engine refuses, in its words, and BackendFailed where the dry run came to
    nothing.
    """
    request = json.dumps({"path": os.fsdecode(path), **asdict(settings)}) + "\n"
    status, replies, log = await _run(path.name, request.encode())
    if not replies:
        how = f"ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
        raise BackendFailed(f"the dry run of {path.name} {how}", COMPUTED, log=log, exit_status=status)
    answer = json.loads(replies)
    if "refused" in answer:
        raise Unusable(f"llama.cpp refuses {path.name}: {answer['refused']}", "get the file again, or another one")
    if "failed" in answer:
        raise BackendFailed(
            f"llama.cpp cannot lay out {path.name}: {answer['failed']}", "choose other settings", log=log
        )
    return Need(
        weights_bytes=answer["weights_bytes"],
        cache_bytes=answer["cache_bytes"],
        compute_bytes=answer["compute_bytes"],
        state_bytes=answer["state_bytes"],
        projector_bytes=settings.projector_bytes and settings.projector_bytes + PROJECTOR_MARGIN_BYTES,
        prompt_cache_bytes=settings.prompt_cache_bytes,
    )


async def _run(name: str, request: bytes) -> tuple[int, bytes, tuple[str, ...]]:
    """Exit status, answer and last lines of the child. Raises BackendFailed where it takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", WORKER, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
    except OSError as problem:
        raise BackendFailed(f"no process could be started for llama.cpp: {problem}") from problem
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            replies, log = await process.communicate(request)
    except TimeoutError:
        raise BackendFailed(f"the dry run of {name} took longer than {PATIENCE_SECONDS:.0f} s", COMPUTED) from None
    finally:
        await _end(process)
    lines = log.decode(errors="replace").splitlines()[-LOG_LINES:]
    return process.returncode or 0, replies, tuple(line[:LOG_LINE_LENGTH] for line in lines)


async def _end(process: Process) -> None:
    """Leave no child behind."""
    if process.returncode is None:
        process.kill()
        await process.wait()
