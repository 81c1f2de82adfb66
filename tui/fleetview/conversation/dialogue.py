"""A chat that goes on whether its screen is shown or not: who is asked, what was said, what is being answered."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from fleetview.chats.records import Chat, Reply, Settings, State, Target
from fleetview.chats.store import ChatStore
from fleetview.conversation.answering import Answering
from fleetview.conversation.requests import request
from fleetview.fleet import Fleet
from fleetview.messages import RequestFailed
from fleetview.present.chat.answers import Progress
from fleetview_agent.wire import ChatChunk, ChatRequest

Ask = Callable[[str, ChatRequest], AsyncGenerator[ChatChunk, None]]
"""A model of a node answers. Raises RequestFailed."""


class Running(Protocol):
    """What somebody else runs for us."""

    def cancel(self) -> object:
        """End it."""


Run = Callable[[Coroutine[None, None, None]], Running]
"""Runs something until it ends, or the program does."""


@dataclass(frozen=True)
class Said:
    """A prompt, with what each target answers."""

    id: int
    prompt: str
    answers: tuple[Answering, ...]

    def answer_of(self, target: Target) -> Answering | None:
        """The newest answer of a target."""
        return next((one for one in reversed(self.answers) if one.target == target), None)


class Dialogue:
    """Asks models, and keeps what they say in the store as it comes."""

    def __init__(
        self,
        ask: Ask,
        store: ChatStore,
        run: Run,
        targets: tuple[Target, ...],
        settings: Settings | None = None,
        chat: Chat | None = None,
    ) -> None:
        self._ask = ask
        self._store = store
        self._run = run
        self.targets = targets
        self.settings = settings or Settings()
        self.chat_id = chat.id if chat else None
        """None until something was asked."""
        self.title = chat.title if chat else ""
        self.said = _said(chat) if chat else ()
        self._running: dict[int, Running] = {}
        """Ids of answers in progress → what takes them in."""

    @property
    def answering(self) -> tuple[Answering, ...]:
        """The answers that are being written."""
        return tuple(answer for said in self.said for answer in said.answers if answer.writing)

    def column(self, target: Target) -> Iterator[tuple[Said, Answering]]:
        """What one target was asked and said."""
        for said in self.said:
            if (answer := said.answer_of(target)) is not None:
                yield said, answer

    def aim(self, targets: tuple[Target, ...]) -> None:
        """Ask others from now on; answers in progress go on."""
        self.targets = targets

    def settle(self, settings: Settings) -> None:
        """Ask in another way from now on."""
        self.settings = settings
        if self.chat_id is not None:
            self._store.set_settings(self.chat_id, settings)

    def send(self, prompt: str) -> Said:
        """Ask every target."""
        if self.chat_id is None:
            self.chat_id = self._store.begin(self.targets, self.settings).id
            self.title = next((line.strip() for line in prompt.splitlines() if line.strip()), "")
        replies = self._store.asked(self.chat_id, prompt, self.targets)
        answers = tuple(
            self._begin(reply, target, prompt, self.said) for reply, target in zip(replies, self.targets, strict=True)
        )
        said = Said(self._store.turn_of(replies[0]), prompt, answers)
        self.said = (*self.said, said)
        return said

    def take_back(self) -> str | None:
        """Leave the last prompt out of what is said from now on, though not out of the store; the prompt."""
        if not self.said:
            return None
        *before, last = self.said
        self.stop(last)
        self._store.replaced(last.id)
        self.said = tuple(before)
        return last.prompt

    def again(self, targets: tuple[Target, ...]) -> Said | None:
        """Ask these targets the last prompt again, or for the first time; other answers stay."""
        if not self.said:
            return None
        *before, last = self.said
        for one in targets:
            if (old := last.answer_of(one)) is not None:
                self._end(old, "stopped")
        replies = self._store.again(last.id, targets)
        new = tuple(
            self._begin(reply, target, last.prompt, tuple(before))
            for reply, target in zip(replies, targets, strict=True)
        )
        said = Said(last.id, last.prompt, (*last.answers, *new))
        self.said = (*before, said)
        self.targets = (*self.targets, *(target for target in targets if target not in self.targets))
        return said

    def stop(self, said: Said | None = None) -> bool:
        """Stop what is being written, and keep what has come; whether there was anything to stop."""
        stopped = said.answers if said is not None else self.answering
        for answer in stopped:
            self._end(answer, "stopped")
        return bool(stopped)

    def follow(self, fleet: Fleet) -> None:
        """See what the machines draw while they write."""
        for answer in self.answering:
            if (node := fleet.get(answer.target.node)) is not None:
                answer.watch(node.samples)

    def _begin(self, reply: int, target: Target, prompt: str, before: tuple[Said, ...]) -> Answering:
        """Let an answer come."""
        answer = Answering(Reply(reply, target), Progress(time.monotonic()))
        asked = request(target.name, _exchanges(before, target), prompt, self.settings)
        self._running[reply] = self._run(self._write(answer, asked))
        return answer

    async def _write(self, answer: Answering, asked: ChatRequest) -> None:
        """Take an answer in; cancelling this closes the stream, which ends the work on the node."""
        state: State = "interrupted"
        failure: str | None = None
        try:
            async with aclosing(self._ask(answer.target.node, asked)) as chunks:
                async for chunk in chunks:
                    text, thinking = answer.take(chunk, time.monotonic())
                    if text or thinking:
                        self._store.heard(answer.id, text, thinking)
            state = "done"
        except RequestFailed as failed:
            state, failure = "failed", _sentence(failed)
        finally:
            self._end(answer, state, failure)

    def _end(self, answer: Answering, state: State, failure: str | None = None) -> None:
        """An answer has ended, one way or another."""
        running = self._running.pop(answer.id, None)
        if not answer.writing:
            return
        text, thinking = answer.end(state, failure)
        if text or thinking:
            self._store.heard(answer.id, text, thinking)
        self._store.ended(answer.id, state, failure, answer.figures)
        if state == "stopped" and running is not None:
            running.cancel()


def _said(chat: Chat) -> tuple[Said, ...]:
    """What was said in a chat of the store."""
    return tuple(
        Said(turn.id, turn.prompt, tuple(Answering(reply) for reply in turn.replies))
        for turn in chat.turns
        if not turn.replaced
    )


def _exchanges(before: tuple[Said, ...], target: Target) -> Iterator[tuple[str, str]]:
    """What a target was told and said; a model that joins later reads what the first one answered before."""
    for said in before:
        own = said.answer_of(target)
        answer = own if own is not None else next(iter(said.answers), None)
        if answer is not None and answer.text and answer.state != "failed":
            yield said.prompt, answer.text


def _sentence(failed: RequestFailed) -> str:
    """Why there is no answer, and what to do about it."""
    if failed.code == "not_resident":
        return f"{failed.message}; s in the fleet loads it"
    return str(failed)
