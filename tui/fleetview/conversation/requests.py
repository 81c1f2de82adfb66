"""What is asked next, with everything that was said before it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from fleetview.chats.records import Settings
from fleetview_agent.wire import ChatMessage, ChatRequest, StreamOptions


def request(model: str, said: Iterable[tuple[str, str]], prompt: str, settings: Settings) -> ChatRequest:
    """The next prompt to `BACKEND/MODEL`; `said` are prompts and answers."""
    messages = [ChatMessage(role="system", content=settings.system)] if settings.system else []
    for asked, answered in said:
        messages.append(ChatMessage(role="user", content=asked))
        messages.append(ChatMessage(role="assistant", content=answered))
    return ChatRequest(
        model=model,
        messages=(*messages, ChatMessage(role="user", content=prompt)),
        stream=True,
        stream_options=StreamOptions(include_usage=True),
        **settings.asked,
    )
