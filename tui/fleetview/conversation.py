"""What has been said so far, and what is asked next. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import ValidationError

from fleetview_agent.wire import ChatMessage, ChatRequest, StreamOptions

Number = TypeVar("Number", int, float)

HELP = """\
/system TEXT           what the model keeps in mind; alone: nothing
/set temperature N     0 is the most certain answer; alone: the model's own
/set max_tokens N      where an answer ends at the latest; alone: nowhere
/help                  this"""


@dataclass(frozen=True)
class Exchange:
    """A prompt and its answer."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Settings:
    """How the model is asked."""

    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Conversation:
    """Exchanges with one model, and how it is asked."""

    model: str
    """`BACKEND/MODEL`."""
    exchanges: tuple[Exchange, ...] = ()
    settings: Settings = Settings()

    def request(self, prompt: str) -> ChatRequest:
        """The next prompt with everything that was said before it."""
        messages = [ChatMessage(role="system", content=self.settings.system)] if self.settings.system else []
        for exchange in self.exchanges:
            messages.append(ChatMessage(role="user", content=exchange.prompt))
            messages.append(ChatMessage(role="assistant", content=exchange.answer))
        return ChatRequest(
            model=self.model,
            messages=(*messages, ChatMessage(role="user", content=prompt)),
            stream=True,
            stream_options=StreamOptions(include_usage=True),
            temperature=self.settings.temperature,
            max_tokens=self.settings.max_tokens,
        )

    def answered(self, prompt: str, answer: str) -> Conversation:
        """The conversation with one more exchange."""
        return replace(self, exchanges=(*self.exchanges, Exchange(prompt, answer)))

    def without_last(self) -> Conversation:
        """The conversation before the last exchange."""
        return replace(self, exchanges=self.exchanges[:-1])

    def with_settings(self, settings: Settings) -> Conversation:
        """The conversation, asked in another way from now on."""
        return replace(self, settings=settings)

    def anew(self) -> Conversation:
        """The same model and settings, and nothing said."""
        return replace(self, exchanges=())


def obey(settings: Settings, line: str) -> tuple[Settings, str]:
    """Carry out a line that begins with a slash: the settings after it, and what to say about it.

    Raises ValueError with a sentence for people.
    """
    word, _, rest = line.strip().partition(" ")
    match word:
        case "/help":
            return settings, HELP
        case "/system":
            system = rest.strip() or None
            return replace(settings, system=system), "system prompt set" if system else "no system prompt"
        case "/set":
            return _set(settings, rest)
        case _:
            raise ValueError(f"{word} is not known here (/help lists what is; a space before the slash sends it)")


def _set(settings: Settings, rest: str) -> tuple[Settings, str]:
    """Change one number, or give it back to the model."""
    name, _, value = rest.strip().partition(" ")
    value = value.strip()
    match name:
        case "temperature":
            changed = replace(settings, temperature=_number(name, value, float) if value else None)
        case "max_tokens":
            changed = replace(settings, max_tokens=_number(name, value, int) if value else None)
        case _:
            raise ValueError(f"{name or 'nothing'} cannot be set (temperature and max_tokens can)")
    try:
        Conversation("any", settings=changed).request("any")
    except ValidationError as wrong:
        raise ValueError(f"{name} cannot be {value}: {wrong.errors()[0]['msg'].lower()}") from None
    return changed, f"{name} {value}" if value else f"{name}: the model's own"


def _number(name: str, value: str, kind: type[Number]) -> Number:
    """The value as a number."""
    try:
        return kind(value)
    except ValueError:
        whole = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} needs {whole}, not {value!r}") from None
