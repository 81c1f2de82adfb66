"""The way to an agent: connections, requests, streams. Knows no Textual."""

import sys

# httpx brings a command line of its own, and with it click and rich: a tenth of a second for each of our commands.
# A module that is None here cannot be imported, and httpx does without it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type] # the import system's own way of saying so
