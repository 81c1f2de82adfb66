"""Where the fleet file is looked for. Imports nothing that a short command would have to wait for."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENT = "FLEETVIEW_FLEET"


def fleet_path(path: Path | None) -> Path | None:
    """The fleet file: the one that is asked for, else the first that is there, else None: this machine alone.

    Raises ValueError, with the path, for one that begins with the home of nobody.
    """
    if named := path or os.environ.get(ENVIRONMENT):
        try:
            return Path(named).expanduser()
        except RuntimeError:
            raise ValueError(str(named)) from None
    usual = (Path.home() / ".config" / "fleetview" / "fleet.toml", Path("fleet.toml"))
    return next((file for file in usual if file.exists()), None)
