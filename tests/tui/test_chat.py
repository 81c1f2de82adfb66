from __future__ import annotations

from pathlib import Path

import pytest

from fleetview import clipboard
from fleetview.chats.records import Figures, Target
from fleetview.chats.store import ChatStore
from fleetview.messages import RequestFailed
from fleetview.screens.chat.chat_list import ChatList
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.choose import Choose
from fleetview_agent.wire import ChatChunk
from tests.tui.chatting import LLAMA, Chatting, Model, answered, ask, text_of, until


@pytest.fixture(autouse=True)
def _only_the_terminal_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "tool", lambda: None)


def a_chat(model: Model) -> Chatting:
    return Chatting({LLAMA: model})


async def test_an_answer_comes_with_its_figures() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        shown = text_of(app)
        assert "Chat · llama3.3:70b · ollama on studio" in shown
        assert "capital?" in shown
        assert "Canberra." in shown
        assert "84.1 tok/s · 118 tokens · – J/token · prompt 37, 12 cached, 512 tok/s" in shown


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
        assert app.prompt.has_focus
        assert "118 tokens" not in text_of(app)
        model.go_on.set()
        await answered(pilot, app, "two")
    assert model.said() == ["one", "Canberra.", "two"]


async def test_the_second_escape_leaves_the_input_and_the_third_the_view() -> None:
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        await pilot.press("escape")
        await until(pilot, lambda: not app.prompt.has_focus)
        assert app.answers == []
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [None])


async def test_an_answer_goes_on_when_the_chat_is_left() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "Canberra." in text_of(app))
        dialogue = app.chat.dialogue
        await app.chat.run_action("leave_input")
        await pilot.press("q")
        await until(pilot, lambda: app.answers == [None])
        assert (model.closed, app.dialogues.answering) == (0, 1)
        model.go_on.set()
        await until(pilot, lambda: not dialogue.answering)
        kept = app.store.chat(dialogue.chat_id or 0)
        assert kept is not None
        assert [(reply.text, reply.state) for reply in kept.turns[0].replies] == [("Canberra.", "done")]
        await app.open(dialogue)
        await until(pilot, lambda: "84.1 tok/s" in text_of(app))


async def test_what_has_come_is_in_the_store_before_the_answer_ends() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "Canberra." in text_of(app))
        kept = app.store.chat(app.chat.dialogue.chat_id or 0)
        assert kept is not None
        assert [(reply.text, reply.state) for reply in kept.turns[0].replies] == [("Canberra.", "writing")]
        await pilot.press("escape")


async def test_a_failure_is_a_sentence_and_the_prompt_is_not_lost() -> None:
    model = Model()
    model.pieces = ()
    model.failure = RequestFailed("llama3.3:70b is not resident on studio", "load it with s")
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "my long prompt")
        await until(pilot, lambda: "llama3.3:70b is not resident on studio (load it with s)" in text_of(app))
        await until(pilot, lambda: app.prompt.text == "my long prompt")
        model.failure = None
        await pilot.press("enter")
        await until(pilot, lambda: len(model.asked) == 2)
    assert model.said() == ["my long prompt"]


async def test_an_answer_that_breaks_off_stays_visible_and_g_asks_again() -> None:
    model = Model()
    model.failure = RequestFailed("the connection to studio broke")
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "✗ the connection to studio broke" in text_of(app))
        assert "Canberra." in text_of(app)
        model.failure = None
        await pilot.press("escape", "g")
        await until(pilot, lambda: "84.1 tok/s" in text_of(app))
        assert "broke" not in text_of(app)
    assert model.said() == ["capital?"]


async def test_a_prompt_that_comes_too_early_stays_in_the_input() -> None:
    model = Model()
    model.go_on.clear()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app, "one")
        await until(pilot, lambda: "Canberra." in text_of(app))
        await ask(pilot, app, "two")
        assert app.prompt.text == "two"
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
    app = a_chat(Model("x" * clipboard.LIMIT_BYTES))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await answered(pilot, app)
        await pilot.press("escape", "y")
        await until(pilot, lambda: "clipboard" in text_of(app))
        assert app.copied == []


