"""Talk to one model: ask, watch the answer come, stop it, ask again."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker

from fleetview.conversation import Conversation, obey
from fleetview.messages import RequestFailed
from fleetview.present import count, plain
from fleetview.present.answers import Progress, final, live
from fleetview.present.text import Line, joined
from fleetview.screens.confirm import Confirm
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.prompt import Prompt
from fleetview.widgets.toned import content
from fleetview.widgets.transcript import Answer, Transcript
from fleetview_agent.wire import ChatChunk, ChatRequest

COPY_LIMIT_BYTES = 56_000
"""What most terminals take at once; more would be lost without a word."""
FIGURES_SECONDS = 0.5
"""How often the figures of a growing answer are drawn again."""


class ChatScreen(Screen[None]):
    """One conversation with one model of one node."""

    CSS_PATH = "chat.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the answer; what has come is kept."),
        Binding(
            "escape", "leave_input", "leave input", id="chat.leave_input", tooltip="Leave the input: letters are keys."
        ),
        Binding("i,enter", "type", "type", id="chat.type", tooltip="Go back to typing."),
        Binding("n", "new", "new chat", id="chat.new", tooltip="Begin a new chat with the same model."),
        Binding("y", "copy", "copy", id="chat.copy", tooltip="Copy the last answer."),
        Binding("g", "regenerate", "again", id="chat.regenerate", tooltip="Generate the last answer again."),
        Binding("escape,q,backspace", "back", "back", id="chat.back", tooltip="Leave the chat."),
    ]

    def __init__(
        self, node_name: str, backend: str, model: str, chat: Callable[[ChatRequest], AsyncIterator[ChatChunk]]
    ) -> None:
        super().__init__()
        self._place: Line = joined(
            (
                (("Chat", "strong"),),
                ((plain(model), "accent"),),
                ((f"{plain(backend)} on {plain(node_name)}", "dim"),),
            )
        )
        self._chat = chat
        self._conversation = Conversation(f"{backend}/{model}")
        self._last: str | None = None
        """The prompt of the last turn on the screen."""
        self._kept = False
        """Whether the last turn on the screen is part of the conversation."""
        self._answer: Answer | None = None
        """Of the last turn on the screen."""
        self._progress: Progress | None = None
        """Of the answer that is being written; None while none is."""
        self._answering: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """Where we are, what was said, what is typed, which keys work."""
        yield Static(content(self._place), id="place")
        yield Transcript()
        yield Prompt()
        yield KeyHints()

    def on_mount(self) -> None:
        """Begin with typing."""
        self.query_one(Prompt).focus()
        self.set_interval(FIGURES_SECONDS, self._show_figures)

    @on(Prompt.Sent)
    async def take(self, event: Prompt.Sent) -> None:
        """Send a prompt, or obey a line that begins with a slash."""
        prompt = self.query_one(Prompt)
        if event.text.startswith("/") and prompt.text.startswith("/"):
            prompt.clear_sent(event.text)
            await self._obey(event.text)
        elif self._progress is not None:
            self.notify("The answer is still being written; esc stops it.", severity="warning", markup=False)
        else:
            prompt.clear_sent(event.text)
            await self._send(event.text)

    async def _obey(self, line: str) -> None:
        """Change a setting, or say why not."""
        transcript = self.query_one(Transcript)
        try:
            settings, said = obey(self._conversation.settings, line)
        except ValueError as wrong:
            await transcript.note(str(wrong), wrong=True)
            return
        self._conversation = self._conversation.with_settings(settings)
        await transcript.note(said)

    async def _send(self, prompt: str) -> None:
        """Ask, and let the answer come."""
        self._last, self._kept = prompt, False
        self._answer = await self.query_one(Transcript).say(prompt)
        self._progress = Progress(time.monotonic())
        self._show_figures()
        self._answering = self._receive(self._conversation.request(prompt), prompt, self._answer)
        self.refresh_bindings()

    @work(group="answer", exclusive=True)
    async def _receive(self, request: ChatRequest, prompt: str, answer: Answer) -> None:
        """Take the answer in; cancelling this closes the stream, which ends the work on the node."""
        stream = self._chat(request)
        failure: str | None = None
        try:
            async for chunk in stream:
                if self._progress is not None:
                    self._progress = self._progress.heard(chunk, time.monotonic())
                answer.add(chunk.text, chunk.thinking)
        except RequestFailed as failed:
            failure = str(failed)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        await self._finish(prompt, answer, failure)

    async def _finish(self, prompt: str, answer: Answer, failure: str | None = None, *, stopped: bool = False) -> None:
        """The answer has ended, one way or another."""
        progress, self._progress = self._progress, None
        await answer.settle()
        ending = "stopped" if stopped else "" if answer.text else "the answer is empty"
        figures = " · ".join(part for part in (ending, final(progress) if progress else "") if part)
        if failure is not None:
            answer.say(failure, "failed")
        else:
            answer.say(figures, "stopped" if stopped else "done")
        if answer.text and failure is None:
            self._conversation, self._kept = self._conversation.answered(prompt, answer.text), True
        elif failure is not None or stopped:
            self.query_one(Prompt).give_back(prompt)
        self.refresh_bindings()

    def _show_figures(self) -> None:
        """Say how far the answer is."""
        if self._answer is not None and self._progress is not None:
            self._answer.say(live(self._progress, time.monotonic()))

    async def action_stop(self) -> None:
        """Stop the answer and keep what has come."""
        if self._answering is None or self._answer is None or self._last is None or self._progress is None:
            return
        self._answering.cancel()
        await self._finish(self._last, self._answer, stopped=True)

    def action_leave_input(self) -> None:
        """Let letters be keys."""
        self.query_one(Transcript).focus()

    def action_type(self) -> None:
        """Let letters be text."""
        self.query_one(Prompt).focus()

    async def action_back(self) -> None:
        """Leave the chat; an answer in progress ends."""
        await self.action_stop()
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy the last answer to the clipboard of the terminal."""
        text = self._answer.text if self._answer else ""
        if len(text.encode()) > COPY_LIMIT_BYTES:
            self.notify("The answer is longer than a terminal's clipboard takes.", severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"Answer copied, {count(len(text), 'character')}.", markup=False)

    async def action_regenerate(self) -> None:
        """Ask for the last answer again."""
        if self._last is None:
            return
        if self._kept:
            self._conversation = self._conversation.without_last()
        prompt = self.query_one(Prompt)
        if prompt.text == self._last:
            prompt.clear()
        await self.query_one(Transcript).forget_last()
        await self._send(self._last)

    def action_new(self) -> None:
        """Begin a new chat, after asking when something was said."""
        if not self._conversation.exchanges:
            self.run_worker(self._begin_anew())
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.run_worker(self._begin_anew())

        turns = count(len(self._conversation.exchanges), "answer")
        self.app.push_screen(
            Confirm("Begin a new chat?", (f"{turns} of this one will be gone.",), "new chat"), answered
        )

    async def _begin_anew(self) -> None:
        """Forget what was said."""
        self._conversation = self._conversation.anew()
        self._last, self._answer, self._kept = None, None, False
        await self.query_one(Transcript).forget_all()
        self.query_one(Prompt).focus()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Which keys work now."""
        answering = self._progress is not None
        typing = any(prompt.has_focus for prompt in self.query(Prompt))
        match action:
            case "stop":
                return answering
            case "leave_input":
                return typing
            case "type":
                return not typing
            case "back":
                return not typing
            case "copy":
                return not typing and self._answer is not None and bool(self._answer.text)
            case "regenerate":
                return not typing and not answering and self._last is not None
            case "new":
                return not typing and not answering and self._last is not None
            case _:
                return True
