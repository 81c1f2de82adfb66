from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from textual.pilot import Pilot

from fleetview.messages import RequestFailed
from fleetview.screens.chat import COPY_LIMIT_BYTES, ChatScreen
from fleetview.screens.confirm import Confirm
from fleetview.widgets.prompt import Prompt
from fleetview_agent.wire import ChatChunk, ChatRequest, Timings, Usage
from tests.tui.stage import Stage, text_of, until

USAGE = Usage(prompt_tokens=37, completion_tokens=118, cached_tokens=12)
TIMINGS = Timings(
    prompt_n=25, prompt_ms=50, prompt_per_second=512.3, predicted_n=118, predicted_ms=1400, predicted_per_second=84.12
)
END = ChatChunk(finish_reason="stop", usage=USAGE, timings=TIMINGS)


class Model:
    """Answers with what it is told, piece by piece, and remembers what it was asked and whether it was let finish."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces or ("Can", "berra.")
        self.asked: list[ChatRequest] = []
        self.closed = 0
        self.failure: RequestFailed | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        self.asked.append(request)
        try:
            for piece in self.pieces:
                yield ChatChunk(text=piece)
            await self.go_on.wait()
            if self.failure is not None:
                raise self.failure
            yield END
        finally:
            self.closed += 1

    def said(self, turn: int = -1) -> list[str]:
        return [message.content for message in self.asked[turn].messages]


def a_chat(model: Model) -> Stage[None]:
    return Stage(ChatScreen("studio", "ollama", "llama3.3:70b", model))


def prompt_of(app: Stage[None]) -> Prompt:
    return app.shown.query_one(Prompt)


async def ask(pilot: Pilot[None], app: Stage[None], text: str = "capital?") -> None:
    prompt_of(app).insert(text)
    await pilot.press("enter")
    await pilot.pause()


async def answered(pilot: Pilot[None], app: Stage[None], text: str = "capital?") -> None:
    before = text_of(app).count("84.1 tok/s")
    await ask(pilot, app, text)
    await until(pilot, lambda: text_of(app).count("84.1 tok/s") > before)


async def test_an_answer_comes_with_its_figures() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        shown = text_of(app)
        assert "Chat · llama3.3:70b · ollama on studio" in shown
        assert "capital?" in shown
        assert "Canberra." in shown
        assert "84.1 tok/s · 118 tokens · prompt 37, 12 cached, 512 tok/s" in shown


async def test_everything_that_was_said_is_sent_with_the_next_prompt() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await answered(pilot, app, "two")
    assert model.said() == ["one", "Canberra.", "two"]
    assert model.asked[0].model == "ollama/llama3.3:70b"


async def test_while_the_prompt_is_read_it_says_so_and_estimates_are_marked() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "~2 tokens" in text_of(app))
        model.pieces = ()
        model.go_on.set()
        await until(pilot, lambda: "118 tokens" in text_of(app))
        model.go_on.clear()
        await ask(pilot, app, "again")
        await until(pilot, lambda: "reading the prompt…" in text_of(app))


async def test_escape_stops_the_answer_keeps_what_came_and_closes_the_stream() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "one")
        await until(pilot, lambda: "Canberra." in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "stopped" in text_of(app))
        await until(pilot, lambda: model.closed == 1)
        assert prompt_of(app).has_focus
        assert "118 tokens" not in text_of(app)
        model.go_on.set()
        await answered(pilot, app, "two")
    assert model.said() == ["one", "Canberra.", "two"]


async def test_the_second_escape_leaves_the_input_and_the_third_the_view() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        await pilot.press("escape")
        await until(pilot, lambda: not prompt_of(app).has_focus)
        assert app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_leaving_the_view_closes_the_stream() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "Canberra." in text_of(app))
        await app.shown.run_action("leave_input")
        await pilot.press("q")
        await until(pilot, lambda: app.answers == [None])
        await until(pilot, lambda: model.closed == 1)


async def test_removing_the_screen_closes_the_stream() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "Canberra." in text_of(app))
        await app.pop_screen()
        await until(pilot, lambda: model.closed == 1)


async def test_a_failure_is_a_sentence_and_the_prompt_is_not_lost() -> None:
    model = Model()
    model.pieces = ()
    model.failure = RequestFailed("llama3.3:70b is not resident on studio", "load it with s")
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "my long prompt")
        await until(pilot, lambda: "llama3.3:70b is not resident on studio (load it with s)" in text_of(app))
        assert prompt_of(app).text == "my long prompt"
        model.failure = None
        await pilot.press("enter")
        await until(pilot, lambda: len(model.asked) == 2)
    assert model.said() == ["my long prompt"]


async def test_an_answer_that_breaks_off_stays_visible() -> None:
    model = Model()
    model.failure = RequestFailed("the connection to studio broke")
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "the connection to studio broke" in text_of(app))
        assert "Canberra." in text_of(app)
        assert prompt_of(app).text == "capital?"


async def test_a_prompt_that_comes_too_early_stays_in_the_input() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "one")
        await until(pilot, lambda: "Canberra." in text_of(app))
        await ask(pilot, app, "two")
        assert prompt_of(app).text == "two"
        assert len(model.asked) == 1


async def test_g_generates_the_last_answer_again() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await answered(pilot, app, "two")
        model.pieces = ("Sydney",)
        await pilot.press("escape", "g")
        await until(pilot, lambda: "Sydney" in text_of(app) and text_of(app).count("84.1 tok/s") == 2)
        assert text_of(app).count("Canberra.") == 1
        assert model.said() == ["one", "Canberra.", "two"]
        await pilot.press("i")
        await answered(pilot, app, "three")
    assert model.said() == ["one", "Canberra.", "two", "Sydney", "three"]


async def test_y_copies_the_answer_as_it_was_written() -> None:
    app = a_chat(Model("**Can", "berra**"))
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        await pilot.press("escape", "y")
        await until(pilot, lambda: app.copied == ["**Canberra**"])


async def test_what_a_terminal_would_not_take_is_not_copied() -> None:
    app = a_chat(Model("x" * (COPY_LIMIT_BYTES + 1)))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await answered(pilot, app)
        await pilot.press("escape", "y")
        await until(pilot, lambda: "clipboard" in text_of(app))
        assert app.copied == []


async def test_a_new_chat_begins_only_after_a_clear_yes() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await pilot.press("escape", "n")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.shown)
        assert "Canberra." in text_of(app)
        await pilot.press("n", "y")
        await until(pilot, lambda: app.screen is app.shown and "Canberra." not in text_of(app))
        await until(pilot, lambda: prompt_of(app).has_focus)
        await answered(pilot, app, "two")
    assert model.said() == ["two"]


async def test_settings_are_typed_and_used() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "/set temperature 0.2")
        await ask(pilot, app, "/system be brief")
        await ask(pilot, app, "/set temperature warm")
        await until(pilot, lambda: "temperature needs a number, not 'warm'" in text_of(app))
        assert model.asked == []
        await answered(pilot, app)
        await ask(pilot, app, "/help")
        await until(pilot, lambda: "/set max_tokens" in text_of(app))
    assert model.asked[0].temperature == 0.2
    assert model.said() == ["be brief", "capital?"]


async def test_letters_are_keys_only_when_the_input_is_left() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("q", "n", "y", "g", "i", "j")
        await pilot.pause()
        assert prompt_of(app).text == "qnygij"
        assert "INSERT" in text_of(app)
        await pilot.press("escape", "j", "k")
        await pilot.pause()
        assert prompt_of(app).text == "qnygij"
        assert "INSERT" not in text_of(app)
        await pilot.press("enter", "!")
        await pilot.pause()
        assert prompt_of(app).text == "qnygij!"


async def test_an_empty_answer_says_so() -> None:
    model = Model()
    model.pieces = ("",)
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "the answer is empty · 84.1 tok/s" in text_of(app))


async def test_names_are_never_read_as_markup() -> None:
    app = Stage(ChatScreen("[red]studio", "ollama", "[b]m[/b]", Model()))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "Chat · [b]m[/b] · ollama on [red]studio" in text_of(app))