async def test_one_of_several_blocks_of_code_is_copied() -> None:
    app = a_chat(Model("Both:\n\n```python\nx = 1\n```\n\n```sh\nls\n```\n"))
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        await pilot.press("escape", "y")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "python, 1 line: x = 1" in text_of(app))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.copied == ["ls"])


async def test_n_begins_a_new_chat_with_the_same_models_and_keeps_the_old_one() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await pilot.press("escape", "n")
        await until(pilot, lambda: "Canberra." not in text_of(app) and app.prompt.has_focus)
        await answered(pilot, app, "two")
        assert model.said() == ["two"]
        assert [former.title for former in app.store.chats()] == ["two", "one"]


async def test_an_empty_answer_says_so() -> None:
    model = Model()
    model.pieces = ("",)
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await ask(pilot, app)
        await until(pilot, lambda: "the answer is empty · 84.1 tok/s" in text_of(app))


async def test_names_are_never_read_as_markup() -> None:
    app = Chatting({Target("[red]studio", "ollama", "[b]m[/b]"): Model()})
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "Chat · [b]m[/b] · ollama on [red]studio" in text_of(app))


async def test_thoughts_are_folded_into_a_line_and_f_unfolds_them() -> None:
    app = a_chat(Model("<think>", "Sydney is ", "larger.", "</think>", "Canberra."))
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        assert "▸ thought for" in text_of(app)
        assert "Sydney" not in text_of(app)
        assert "<think>" not in text_of(app)
        await pilot.press("escape", "f")
        await until(pilot, lambda: "▾ thought for" in text_of(app) and "Sydney is larger." in text_of(app))
        await pilot.press("f")
        await until(pilot, lambda: "Sydney" not in text_of(app))


async def test_thoughts_that_the_engine_told_apart_are_folded_too() -> None:
    app = a_chat(Model(ChatChunk(thinking="Hm."), "Canberra."))
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        assert "▸ thought for" in text_of(app)
        assert "Hm." not in text_of(app)


async def test_x_writes_the_chat_into_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = a_chat(Model())
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app)
        await pilot.press("escape", "x")
        await until(pilot, lambda: any(tmp_path.iterdir()))
    (written,) = tmp_path.iterdir()  # noqa: ASYNC240 -- nobody waits for it
    assert "Canberra." in written.read_text()


async def test_a_former_chat_is_opened_and_goes_on() -> None:
    model = Model()
    app = a_chat(model)
    async with app.run_test(size=(100, 30)) as pilot:
        await answered(pilot, app, "one")
        await pilot.press("escape", "n")
        await until(pilot, lambda: "Canberra." not in text_of(app) and app.prompt.has_focus)
        await pilot.press("escape", "h")
        await until(pilot, lambda: isinstance(app.screen, ChatList) and "one" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChatScreen) and "Canberra." in text_of(app))
        await answered(pilot, app, "two")
    assert model.said() == ["one", "Canberra.", "two"]


async def test_a_chat_of_an_earlier_run_is_shown_with_the_figures_that_were_kept() -> None:
    store = ChatStore()
    chat = store.begin((LLAMA,))
    (reply,) = store.asked(chat.id, "capital?", (LLAMA,))
    store.heard(reply, "Canberra.")
    store.ended(reply, "interrupted", None, Figures(0.41, 84.1, 37, 118, 5.13, "system"))
    app = Chatting({LLAMA: Model()}, store=store)
    async with app.run_test(size=(100, 30)) as pilot:
        last = app.dialogues.reopen(chat.id)
        assert last is not None
        await app.open(last)
        figures = "interrupted when fleetview ended; g asks again · first 0.41 s · 84.1 tok/s · 118 tokens"
        await until(pilot, lambda: figures in text_of(app) and "5.1 J/token (whole machine)" in text_of(app))
