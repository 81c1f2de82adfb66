"""A chat as a file: Markdown for people, JSON for programs. Pure, but for writing the file."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from fleetview.chats.records import Chat, Figures, Reply, Settings, Turn

Form = Literal["md", "json"]
TITLE_CHARACTERS = 40
UNTITLED = "Chat"
_TRIES = 1000
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_STATES = {
    "writing": "still being written",
    "done": "",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


class NotExported(Exception):
    """The file could not be written; says why in one sentence."""


def export(chat: Chat, folder: Path, form: Form = "md") -> Path:
    """Write the chat to a new file of the folder, for its owner alone, and say which. Raises NotExported."""
    text = markdown(chat) if form == "md" else json_text(chat)
    stem = file_stem(chat)
    try:
        for number in range(1, _TRIES):
            path = folder / (f"{stem}.{form}" if number == 1 else f"{stem}-{number}.{form}")
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            _write(descriptor, path, text)
            return path
    except OSError as problem:
        why = (problem.strerror or "unknown reason").lower()
        raise NotExported(
            f"the chat cannot be written to {folder}: {why}; start fleetview where you may write"
        ) from problem
    raise NotExported(f"{folder} has {_TRIES - 1} exports of this chat; remove some of them")


def _write(descriptor: int, path: Path, text: str) -> None:
    """Fill the file, or remove it. Raises OSError."""
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def file_stem(chat: Chat) -> str:
    """The name of the file, without its end: when the chat began, and what it is about."""
    words = "-".join(re.findall(r"[^\W_]+", chat.title.casefold()))
    title = (
        words
        if len(words) <= TITLE_CHARACTERS
        else words[: TITLE_CHARACTERS + 1].rpartition("-")[0] or words[:TITLE_CHARACTERS]
    )
    return "-".join(part for part in ("fleetview-chat", _time(chat.begun_at, "%Y-%m-%d"), title) if part)


def json_text(chat: Chat) -> str:
    """The chat as it is kept; what is not known is null."""
    return json.dumps(asdict(chat), indent=2, ensure_ascii=False) + "\n"


def markdown(chat: Chat) -> str:
    """The chat to read; turns that were asked anew are left out."""
    targets = ", ".join(f"`{target.name}` on {target.node}" for target in chat.targets)
    facts = [f"- begun {_time(chat.begun_at)}", f"- asked: {targets or 'nobody'}"]
    if said := settings_words(chat.settings):
        facts.append(f"- settings: {said}")
    parts = [f"# {chat.title or UNTITLED}", "\n".join(facts)]
    if chat.settings.system:
        parts += ["System prompt:", _quoted(chat.settings.system)]
    for number, turn in enumerate((turn for turn in chat.turns if not turn.replaced), 1):
        parts += _turn(number, turn)
    return "\n\n".join(parts) + "\n"


def settings_words(settings: Settings) -> str:
    """How models were asked, but for the system prompt; nothing where it was their own way."""
    return ", ".join(
        f"{name} {', '.join(map(repr, value)) if isinstance(value, tuple) else value}"
        for name, value in settings.asked.items()
    )


def figures_words(figures: Figures) -> str:
    """What is known of an answer, for people."""
    cover = f" ({figures.joules_cover})" if figures.joules_cover else ""
    told = (
        (figures.first_token_seconds, "{:.2f} s to the first token"),
        (figures.tokens_per_second, "{:.1f} tok/s"),
        (figures.prompt_tokens, "{} prompt tokens"),
        (figures.completion_tokens, "{} tokens"),
        (figures.joules_per_token, f"{{:.2f}} J/token{cover}"),
    )
    return ", ".join(words.format(value) for value, words in told if value is not None)


def _turn(number: int, turn: Turn) -> list[str]:
    """A prompt and its answers."""
    parts = [f"## {number}. {_time(turn.at)}", _quoted(turn.prompt)]
    for reply in turn.replies:
        parts += _reply(reply)
    return parts


def _reply(reply: Reply) -> list[str]:
    """An answer, what was thought before it, and its figures."""
    parts = [f"### `{reply.target.name}` on {reply.target.node}"]
    if reply.thinking.strip():
        thought = _closed(reply.thinking.strip()).replace("</details>", "&lt;/details&gt;")
        parts.append(f"<details><summary>Thinking</summary>\n\n{thought}\n\n</details>")
    if reply.text.strip():
        parts.append(_closed(reply.text.strip()))
    ending = ": ".join(part for part in (_STATES[reply.state], reply.failure) if part)
    if remark := ", ".join(part for part in (ending, figures_words(reply.figures)) if part):
        parts.append(f"*{remark}*")
    return parts


def _quoted(text: str) -> str:
    """A text of the operator, apart from those of the models."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _closed(text: str) -> str:
    """A text whose last code block is ended, so that it does not swallow what follows."""
    opened: str | None = None
    for marks in _FENCE.findall(text):
        if opened is None:
            opened = marks
        elif marks.startswith(opened):
            opened = None
    return text if opened is None else f"{text}\n{opened}"


def _time(at: float, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment by the clock of this machine."""
    return time.strftime(form, time.localtime(at))
