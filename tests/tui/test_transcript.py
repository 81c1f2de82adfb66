from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from fleetview.chats.records import Reply, Target
from fleetview.conversation import sections as dividing
from fleetview.conversation.answering import Answering
from fleetview.present.chat.answers import Progress
from fleetview.widgets import answer_text
from fleetview.widgets.answer import Answer
from fleetview.widgets.answer_text import AnswerText
from fleetview.widgets.formatted import Formatted, Palette
from fleetview.widgets.transcript import Transcript
from fleetview_agent.wire import ChatChunk
from tests.tui.stage import text_of, until

LONG = "".join(f"## Part {part}\n\nSome words about it, and `code`.\n\n- one\n- two\n\n" for part in range(40))


@pytest.fixture(autouse=True)
def _short_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "LENGTH", 1000)
    monkeypatch.setattr(dividing, "LIST_LENGTH", 400)


class TranscriptApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        yield Transcript()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:  # noqa: ARG002 - Textual's signature
        self.opened.append(url)


def writing() -> Answering:
    return Answering(Reply(1, Target("studio", "ollama", "small")), Progress(0.0))


async def said(app: App[None], prompt: str = "go") -> Answer:
    return await app.query_one(Transcript).say(prompt, writing())


async def add(answer: Answer, text: str, thinking: str = "") -> None:
    answer.answering.take(ChatChunk(text=text, thinking=thinking), 1.0)
    await answer.draw(1.0)


async def answered(pilot: Pilot[None], text: str) -> Answer:
    answer = await said(pilot.app, "a question")
    await add(answer, text)
    answer.answering.end("done")
    await answer.draw(2.0)
    await pilot.pause()
    return answer


def text(app: App[None]) -> AnswerText:
    return app.query_one(AnswerText)


async def test_an_answer_is_shown_as_markdown() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await answered(pilot, "Some **bold** words\n\n```python\nx = 1\n```\n")
        shown = text_of(app)
        assert "Some bold words" in shown
        assert "x = 1" in shown
        assert "```" not in shown


async def test_text_of_a_model_is_never_markup_html_or_an_escape_sequence() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(70, 20)) as pilot:
        prose = "[red]a[/red] <b>b</b> &lt; \x1b[31mc\x07\n\n`[bold]d`"
        answer = await answered(pilot, f"{prose}\n\n```\n[blink]e\x1b]0;t\x07\n```")
        shown = text_of(app)
        for text in ("[red]a[/red]", "<b>b</b>", "&lt;", "␛[31mc␇", "[bold]d", "[blink]e␛]0;t␇"):
            assert text in shown
        assert "\x1b" not in answer.answering.text


async def test_words_of_the_operator_are_shown_as_they_are() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await said(app, "[bold]**not** bold\nsecond line")
        await pilot.pause()
        assert "[bold]**not** bold" in text_of(app)
        assert "second line" in text_of(app)


async def test_a_link_is_shown_as_written_and_opens_nothing() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 20)) as pilot:
        await answered(pilot, "see [the law](http://evil.example/) and http://x.example <http://y.example> ![p](z)")
        shown = text_of(app)
        assert "[the law](http://evil.example/)" in shown
        assert "![p](z)" in shown
        for x in range(0, 70, 5):
            await pilot.click(AnswerText, offset=(x, 0))
        assert app.opened == []


async def test_it_follows_an_answer_only_from_the_bottom() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.query_one(Transcript)
        answer = await said(app)
        await add(answer, LONG)
        await until(pilot, lambda: transcript.max_scroll_y > 40 and transcript.scroll_y == transcript.max_scroll_y)
        transcript.focus()
        assert not transcript.below
        await pilot.press("k", "k", "k")
        await until(pilot, lambda: transcript.scroll_y < transcript.max_scroll_y and transcript.below)
        place, end = transcript.scroll_y, transcript.max_scroll_y
        await add(answer, LONG)
        await until(pilot, lambda: transcript.max_scroll_y > end)
        assert transcript.scroll_y == place
        await pilot.press("G")
        await until(pilot, lambda: transcript.scroll_y == transcript.max_scroll_y and not transcript.below)
        end = transcript.max_scroll_y
        await add(answer, LONG)
        await until(pilot, lambda: transcript.max_scroll_y > end and transcript.scroll_y == transcript.max_scroll_y)


async def test_a_long_answer_takes_no_more_widgets_than_a_short_one() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await answered(pilot, "short")
        few = len(app.query("Answer *"))
        await app.query_one(Transcript).forget_last()
        await answered(pilot, LONG)
        assert text(app).sections > 5
        assert len(app.query("Answer *")) == few


async def test_of_a_growing_answer_only_the_last_section_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await said(app)
        await add(answer, LONG)
        await answer.draw(1.0)
        await pilot.pause()
        drawn: list[str] = []

        def formatted(text: str, palette: Palette) -> Formatted:
            drawn.append(text)
            return Formatted(text, palette)

        monkeypatch.setattr(answer_text, "Formatted", formatted)
        await add(answer, "the very end")
        await until(pilot, lambda: "the very end" in text_of(app))
        assert len(drawn) == 1
        assert len(drawn[0]) < len(LONG) / 3


async def test_lines_of_sections_follow_each_other_without_a_gap_or_an_overlap() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 400)) as pilot:
        await answered(pilot, LONG)
        lines = [line.strip() for line in text_of(app).splitlines()]
        start, end = lines.index("Part 0"), lines.index("Part 39")
        parts = [line for line in lines[start : end + 1] if line.startswith("Part")]
        assert parts == [f"Part {number}" for number in range(40)]
        assert all(lines[place - 1] == "" for place, line in enumerate(lines) if line.startswith("Part"))


async def test_another_theme_colours_what_was_said_before() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await answered(pilot, "`code`")
        before = [segment.style for segment in text(app).render_line(0) if segment.text.startswith("code")]
        app.theme = "textual-light"
        await pilot.pause()
        after = [segment.style for segment in text(app).render_line(0) if segment.text.startswith("code")]
        assert before
        assert after
        assert before != after


async def test_endless_nesting_leaves_the_text_readable() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(40, 20)) as pilot:
        await answered(pilot, ">" * 400 + " deep\n\n" + "- " * 300 + "far\n\nafter all")
        app.query_one(Transcript).scroll_end(animate=False)
        await until(pilot, lambda: "after all" in text_of(app))


async def test_thoughts_are_shown_until_the_answer_begins() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await said(app)
        await add(answer, "", "hmm, [red]let me see")
        await until(pilot, lambda: "hmm, [red]let me see" in text_of(app))
        await add(answer, "Four.")
        await until(pilot, lambda: "Four." in text_of(app) and "hmm" not in text_of(app))


async def test_the_last_turn_can_be_taken_away() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.query_one(Transcript)
        await transcript.note("no one has said this")
        await answered(pilot, "first")
        await answered(pilot, "second")
        await transcript.forget_last()
        await pilot.pause()
        assert "first" in text_of(app)
        assert "second" not in text_of(app)
