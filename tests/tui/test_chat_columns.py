"""Several models in one chat: side by side, and one more for an answer."""

from __future__ import annotations

from fleetview.messages import RequestFailed
from tests.builders import a_backend_state, a_model_file, a_node, a_resident
from tests.tui.chatting import GEMMA, LLAMA, QWEN, Chatting, Model, answered, ask, text_of, until


def a_chat(model: Model) -> Chatting:
    return Chatting({LLAMA: model})


async def test_several_models_answer_side_by_side_each_in_its_own_conversation() -> None:
    llama, gemma = Model(), Model("It is Canberra.")
    app = Chatting({LLAMA: llama, GEMMA: gemma})
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app, "one")
        await answered(pilot, app, "two")
        shown = text_of(app)
        assert "Chat · 2 targets" in shown
        assert "studio · llama3.3:70b" in shown
        assert "worker · gemma3:27b" in shown
        assert any("Canberra." in line and "It is Canberra." in line for line in shown.splitlines())
    assert llama.said() == ["one", "Canberra.", "two"]
    assert gemma.said() == ["one", "It is Canberra.", "two"]


async def test_prompts_side_by_side_stand_in_one_row_and_a_mark_says_which_column_keys_mean() -> None:
    app = Chatting({LLAMA: Model("one\n\ntwo\n\nthree"), GEMMA: Model("It is Canberra.")})
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app, "why?")
        assert [row.count("why?") for row in text_of(app).splitlines()[2:] if "why?" in row] == [2]
        assert "▸" not in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: "▸ studio" in text_of(app))
        await pilot.press("tab")
        await until(pilot, lambda: "▸ worker" in text_of(app) and "▸ studio" not in text_of(app))


async def test_a_model_that_fails_does_not_stop_the_others() -> None:
    llama, gemma = Model(), Model()
    llama.pieces = ()
    llama.failure = RequestFailed("llama3.3:70b is not resident on studio", code="not_resident")
    app = Chatting({LLAMA: llama, GEMMA: gemma})
    async with app.run_test(size=(100, 24)) as pilot:
        await answered(pilot, app)
        (said,) = app.chat.dialogue.said
        assert said.answers[0].failure == "llama3.3:70b is not resident on studio; s in the fleet loads it"
        assert "✗ llama3.3:70b is not resident on" in text_of(app)
        assert "84.1 tok/s" in text_of(app)
        assert app.prompt.text == ""


async def test_columns_that_have_no_room_are_reached_with_brackets() -> None:
    app = Chatting({LLAMA: Model(), GEMMA: Model(), QWEN: Model("Qwen says Canberra.")})
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app)
        assert "[ 1–2 of 3 ]" in text_of(app)
        assert "Qwen says" not in text_of(app)
        await pilot.press("escape", "]")
        await until(pilot, lambda: "[ 2–3 of 3 ]" in text_of(app) and "Qwen says Canberra." in text_of(app))
        await pilot.press("[")
        await until(pilot, lambda: "[ 1–2 of 3 ]" in text_of(app))
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: " of 3 ]" not in text_of(app) and "Qwen says Canberra." in text_of(app))


async def test_what_came_to_a_column_without_room_is_there_once_there_is_room() -> None:
    app = Chatting({LLAMA: Model(), GEMMA: Model(), QWEN: Model("Qwen says Canberra.")})
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app)
        await until(pilot, lambda: not app.chat._columns._pace._active.is_set())
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: "Qwen says Canberra." in text_of(app))


async def test_g_asks_another_model_of_the_fleet_which_knows_what_was_said() -> None:
    fleet = {
        "laptop": a_node(
            "laptop",
            backends={
                "llamacpp": a_backend_state(
                    models=(a_model_file("bge-m3", architecture="bert"),),
                    resident=(a_resident("qwen3:8b"), a_resident("bge-m3")),
                )
            },
            backends_heard_at={},
        )
    }
    llama, qwen = Model(), Model("Qwen says so too.")
    app = Chatting({LLAMA: llama, QWEN: qwen}, targets=(LLAMA,), fleet=fleet)
    async with app.run_test(size=(80, 24)) as pilot:
        await answered(pilot, app, "one")
        await answered(pilot, app, "two")
        await pilot.press("escape", "g")
        await until(pilot, lambda: "also: llamacpp/qwen3:8b on laptop" in text_of(app))
        assert "bge-m3" not in text_of(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: "Qwen says so too." in text_of(app) and not app.chat.dialogue.answering)
        assert text_of(app).count("Canberra.") == 2
        assert app.chat.dialogue.targets == (LLAMA, QWEN)
    assert qwen.said() == ["one", "Canberra.", "two"]
    assert len(llama.asked) == 2


async def test_an_embedding_model_is_not_asked() -> None:
    files = a_backend_state("ollama", models=(a_model_file("llama3.3:70b", architecture="nomic-bert"),))
    fleet = {"studio": a_node("studio", backends={"ollama": files}, backends_heard_at={})}
    model = Model()
    app = Chatting({LLAMA: model}, fleet=fleet)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await ask(pilot, app)
        await until(
            pilot,
            lambda: any("cannot be asked: it is an embedding model" in told.message for told in app._notifications),
        )
        assert app.prompt.text == "capital?"
        assert model.asked == []
