from __future__ import annotations

from fleetview.present.chat.answers import Progress, final, live
from fleetview.present.text import visible
from fleetview_agent.wire import ChatChunk, Timings, Usage

TIMINGS = Timings(
    prompt_n=25, prompt_ms=50, prompt_per_second=512.3, predicted_n=118, predicted_ms=1400, predicted_per_second=84.12
)
USAGE = Usage(prompt_tokens=37, completion_tokens=118, cached_tokens=12)


def written(*chunks: ChatChunk, first: float = 0.41, step: float = 0.1) -> Progress:
    progress = Progress(100.0)
    for number, chunk in enumerate(chunks):
        progress = progress.heard(chunk, 100.0 + first + number * step)
    return progress


def test_control_characters_are_shown_and_never_obeyed() -> None:
    assert visible("a\x1b[31mb\x07c\x9bd") == "a␛[31mb␇c\ufffdd"
    assert visible("one\r\ntwo\tthree") == "one\ntwo\tthree"
    assert visible("\u202eabc\u2066\ud800") == "\ufffdabc\ufffd\ufffd"
    assert visible("one\u2028two\x0bthree\x85four").count("\n") == 1


def test_nothing_is_lost_of_ordinary_text() -> None:
    text = "Grüße, 日本語, 👩‍👩‍👧, `code`,\n\n\tindented"
    assert visible(text) == text


def test_before_the_first_text_the_prompt_is_being_read() -> None:
    assert live(Progress(100.0), 100.5) == "reading the prompt…"
    assert live(Progress(100.0), 103.7) == "reading the prompt… 3.0 s"


def test_an_empty_first_chunk_is_not_the_first_text() -> None:
    assert written(ChatChunk()).first_at is None


def test_figures_of_a_growing_answer_are_marked_as_estimates() -> None:
    progress = written(*[ChatChunk(text="x")] * 11)
    assert live(progress, 101.41) == "first 0.41 s · ~10.0 tok/s · ~11 tokens"


def test_thinking_is_told_and_counts_as_the_first_text() -> None:
    progress = written(ChatChunk(thinking="hm"))
    assert live(progress, 100.5) == "thinking… · first 0.41 s · ~1 token"
    assert not progress.heard(ChatChunk(text="a"), 101.0).thinking


def test_the_last_figures_are_the_engines() -> None:
    progress = written(*[ChatChunk(text="x")] * 3, ChatChunk(finish_reason="stop", usage=USAGE, timings=TIMINGS))
    assert final(progress) == "first 0.41 s · 84.1 tok/s · 118 tokens · prompt 37, 12 cached, 512 tok/s"


def test_without_timings_the_rate_is_an_estimate_from_the_engines_count() -> None:
    progress = written(*[ChatChunk(text="x")] * 11, ChatChunk(usage=Usage(prompt_tokens=3, completion_tokens=21)))
    assert final(progress) == "first 0.41 s · ~20.0 tok/s · 21 tokens · prompt 3"


def test_without_the_engines_figures_the_last_ones_are_marked_as_estimates() -> None:
    estimated = final(written(*[ChatChunk(text="x")] * 11))
    assert estimated.startswith("first 0.41 s · ~")
    assert estimated.endswith("tok/s · ~11 tokens")
    assert final(Progress(100.0)) == ""


def test_timings_alone_tell_the_tokens_too() -> None:
    cached = TIMINGS.model_copy(update={"cache_n": 12})
    assert final(written(ChatChunk(text="x", timings=cached))).endswith("118 tokens · prompt 37, 12 cached, 512 tok/s")


def test_an_engine_that_tells_nothing_of_its_cache_has_the_prompt_alone() -> None:
    figures = {"prompt_n": None, "cache_n": None, "prompt_per_second": None}
    usage = USAGE.model_copy(update={"cached_tokens": None})
    timings = TIMINGS.model_copy(update=figures)
    assert final(written(ChatChunk(text="x", usage=usage, timings=timings))).endswith("118 tokens · prompt 37")
    assert final(written(ChatChunk(text="x", timings=timings))).endswith("118 tokens")
