"""The account that the agent runs as."""

from __future__ import annotations

import os
import pwd


def user_name() -> str:
    """Its name; its number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
