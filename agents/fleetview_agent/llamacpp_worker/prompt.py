"""From a conversation to the tokens of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jinja2
from llama_cpp import llama_cpp as library
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from fleetview_agent.llamacpp_worker.engine import Engine
from fleetview_agent.llamacpp_worker.pipe import Frame

_TEMPLATE_ERRORS = (
    jinja2.TemplateError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
)
"""What the program in a chat template can raise."""


_CALLS = ("<tool_call>", "</tool_call>")
"""What surrounds a call in the answers of most models that were taught to call tools."""
_ANOTHER_NOTATION = "<function="
"""Stands in templates whose calls are no JSON."""


class Refused(Exception):
    """What is asked for cannot be done; the sentence begins with what the model does not do."""

    def __init__(self, sentence: str, hint: str | None = None) -> None:
        super().__init__(sentence)
        self.hint = hint


@dataclass(frozen=True)
class Prompt:
    """What the model is to continue."""

    tokens: tuple[int, ...]
    stops: tuple[str, ...] = ()
    """Further ends of an answer, where the model has no token for it."""


class Prompts:
    """Writes prompts as one model wants them; as a plain transcript where its file does not say how."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        vocabulary = engine.vocabulary
        self._bos = _text_of(vocabulary, library.llama_vocab_bos(vocabulary))
        eos = _text_of(vocabulary, library.llama_vocab_eos(vocabulary))
        template = engine.metadata.get("tokenizer.chat_template")
        self._formatter = Jinja2ChatFormatter(template, eos, self._bos) if template else None
        self._knows_calls = template is not None and _tells_calls(template)

    def of(self, messages: list[Frame], tools: Frame, settings: Frame) -> Prompt:
        """The prompt of a conversation, with further settings for the template. Raises Refused.

        `tools` has the tools, and whether the model is to decide by itself when to call one.
        """
        if tools["free"] and not self._knows_calls:
            raise Refused(
                "cannot decide by itself to call a tool: its chat template does not say how",
                "name a tool in tool_choice, or set it to `required`",
            )
        if self._formatter is None:
            return self._transcript(messages)
        try:
            known = _known_roles(messages)
            text = self._formatter(messages=known, tools=tools["tools"] or None, **settings).prompt
        except _TEMPLATE_ERRORS as problem:
            cause = str(problem) or type(problem).__name__
            raise Refused(f"does not take these messages: its chat template says {cause}") from problem
        return Prompt(self._tokens(text))

    def raw(self, text: str) -> Prompt:
        """A text as it is."""
        return Prompt(self._tokens(text))

    def shortest(self) -> Prompt:
        """The shortest prompt there is."""
        vocabulary = self._engine.vocabulary
        return Prompt((max(library.llama_vocab_bos(vocabulary), 0),))

    def _transcript(self, messages: list[Frame]) -> Prompt:
        """For a model that was never taught to converse."""
        turns = "".join(f"{message['role']}: {message['content']}\n" for message in messages)
        return Prompt(self._tokens(f"{turns}assistant:"), stops=("\nuser:",))

    def _tokens(self, text: str) -> tuple[int, ...]:
        """The text as tokens, with one token for its beginning, where the model wants one."""
        begun = bool(self._bos) and text.startswith(self._bos)
        return tuple(self._engine.tokenize(text.encode(), add_bos=not begun, special=True))


def _tells_calls(template: str) -> bool:
    """Whether it has the model write its calls as JSON between the usual marks."""
    return all(mark in template for mark in _CALLS) and _ANOTHER_NOTATION not in template


def _known_roles(messages: list[Frame]) -> list[Any]:  # Any: llama_cpp has a type for each role, templates have none
    """The conversation without OpenAI's newer name of a role, which templates do not know."""
    return [{**message, "role": "system"} if message["role"] == "developer" else message for message in messages]


def _text_of(vocabulary: library.llama_vocab_p, token: int) -> str:
    """How a token is written; empty where the model has no such token."""
    text: bytes = library.llama_vocab_get_text(vocabulary, token) if token >= 0 else b""
    return text.decode(errors="replace")
