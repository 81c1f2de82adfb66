"""Models that answer what a test says, and a chat with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, cast

from textual.pilot import Pilot

from fleetview.chats.records import Settings, Target
from fleetview.chats.store import ChatStore
from fleetview.conversation.dialogue import Dialogue
from fleetview.conversation.dialogues import Dialogues
from fleetview.fleet import Fleet
from fleetview.messages import RequestFailed
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.desk import Desk
from fleetview.widgets.column import Column
from fleetview.widgets.prompt import Prompt
from fleetview_agent.wire import ChatChunk, ChatRequest, Timings, Usage
from tests.tui.stage import Stage, text_of, until

LLAMA = Target("studio", "ollama", "llama3.3:70b")
GEMMA = Target("worker", "ollama", "gemma3:27b")
QWEN = Target("laptop", "llamacpp", "qwen3:8b")
USAGE = Usage(prompt_tokens=37, completion_tokens=118, cached_tokens=12)
TIMINGS = Timings(
    prompt_n=25, prompt_ms=50, prompt_per_second=512.3, predicted_n=118, predicted_ms=1400, predicted_per_second=84.12
)
END = ChatChunk(finish_reason="stop", usage=USAGE, timings=TIMINGS)


class Model:
    """Answers with what it is told, piece by piece, and remembers what it was asked and whether it was let finish."""

    def __init__(self, *pieces: str | ChatChunk) -> None:
        self.pieces = pieces or ("Can", "berra.")
        self.asked: list[ChatRequest] = []
        self.closed = 0
        self.failure: RequestFailed | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def answer(self, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        self.asked.append(request)
        try:
            for piece in self.pieces:
                yield piece if isinstance(piece, ChatChunk) else ChatChunk(text=piece)
            await self.go_on.wait()
            if self.failure is not None:
                raise self.failure
            yield END
        finally:
            self.closed += 1

    def said(self, turn: int = -1) -> list[str]:
        return [message.content for message in self.asked[turn].messages]


class Chatting(Stage[None]):
    """A stage with a chat screen; other chats take its place as they do in the dashboard."""

    def __init__(
        self,
        models: dict[Target, Model],
        *,
        targets: tuple[Target, ...] = (),
        store: ChatStore | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        self.models = models
        self.store = store or ChatStore()
        self.dialogues = Dialogues(self._ask, self.store, self._run)
        # Any: the screen asks the desk for nothing but its chats
        self._desk = cast("Desk", cast("Any", SimpleNamespace(chats=self.store)))
        self._fleet = fleet or {}
        super().__init__(self._screen(self.dialogues.begin(targets or tuple(models), Settings())))

    async def _ask(self, node: str, request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        target = next(one for one in self.models if (one.node, one.name) == (node, request.model))
        async for chunk in self.models[target].answer(request):
            yield chunk

    def _run(self, work: Any) -> Any:  # Any: as Textual has it
        return self.run_worker(work)

    def _screen(self, dialogue: Dialogue) -> ChatScreen:
        screen = ChatScreen(self._desk, dialogue, self.dialogues, self.open)
        screen.set_reactive(ChatScreen.fleet, self._fleet)
        return screen

    async def open(self, dialogue: Dialogue) -> None:
        self.shown = self._screen(dialogue)
        await self.push_screen(self.shown)

    @property
    def chat(self) -> ChatScreen:
        assert isinstance(self.screen, ChatScreen)
        return self.screen

    @property
    def prompt(self) -> Prompt:
        return self.chat.query_one(Prompt)


async def ask(pilot: Pilot[None], app: Chatting, text: str = "capital?") -> None:
    app.prompt.insert(text)
    await pilot.press("enter")
    await pilot.pause()


async def answered(pilot: Pilot[None], app: Chatting, text: str = "capital?") -> None:
    said = len(app.chat.dialogue.said)
    await ask(pilot, app, text)
    await until(pilot, lambda: len(app.chat.dialogue.said) > said and not app.chat.dialogue.answering)
    await until(pilot, lambda: settled(app))


def settled(app: Chatting) -> bool:
    return all(answer.settled for column in app.chat.query(Column) for answer in column.answers if column.display)


__all__ = ["GEMMA", "LLAMA", "QWEN", "Chatting", "Model", "answered", "ask", "settled", "text_of", "until"]
