"""Who asks for something, for everyone who watches."""

from __future__ import annotations

import getpass
import os
import socket


def author() -> str:
    """user@host of the operator."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # an account without a name, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname() or 'unknown'}"
