"""What Ollama says when something went wrong, as failures of ours."""

from __future__ import annotations

import json
from http import HTTPStatus

from fleetview_agent.errors import AgentError, BackendFailed, BadRequest, Busy, ContextExceeded, NotFound
from fleetview_agent.wire.numbers import parse

LONGEST_SENTENCE = 300
"""Characters of Ollama's own words that stand in a sentence; what it captured from a runner can be 8 KiB."""
LOG_LINES = 20
_OUT_OF_MEMORY = (
    "out of memory",
    "failed to allocate",
    "allocation failed",
    "insufficient memory",
    "not enough memory",
)
_TOO_LONG = ("exceeds the available context", "exceeds the context", "exceed_context_size", "longer than the context")
_NO_SUCH_MODEL = ("file does not exist", "manifest unknown")
LARGER_CONTEXT = "shorten the conversation, or load the model with a larger context"


class Nonsense(BackendFailed):
    """What answers there does not answer as Ollama does."""


def refusal(status: int, body: bytes, path: str, address: str) -> AgentError:
    """The failure that an answer with a status from 300 on tells."""
    words = _words(body)
    if words is None:
        return _without_words(status, body, path, address)
    if status == HTTPStatus.UNAUTHORIZED:
        return BackendFailed(f"Ollama wants you signed in for this: {_brief(words)}", "run `ollama signin` on the node")
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(
            f"Ollama: {_brief(words)}", "`fleetview models` lists what is there, `fleetview pull` gets more"
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return _busy(words)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _too_long(words) or BadRequest(f"Ollama refuses this: {_brief(words)}")
    return failure(words)


def failure(words: str) -> AgentError:
    """The failure that an error line in a stream tells, and one with a status of 500."""
    lowered = words.lower()
    too_long = _too_long(words)
    if too_long is not None:
        return too_long
    if any(sign in lowered for sign in _NO_SUCH_MODEL):
        return NotFound(f"Ollama's registry has no such model: {_brief(words)}", "look for its exact name and tag")
    if "maximum pending requests" in lowered:
        return _busy(words)
    hint = None
    if any(sign in lowered for sign in _OUT_OF_MEMORY):
        hint = "unload something first, or load it with a smaller context"
    lines = tuple(line for line in words.splitlines() if line.strip())
    return BackendFailed(f"Ollama: {_brief(words)}", hint, log=lines[-LOG_LINES:] if len(lines) > 1 else ())


def error_words(value: object) -> str | None:
    """What the `error` of an answer or of a line of a stream says; None where there is none."""
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) and error.strip() else None


def _busy(words: str) -> Busy:
    """That its queue is full."""
    return Busy(f"Ollama takes no more requests: {_brief(words)}", "try again in a few seconds")


def _words(body: bytes) -> str | None:
    """What the body of a failure says; None where it is not Ollama that speaks."""
    try:
        return error_words(parse(body))
    except (ValueError, RecursionError):
        return None


def _without_words(status: int, body: bytes, path: str, address: str) -> AgentError:
    """A failure that is told by its status alone."""
    if status == HTTPStatus.FORBIDDEN and not body:
        return BackendFailed(
            f"Ollama at {address} refuses every request to a host of that name",
            "name it in agent.toml by a loopback address such as 127.0.0.1:11434, or set OLLAMA_HOST for its server",
        )
    unknown = status == HTTPStatus.NOT_FOUND and body.startswith(b"404 page not found")
    if unknown or status == HTTPStatus.METHOD_NOT_ALLOWED:
        return BackendFailed(f"the Ollama at {address} does not know {path}", "upgrade Ollama")
    return Nonsense(
        f"what answers at {address} is no Ollama: {path} brought the status {status}",
        "see which program listens there, and set `address` in agent.toml",
    )


def _too_long(words: str) -> ContextExceeded | None:
    """That the prompt does not fit; with its figures where they are told, as they are by Ollama's llama-server."""
    lowered = words.lower()
    if not any(sign in lowered for sign in _TOO_LONG):
        return None
    try:
        told = json.loads(words)["error"]
        prompt, context = int(told["n_prompt_tokens"]), int(told["n_ctx"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ContextExceeded(f"the prompt does not fit into the model's context: {_brief(words)}", LARGER_CONTEXT)
    return ContextExceeded(
        f"the prompt has {prompt} tokens, and the context has room for {context}, prompt and answer together",
        LARGER_CONTEXT,
    )


def _brief(words: str) -> str:
    """The first line, without what a runner printed and without the wrapping of another server's error."""
    inner = _words(words.encode(errors="replace")) or words
    line = next(iter(inner.strip().splitlines()), "")
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]}…"
