from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetview.chats import schema
from fleetview.chats.records import Figures, Settings, Target
from fleetview.chats.store import ChatStore
from fleetview.words.parser import parse
from tests.tui.chats.said import AT, FIGURES, LARGE, SMALL, a_chat, some_chats, titles

WRITER = """
import sys
from pathlib import Path
from fleetview.chats.records import Target
from fleetview.chats.store import ChatStore
store = ChatStore(Path(sys.argv[1]))
chat = store.begin((Target("head", "ollama", "a"), Target("here", "ollama", "b")))
replies = store.asked(chat.id, "count", chat.targets)
number = 0
while True:
    store.heard(replies[number % 2], f" {number}", f"t{number}")
    print(number, flush=True)
    number += 1
"""


def test_a_chat_comes_back_as_it_was_said(store: ChatStore, file: Path) -> None:
    settings = Settings(system="Be brief.", temperature=0.2, stop=("END",), seed=7)
    chat = store.begin((LARGE, SMALL), settings)
    large, small = store.asked(chat.id, "\n  What is   it?\nTell me.", chat.targets)
    for text, thinking in (("", "hm"), ("It ", ""), ("is ☃.", "")):
        store.heard(large, text, thinking)
    store.heard(small, "A thing")
    store.ended(large, "done", None, FIGURES)
    store.ended(small, "stopped")
    store.close()

    with closing(ChatStore(file)) as again:
        kept = again.chat(chat.id)
    assert kept is not None
    assert (kept.title, kept.targets, kept.settings) == ("What is it?", (LARGE, SMALL), settings)
    (turn,) = kept.turns
    assert turn.prompt == "\n  What is   it?\nTell me."
    assert [(one.target, one.text, one.thinking, one.state, one.figures) for one in turn.replies] == [
        (LARGE, "It is ☃.", "hm", "done", FIGURES),
        (SMALL, "A thing", "", "stopped", Figures()),
    ]


def test_an_answer_can_be_read_while_it_is_written(store: ChatStore) -> None:
    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Go on", chat.targets)
    store.heard(reply, "So ")
    store.heard(reply, "far")
    kept = store.chat(chat.id)
    assert kept is not None
    assert [(one.text, one.state) for one in kept.turns[0].replies] == [("So far", "writing")]
    assert store.chats()[0].state == "writing"


def test_only_its_owner_may_read_the_file(store: ChatStore, file: Path) -> None:
    a_chat(store, ("hello", "hi"))
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert {entry.stat().st_mode & 0o777 for entry in file.parent.iterdir()} == {0o600}


def test_every_token_is_there_after_a_dashboard_was_killed(file: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as lines:
        for line in lines:
            if int(line) >= 500:
                break
        child.send_signal(signal.SIGKILL)
        printed = [line for line in lines if line.endswith("\n")]
    child.wait()
    last = int(printed[-1]) if printed else int(line)

    with closing(ChatStore(file)) as store:
        (row,) = store.chats()
        chat = store.chat(row.id)
    assert chat is not None
    even, odd = chat.turns[0].replies
    assert (even.state, odd.state, row.state) == ("interrupted", "interrupted", "interrupted")
    numbers = sorted(int(number) for reply in (even, odd) for number in reply.text.split())
    assert numbers == list(range(len(numbers)))
    assert len(numbers) in {last + 1, last + 2}  # the one after may not have been told any more
    assert even.thinking.startswith("t0t2t4")


def test_the_answers_of_another_dashboard_are_left_alone_while_it_lives(store: ChatStore, file: Path) -> None:
    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Take your time", chat.targets)
    with closing(ChatStore(file)) as other:
        assert other.chats()[0].state == "writing"
        store.heard(reply, "done now")
        store.ended(reply)
        assert other.chats()[0].state == "done"
        assert other.chat(chat.id) == store.chat(chat.id)


def test_the_answers_of_a_dashboard_that_ended_are_interrupted(file: Path) -> None:
    ended = ChatStore(file)
    chat = ended.begin((LARGE,))
    (reply,) = ended.asked(chat.id, "Take your time", chat.targets)
    ended.heard(reply, "half")
    ended.close()
    with closing(ChatStore(file)) as store:
        kept = store.chat(chat.id)
        assert kept is not None
        assert [(one.text, one.state) for one in kept.turns[0].replies] == [("half", "interrupted")]
        assert titles(store, "half") == ["Take your time"]


@pytest.fixture(params=["indexed", "plain"])
def any_store(request: pytest.FixtureRequest, store: ChatStore, monkeypatch: pytest.MonkeyPatch) -> ChatStore:
    if request.param == "plain":
        monkeypatch.setattr(schema, "_can_search", lambda _connection: False)
    return store


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["Tell me a story", "Sort a list in Python", "What is the capital of Australia?"]),
        ("canb", ["What is the capital of Australia?"]),
        ("CAPITAL sydney", ["What is the capital of Australia?"]),
        ("python reverse", ["Sort a list in Python"]),
        ("()", ["Sort a list in Python"]),
        ("e=T", ["Sort a list in Python"]),
        ("upon", ["Tell me a story"]),
        ("%", []),
        ("capital python", []),
    ],
)
def test_chats_are_found_by_parts_of_what_was_said(any_store: ChatStore, typed: str, found: list[str]) -> None:
    some_chats(any_store)
    assert titles(any_store, typed) == found


