"""Facts about machines, complete but for what a test names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fleetview_agent.backends.ollama.processes import Server
from fleetview_agent.backends.ollama.supervise.facts import Ancestor, Facts, Job, SeenServer, Unit

PROGRAM = Path("/usr/local/bin/ollama")
SPAWN = "OLLAMA_HOST=127.0.0.1:11434 /usr/local/bin/ollama serve"
FACTS = Facts(
    uid=501,
    user="me",
    address="127.0.0.1:11434",
    has_screen=True,
    has_sudo=True,
    program=PROGRAM,
    environment=(("OLLAMA_HOST", "127.0.0.1:11434"),),
)
PLIST = Path("/Users/me/Library/LaunchAgents/homebrew.mxcl.ollama.plist")
BREW = Job("homebrew.mxcl.ollama", "gui/501", PLIST, 123, keeps_alive=True, sessions=("Aqua", "Background"))
BREW_IDLE = replace(BREW, domain=None, pid=None)
DAEMON = Job("com.me.ollama", "system", Path("/Library/LaunchDaemons/com.me.ollama.plist"), 123, keeps_alive=True)
UNIT = Unit("ollama.service", None, "active", 123, "enabled")
APP_PARENT = Ancestor(99, "Ollama", ("/Applications/Ollama.app/Contents/MacOS/Ollama", "hidden"))
KICK = "launchctl kickstart gui/501/homebrew.mxcl.ollama"
BOOTSTRAP = f"launchctl bootstrap gui/501 {PLIST}"
BOOTOUT = "launchctl bootout gui/501/homebrew.mxcl.ollama"


def a_server(
    pid: int = 123,
    *ancestors: Ancestor,
    user: str | None = "me",
    ports: tuple[int, ...] | None = (11434,),
    **further: Any,  # whatever else is known of a server
) -> SeenServer:
    server = Server(pid, ancestors[0].pid if ancestors else 1, 1.0, ("ollama", "serve"), user)
    return SeenServer(server, None if ports is None else frozenset(ports), ancestors, **further)


def the(**changes: Any) -> Facts:  # any of the facts
    """The facts but for what is named."""
    return replace(FACTS, **changes)


UNIT_PLACE = {"user": "ollama", "cgroup": "/system.slice/ollama.service"}
USER_UNIT_PLACE = {"cgroup": "/user.slice/user-501.slice/user@501.service/app.slice/ollama.service"}
