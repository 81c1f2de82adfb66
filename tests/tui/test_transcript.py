from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from fleetview.chats.records import Reply, Target
from fleetview.conversation import sections as dividing
from fleetview.conversation.answering import Answering
from fleetview.present.chat.answers import Progress
from fleetview.widgets import brush
from fleetview.widgets.answer import Answer
from fleetview.widgets.formatted import Formatted, Palette
from fleetview.widgets.transcript import Transcript
from fleetview_agent.wire import ChatChunk
from tests.tui.stage import text_of, until

LONG = "".join(f"## Part {part}\n\nSome words about it, and `code`.\n\n- one\n- two\n\n" for part in range(40))


@pytest.fixture(autouse=True)
def _short_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "LENGTH", 300)


class TranscriptApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        yield Transcript()

    def open_url(self, url: str, *, new_tab: bool = True) -> None:  # noqa: ARG002 - Textual's signature
        self.opened.append(url)


def writing() -> Answering:
    return Answering(Reply(1, Target("studio", "ollama", "small")), Progress(0.0))


async def said(app: App[None], prompt: str = "go") -> Answer:
    return app.query_one(Transcript).say(prompt, writing())


async def add(answer: Answer, text: str, thinking: str = "") -> None:
    answer.answering.take(ChatChunk(text=text, thinking=thinking), 1.0)
    answer.draw(1.0)


async def answered(pilot: Pilot[None], text: str) -> Answer:
    answer = await said(pilot.app, "a question")
    await add(answer, text)
    answer.answering.end("done")
    answer.draw(2.0)
    await pilot.pause()
    return answer


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
            await pilot.click(Transcript, offset=(x, 17))
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


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were drawn, one after the other."""
    texts: list[str] = []

    def formatted(text: str, palette: Palette) -> Formatted:
        texts.append(text)
        return Formatted(text, palette)

    monkeypatch.setattr(brush, "Formatted", formatted)
    return texts


async def test_of_a_long_answer_that_is_opened_only_what_is_in_view_is_drawn(drawn: list[str]) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await answered(pilot, LONG * 10)
        await until(pilot, lambda: "Part 39" in text_of(app))
        assert answer.sections > 50
        assert sum(map(len, drawn)) < 2000
        await pilot.resize_terminal(50, 20)
        await until(pilot, lambda: "Part 39" in text_of(app))
        assert sum(map(len, drawn)) < 4000


async def test_a_thousand_tokens_at_the_end_of_a_long_answer_draw_nothing_else_again(drawn: list[str]) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await said(app)
        await add(answer, LONG * 10)
        await until(pilot, lambda: "Part 39" in text_of(app))
        drawn.clear()
        for number in range(1000):
            await add(answer, f"word{number} " if number % 20 else "end.\n\n")
            if not number % 10:
                await pilot.pause()
        await until(pilot, lambda: "word999" in text_of(app))
        assert len(drawn) < 250
        assert max(map(len, drawn)) < 1000
        assert not any("Part 1" in text for text in drawn)


def rows_of(app: App[None]) -> list[str]:
    """The rows of the transcript, without its scroll bar."""
    return [line[:58].rstrip() for line in text_of(app).split("\n")[1:]]


async def test_what_is_in_view_stays_there_while_what_was_guessed_above_it_turns_out_longer() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await answered(pilot, LONG)
        app.query_one(Transcript).focus()
        await until(pilot, lambda: "Part 39" in text_of(app))
        for _ in range(60):
            before = rows_of(app)
            await pilot.press("k")
            await until(pilot, lambda before=before: rows_of(app)[1:] == before[:-1])  # type: ignore[misc] # bound now


async def test_of_a_growing_answer_only_the_last_section_is_drawn_again(drawn: list[str]) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await said(app)
        await add(answer, LONG)
        await until(pilot, lambda: "Part 39" in text_of(app))
        drawn.clear()
        await add(answer, "the very end")
        await until(pilot, lambda: "the very end" in text_of(app))
        assert len(drawn) == 1
        assert len(drawn[0]) < len(LONG) / 5


async def test_lines_of_sections_follow_each_other_without_a_gap_or_an_overlap() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 400)) as pilot:
        await answered(pilot, LONG)
        lines = [line.strip() for line in text_of(app).splitlines()]
        start, end = lines.index("Part 0"), lines.index("Part 39")
        parts = [line for line in lines[start : end + 1] if line.startswith("Part")]
        assert parts == [f"Part {number}" for number in range(40)]
        assert all(lines[place - 1] == "" for place, line in enumerate(lines) if line.startswith("Part"))


def styles_of(app: App[None], text: str) -> list[object]:
    strips = app.screen._compositor.render_strips()
    return [segment.style for strip in strips for segment in strip if segment.text.startswith(text)]


async def test_another_theme_colours_what_was_said_before() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        await answered(pilot, "`code`")
        before = styles_of(app, "code")
        app.theme = "textual-light"
        await pilot.pause()
        after = styles_of(app, "code")
        assert before
        assert after
        assert before != after


async def test_a_table_is_parted_from_what_is_around_it_by_one_row_and_nothing_of_it_is_cut() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(24, 20)) as pilot:
        await answered(pilot, f"Words.\n\n| a | b |\n|---|---|\n| 1 | {'日本語' * 6} |\n\nMore.")
        rows = [row.strip() for row in rows_of(app)]
        above = rows.index("Words.")
        assert rows[above + 1] == ""
        assert rows[above + 2].split() == ["a", "b"]
        below = rows.index("More.")
        assert rows[below - 1] == ""
        assert rows[below - 2] != ""
        assert "".join(rows).count("日") == 6


async def test_items_are_numbered_as_they_were_written() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 30)) as pilot:
        await answered(pilot, "".join(f"{number}. item {number}x\n" for number in range(8, 12)))
        rows = [row.strip() for row in rows_of(app)]
        assert [row for row in rows if "item" in row] == [f"{number}. item {number}x" for number in range(8, 12)]


async def test_a_row_parts_thoughts_from_the_answer_and_two_never_part_a_failure_from_the_prompt() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(60, 20)) as pilot:
        answer = await said(app, "a question")
        await add(answer, "", thinking="let me see")
        await add(answer, "Canberra.")
        await pilot.pause()
        rows = [row.strip() for row in rows_of(app)]
        place = rows.index("Canberra.")
        assert rows[place - 1] == ""
        assert rows[place - 2].startswith("▸ thought")
        failed = await said(app, "another question")
        failed.answering.end("failed", "it is gone")
        failed.draw(2.0)
        await pilot.pause()
        rows = [row.strip() for row in rows_of(app)]
        place = rows.index("✗ it is gone")
        assert rows[place - 1] == ""
        assert rows[place - 2].endswith("another question")


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
        transcript.note("no one has said this")
        await answered(pilot, "first")
        await answered(pilot, "second")
        transcript.forget_last()
        await pilot.pause()
        assert "first" in text_of(app)
        assert "second" not in text_of(app)
