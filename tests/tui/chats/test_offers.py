"""Which models can be asked, and the rows of the dialogs of a chat."""

from __future__ import annotations

import pytest

from fleetview.chats.records import FormerChat, FormerPrompt, Target
from fleetview.chats.store import ChatStore
from fleetview.models.offers import Offer, cannot_chat, matching, offers
from fleetview.present.chat.lists import chat_line, preview, prompt_line, target_line
from fleetview.present.text import text_of as words_of
from fleetview.present.text import width_of
from tests.tui.chats.said import AT, LLAMA, QWEN, SMOL, a_fleet

NOW = AT + 3600


def names(rows: tuple[Offer, ...]) -> list[str]:
    return [offer.target.model for offer in rows]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("@all", ["llama3.3:70b", "nomic-embed-text", "SmolLM2-135M", "qwen3:32b"]),
        ("@role:worker", ["qwen3:32b"]),
        ("@role:h", ["llama3.3:70b", "nomic-embed-text", "SmolLM2-135M"]),
        ("@tag:m4", ["qwen3:32b"]),
        ("@tag:office llama3", ["llama3.3:70b"]),
        ("@nothing", []),
        ("LAPTOP", ["qwen3:32b"]),
        ("head 70b", ["llama3.3:70b"]),
    ],
)
def test_typed_words_and_groups_mean_models(typed: str, found: list[str]) -> None:
    assert names(matching(offers(a_fleet()), typed)) == found


@pytest.mark.parametrize(
    ("architecture", "name", "able"),
    [
        ("llama", "llama3.3:70b", True),
        ("gemma3", "gemma3:27b", True),
        (None, "unknown", True),
        ("bert", "all-minilm", False),
        ("nomic-bert-moe", "a", False),
        ("jina-bert-v2", "b", False),
        ("gemma-embedding", "c", False),
        ("qwen3", "qwen3-embedding:8b", False),
        ("qwen3", "Qwen3-Reranker-4B", False),
        ("clip", "mmproj", False),
        ("albert-not", "d", True),
    ],
)
def test_models_that_make_vectors_cannot_chat(architecture: str | None, name: str, able: bool) -> None:
    assert (cannot_chat(architecture, name) is None) is able


def test_a_chosen_model_that_left_memory_is_shown_with_the_reason() -> None:
    gone, nowhere = Target("studio", "ollama", "gone"), Target("none", "ollama", "x")
    reasons = {offer.target: offer.refusal for offer in offers(a_fleet(), (gone, nowhere, LLAMA))}
    assert reasons[gone] == "it is not in memory"
    assert reasons[nowhere] == "the node is no longer in the fleet"
    assert reasons[LLAMA] is None


@pytest.mark.parametrize("width", [20, 38, 56, 76, 116])
def test_no_row_is_wider_than_the_dialog(width: int) -> None:
    target = Offer(Target("a-node-with-a-long-name", "ollama", "a-model-with-a-very-long-name" * 2), refusal="because")
    chat = FormerChat(1, "A title that is long " * 5, AT, AT, (LLAMA, QWEN), 3, "failed")
    prompt = FormerPrompt("What is\nthis? " * 20, AT, 1)
    for here in (True, False):
        assert width_of(target_line(target, width, ticked=True, here=here)) <= width
        assert width_of(chat_line(chat, NOW, width, here=here)) <= width
        assert width_of(prompt_line(prompt, NOW, width, here=here)) <= width
    assert "failed" in words_of(chat_line(chat, NOW, 76, here=True))


def test_a_look_into_a_chat_fits_and_says_that_there_is_more() -> None:
    chats = ChatStore()
    chat = chats.begin((LLAMA, SMOL))
    for reply in chats.asked(chat.id, "word " * 60, chat.targets):
        chats.heard(reply, "answer " * 60)
    for width, height in ((76, 8), (36, 4), (20, 2)):
        lines = preview(chats.chat(chat.id), width, height)
        assert len(lines) == height
        assert all(width_of(line) <= width for line in lines)
        assert words_of(lines[1]).startswith("> word")
        assert [words_of(line) for line in lines[1:] if words_of(line).endswith("…")]
        assert "……" not in "".join(map(words_of, lines))
    chats.close()
