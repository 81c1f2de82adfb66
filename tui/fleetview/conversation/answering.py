"""One answer of a model: as it comes, and as it was."""

from __future__ import annotations

from dataclasses import replace

from fleetview.chats.records import Figures, Reply, State
from fleetview.conversation.energy import Energy
from fleetview.conversation.thoughts import Thoughts
from fleetview.present.chat.answers import Progress, figures_of, kept, live, outcome
from fleetview.present.text import visible
from fleetview_agent.wire import ChatChunk, Sample


class Answering:
    """Grows while the model writes, whether anybody looks or not; screens draw what it has when they are shown."""

    def __init__(self, reply: Reply, progress: Progress | None = None) -> None:
        self.id = reply.id
        self.target = reply.target
        self._pieces = [reply.text]
        self.thinking = reply.thinking
        self.state: State = reply.state
        self.failure = reply.failure
        self.figures = reply.figures
        self.progress = progress
        """None of an answer from an earlier run of the program."""
        self._thoughts = Thoughts()
        self._energy: Energy | None = None

    @property
    def text(self) -> str:
        """All that has come, safe to show and to copy."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    @property
    def writing(self) -> bool:
        """Whether more of it may come."""
        return self.state == "writing"

    def take(self, chunk: ChatChunk, at: float) -> tuple[str, str]:
        """Take a piece in; its text and its thoughts as they are certain now."""
        text, thinking = self._thoughts.feed(chunk.text) if chunk.text else ("", "")
        told = visible(text), visible(chunk.thinking + thinking)
        if self.progress is not None:
            self.progress = self.progress.heard(chunk, at, answered=bool(told[0].strip()))
        self._add(*told)
        return told

    def watch(self, samples: tuple[Sample, ...]) -> None:
        """What the machine drew meanwhile; counted from the first piece on."""
        if not self.writing or self.progress is None or self.progress.first_at is None or not samples:
            return
        self._energy = Energy(samples[-1].at) if self._energy is None else self._energy.after(samples)

    def end(self, state: State, failure: str | None = None) -> tuple[str, str]:
        """Nothing more comes; what was held back."""
        text, thinking = self._thoughts.end()
        told = visible(text), visible(thinking)
        self._add(*told)
        self.state, self.failure = state, failure
        if self.progress is not None:
            self.figures = self._priced(figures_of(self.progress), self.progress)
        return told

    def remark(self, at: float) -> str:
        """What stands below it: how far it is, or how it went."""
        if self.progress is not None and self.writing:
            return live(self.progress, at)
        return outcome(self.state, self.failure, kept(self.figures, self.progress), empty=not self.text)

    def _priced(self, figures: Figures, progress: Progress) -> Figures:
        """With joules per token, where the power of the whole machine was measured."""
        if self._energy is None:
            return figures
        joules = self._energy.per_token(progress.writing_seconds, figures.completion_tokens)
        return replace(figures, joules_per_token=joules, joules_cover=self._energy.covers) if joules else figures

    def _add(self, text: str, thinking: str) -> None:
        """More of it has come."""
        if text:
            self._pieces.append(text)  # to copy all that has come for each token would take longer than to draw it
        self.thinking += thinking
