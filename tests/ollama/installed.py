"""An `ollama` that can be put on PATH: the stand-in, under the command lines of the real one."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.ollama.lifetime import TESTS

_ROOT = Path(__file__).parents[2]
_WRAPPER = """#!/usr/bin/env bash
export STANDIN_PROGRAM="$0" STANDIN_PYTHON={python} {tests_name}={tests} PYTHONHOME={home} PYTHONPATH={path}
exec -a "$0" {python} -m tests.ollama.serve "$@"
"""


def install(folder: Path, tests: int | None = None) -> Path:
    """Put the program into `folder`/bin, and tell where it lies; whatever it starts ends with `tests`, or with us."""
    program = folder / "bin" / "ollama"
    program.parent.mkdir(parents=True, exist_ok=True)
    # By its real path: a link of a virtual environment would look for that beside the name that we give the process.
    python = shlex.quote(str(Path(sys.executable).resolve()))
    places = os.pathsep.join([str(_ROOT), *(place for place in sys.path if place.endswith("-packages"))])
    places = os.pathsep.join([places, str(_ROOT / "agents"), str(_ROOT / "tui")])
    words = {"python": python, "home": shlex.quote(sys.base_prefix), "path": shlex.quote(places)}
    program.write_text(_WRAPPER.format(**words, tests_name=TESTS, tests=tests or os.getpid()))
    program.chmod(0o755)
    return program
