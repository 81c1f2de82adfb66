"""Chats of the tests: who is asked, and a store with something in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from fleetview.chats.records import Figures, Settings, Target
from fleetview.chats.store import ChatStore
from fleetview.fleet import Fleet
from tests.builders import a_backend_state, a_model_file, a_node, a_resident, a_sample, a_traffic

LARGE = Target("head", "ollama", "llama3.3:70b")
SMALL = Target("here", "llamacpp", "SmolLM2-135M")
AT = 1_700_000_000.0
FIGURES = Figures(0.31, 84.2, 37, 118, 1.25, "system")


def ticking(start: float = AT) -> Iterator[float]:
    """A minute later each time it is asked for."""
    return (start + 60 * minutes for minutes in count())


def a_chat(store: ChatStore, *turns: tuple[str, str], targets: tuple[Target, ...] = (LARGE,)) -> int:
    """Say this, and let everyone answer the same."""
    chat = store.begin(targets, Settings())
    for prompt, answer in turns:
        for reply in store.asked(chat.id, prompt, targets):
            store.heard(reply, answer)
            store.ended(reply, "done", None, FIGURES)
    return chat.id


def some_chats(store: ChatStore) -> tuple[int, int, int]:
    """Three chats: of a capital, of sorting, and one that failed."""
    capital = a_chat(store, ("What is the capital of Australia?", "Canberra, not Sydney."), targets=(LARGE, SMALL))
    sorting = a_chat(
        store, ("Sort a list in Python", "Use sorted()."), ("And backwards?\nWithout a copy.", "reverse=True")
    )
    failed = store.begin((SMALL,))
    (reply,) = store.asked(failed.id, "Tell me a story", (SMALL,))
    store.heard(reply, "Once upon")
    store.ended(reply, "failed", "the model was unloaded")
    return capital, sorting, failed.id


LLAMA = Target("studio", "ollama", "llama3.3:70b")
SMOL = Target("studio", "llamacpp", "SmolLM2-135M")
QWEN = Target("laptop", "ollama", "qwen3:32b")


def a_fleet() -> Fleet:
    busy = a_sample(
        traffic=(a_traffic(backend="ollama", model="llama3.3:70b", in_flight=2, generation_tokens_per_second=11.4),)
    )
    studio = a_node(
        "studio",
        role="head",
        tags=("office",),
        samples=(busy,),
        backends={
            "ollama": a_backend_state(
                "ollama",
                models=(a_model_file("nomic-embed-text", architecture="nomic-bert"),),
                resident=(a_resident("llama3.3:70b"), a_resident("nomic-embed-text")),
            ),
            "llamacpp": a_backend_state(resident=(a_resident("SmolLM2-135M"), a_resident("big", phase="loading"))),
        },
    )
    laptop = a_node(
        "laptop",
        role="worker",
        tags=("office", "m4"),
        backends={"ollama": a_backend_state("ollama", resident=(a_resident("qwen3:32b"),))},
    )
    return {"studio": studio, "laptop": laptop}


def titles(store: ChatStore, search: str = "") -> list[str]:
    """What the chats are called that a search finds."""
    return [chat.title for chat in store.chats(search)]
