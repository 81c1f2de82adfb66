"""What a line of an engine's log says of itself: how serious it is, and when it was written. Pure.

The forms are those of Ollama (slog's text handler, gin's logger) and of llama.cpp and ggml (prefixes of common/log.cpp,
and what they write where nobody set a level).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from fleetview_agent.wire import LogLevel

_SLOG = re.compile(r"\blevel=(DEBUG|INFO|WARN|ERROR)")
_SLOG_TIME = re.compile(r"time=(\S{19,40})")
_GIN = re.compile(r"\[GIN\] (\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d) \| +(\d{3}) ")
_GIN_TIME = "%Y/%m/%d - %H:%M:%S"
_LETTER = re.compile(r"(?:\d+\.\d\d\.\d{3}\.\d{3} )?([DIWE]) ")
"""With the time since the start before it, where that is wished for."""
_ERROR = re.compile(
    r"\berror(?:\b:| loading\b)|\bfailed to\b|^(?:GGML_ASSERT|terminate called|panic:|fatal error:|Traceback )",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\bwarn(?:ing)?\b:", re.IGNORECASE)
_WORDS: Mapping[str, LogLevel] = {"DEBUG": "debug", "INFO": "info", "WARN": "warning", "ERROR": "error"}
_LETTERS: Mapping[str, LogLevel] = {"D": "debug", "I": "info", "W": "warning", "E": "error"}


def level_of(text: str) -> LogLevel | None:
    """How serious the line is; None where it does not tell."""
    if found := _SLOG.search(text):
        return _WORDS[found[1]]
    if found := _GIN.match(text):
        return _answered(int(found[2]))
    if found := _LETTER.match(text):
        return _LETTERS[found[1]]
    if _ERROR.search(text):
        return "error"
    return "warning" if _WARNING.search(text) else None


def time_of(text: str) -> float | None:
    """When the line was written, as it says itself; None where it does not tell."""
    if found := _SLOG_TIME.match(text):
        return _time(found[1], None)
    if found := _GIN.match(text):
        return _time(found[1], _GIN_TIME)
    return None


def _answered(status: int) -> LogLevel:
    """How serious an answer of a web server is."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "error"
    return "warning" if status >= HTTPStatus.BAD_REQUEST else "info"


def _time(text: str, form: str | None) -> float | None:
    """Seconds since the epoch; a time without a zone is of this machine's."""
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 -- as it says
        return moment.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