def test_prompts_are_found_newest_first_and_each_once(any_store: ChatStore) -> None:
    some_chats(any_store)
    a_chat(any_store, ("Sort a list in Python", "again"))
    assert [prompt.text for prompt in any_store.prompts()] == [
        "Sort a list in Python",
        "Tell me a story",
        "And backwards?\nWithout a copy.",
        "What is the capital of Australia?",
    ]
    assert [prompt.text for prompt in any_store.prompts("back copy")] == ["And backwards?\nWithout a copy."]
    assert len(any_store.prompts(limit=2)) == 2


@given(st.text(max_size=20))
def test_nothing_that_is_typed_upsets_a_search(typed: str) -> None:
    told: list[str] = []
    with closing(ChatStore()) as store:
        store.listen(told.append)
        a_chat(store, (f"before {typed} after", typed))
        assert len(store.chats(typed)) == 1
        assert len(store.prompts(typed)) == 1
    assert told == []


def test_a_turn_that_was_asked_anew_is_kept_but_no_longer_shown(store: ChatStore) -> None:
    number = a_chat(store, ("Frist?", "A typo"), ("First?", "Yes"))
    chat = store.chat(number)
    assert chat is not None
    store.replaced(chat.turns[0].id)
    shown, whole = store.chat(number), store.chat(number, replaced=True)
    assert shown is not None
    assert whole is not None
    assert [turn.prompt for turn in shown.turns] == ["First?"]
    assert [(turn.prompt, turn.replaced) for turn in whole.turns] == [("Frist?", True), ("First?", False)]
    assert store.chats()[0].turns == 1
    assert titles(store, "typo") == []
    assert [prompt.text for prompt in store.prompts("frist")] == ["Frist?"]


def test_a_deleted_chat_is_found_no_more(any_store: ChatStore) -> None:
    capital, *_ = some_chats(any_store)
    any_store.delete(capital)
    assert any_store.chat(capital) is None
    assert titles(any_store, "Canberra") == []
    assert any_store.prompts("capital") == ()
    assert titles(any_store, "sorted") == ["Sort a list in Python"]


def test_an_answer_to_a_deleted_chat_is_let_go(store: ChatStore) -> None:
    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Too late", chat.targets)
    store.delete(chat.id)
    store.heard(reply, "hello")
    store.ended(reply)
    assert store.chats() == ()
    assert store.chats("hello") == ()


def test_a_chat_has_the_name_that_it_is_given(store: ChatStore) -> None:
    number = a_chat(store, ("a " * 100, "yes"))
    assert titles(store)[0].endswith("…")
    store.rename(number, "Letters")
    store.asked(number, "more", (SMALL,))
    chat = store.chat(number)
    assert chat is not None
    assert (chat.title, chat.targets) == ("Letters", (SMALL,))


def test_what_ended_stays_as_it_is(store: ChatStore) -> None:
    chat = store.begin((LARGE,))
    (reply,) = store.asked(chat.id, "Stop", chat.targets)
    store.ended(reply, "stopped")
    store.ended(reply, "failed", "the stream was closed")
    assert store.chats()[0].state == "stopped"


def test_halves_of_characters_do_not_upset_it(store: ChatStore) -> None:
    number = a_chat(store, ("broken \ud800", "so \udfff it is"), targets=(Target("h\ud800", "b", "m"),))
    chat = store.chat(number)
    assert chat is not None
    assert chat.turns[0].replies[0].text == "so ? it is"


def test_chats_in_which_nothing_was_asked_are_neither_listed_nor_kept(file: Path) -> None:
    with closing(ChatStore(file, lambda: AT)) as store:
        empty = store.begin((LARGE,)).id
        assert store.chats() == ()
    with closing(ChatStore(file, lambda: AT + 60)) as store:
        assert store.chat(empty) is not None
    with closing(ChatStore(file, lambda: AT + 2 * 86_400)) as store:
        assert store.chat(empty) is None


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    with closing(ChatStore()) as store:
        number = a_chat(store, ("hello", "hi"))
        assert store.chat(number) is not None
    assert list(tmp_path.iterdir()) == []


def test_keeping_chats_is_what_is_usual_and_can_be_declined() -> None:
    assert parse([]).history
    assert not parse(["--no-history"]).history


def test_the_file_is_not_opened_before_it_is_needed(file: Path) -> None:
    ChatStore(file).close()
    assert not file.exists()
