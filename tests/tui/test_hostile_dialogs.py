"""Dialogs and chats, full of texts that try to be more than text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial

from textual.events import Paste
from textual.screen import Screen
from textual.widgets import Input

from fleetview.messages import ChatRequested
from fleetview.present.text import visible
from fleetview.remote.errors import Refused
from fleetview.screens.chat.screen import ChatScreen
from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Confirm
from fleetview.screens.fleet import FleetScreen
from fleetview.screens.passphrase import Passphrase
from fleetview.screens.pick_model import PickModel
from fleetview.screens.show_plan import ShowPlan
from fleetview.screens.trust_host import TrustHost
from fleetview.screens.type_name import TypeName
from fleetview.widgets.model_list import ModelList
from fleetview.widgets.plan_view import PlanView
from fleetview.widgets.prompt import Prompt
from fleetview.widgets.transcript import Transcript
from fleetview_agent.wire import (
    LONGEST_NAME,
    ChatChunk,
    ChatRequest,
    Plan,
    Request,
    ResidentModel,
    SwapRequest,
    Usage,
)
from tests.builders import (
    a_backend_state,
    a_model_file,
    a_plan,
    a_resident,
    a_snapshot,
    an_operation,
)
from tests.hostile_text import TEXTS, poisoned
from tests.tui.fake_fleet import FakeFleet, screen_text, settled, until
from tests.tui.hostile_screen import SIZE, assert_harmless, shown

WORDS = {kind: text for kind, text in TEXTS.items() if kind != "controls of any length"}
"""Texts of which something can be seen."""
SHORT = {kind: text for kind, text in WORDS.items() if len(text) <= LONGEST_NAME}
"""Texts by which a model can be asked for."""


async def test_the_picker_and_its_questions_show_models_and_plans_as_text() -> None:
    files = tuple(a_model_file(text, quantization=text) for text in SHORT.values())
    unusable = tuple(a_model_file(f"unusable {text}", refusal=text) for text in TEXTS.values())
    fleet = FakeFleet({"studio": (a_snapshot(backends=(a_backend_state(models=(*files, *unusable)),)),)})
    app = fleet.app()

    async def plan(request: Request) -> Plan:
        assert isinstance(request, SwapRequest)
        refusal = request.model if request.evict == "none" else None
        return a_plan(request=request, evictions=(f"llamacpp/{request.model}",), waits_for=1, refusal=refusal)

    def planned(picker: Screen[object], model: str) -> bool:
        shown = picker.query_one(PlanView).planned
        return shown is not None and shown.plan is not None and shown.plan.request.model == model

    async with app.run_test(size=(90, 32)) as pilot:
        await settled(pilot)
        fleet.links["studio"].plan = plan  # type: ignore[method-assign] # it answers what this test is about
        await pilot.press("s")
        picker = await shown(pilot, PickModel)
        for kind, text in SHORT.items():
            await until(pilot, partial(planned, picker, text))
            assert_harmless(app, f"the plan: {kind}")
            await pilot.press("down")
        await pilot.press("tab", "up")
        for kind, text in tuple(reversed(SHORT.items()))[:3]:
            await until(pilot, partial(planned, picker, text))
            await pilot.pause()
            assert_harmless(app, f"the refusal: {kind}")
            await pilot.press("up")
        picker.query_one(ModelList).scroll_end(animate=False)
        await pilot.pause()
        assert_harmless(app, "files that cannot be used")


async def test_questions_about_models_and_operations_show_them_as_text() -> None:
    fleet = FakeFleet({"studio": (a_snapshot(),)})
    app = fleet.app()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for kind in ("title", "click", "marks"):
            fleet.links["studio"].say(poisoned(a_snapshot(operations=(an_operation(),)), TEXTS[kind]))
            for key in ("x", "ctrl+x"):
                await pilot.press(key)
                await shown(pilot, Confirm)
                assert_harmless(app, f"{key}: {kind}")
                await pilot.press("n")
        fleet.links["studio"].say(a_snapshot(backends=(a_backend_state(resident=every_model()),)))
        await pilot.press("x")
        await shown(pilot, Choose)
        assert_harmless(app, "one of several")
        await app.action_fleet()
        app.push_screen(Confirm(TEXTS["title"], tuple(TEXTS.values())))
        await shown(pilot, Confirm)
        assert_harmless(app, "every line")


def every_model() -> tuple[ResidentModel, ...]:
    """One for each text."""
    return tuple(a_resident(text) for text in TEXTS.values())


async def test_a_model_that_no_request_can_name_is_left_alone() -> None:
    nameless = (a_model_file(""), a_model_file(TEXTS["very long"]))
    resident = tuple(a_resident(file.name) for file in nameless)
    fleet = FakeFleet({"studio": (a_snapshot(backends=(a_backend_state(models=nameless, resident=resident),)),)})
    app = fleet.app()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("s")
        picker = await shown(pilot, PickModel)
        assert "its name is too long to be asked for" in screen_text(app)
        assert picker.query_one(ModelList).choice is None
        await pilot.press("escape")
        for key, reason in (("c", "it has no name"), ("x", "its name is too long")):
            await pilot.press(key)
            await shown(pilot, Choose)
            await pilot.press(*(("j",) if key == "x" else ()), "enter")
            await until(pilot, lambda reason=reason: reason in screen_text(app))
        assert isinstance(app.screen, FleetScreen)
        assert fleet.links["studio"].asked == []


def an_answer() -> str:
    """Every text in every place that Markdown has for it."""
    places = ("{}", "# {}", "- {}", "> {}", "1. {}", "`{}`", "[{}]({})", "![{}]({})", "<a href='{}'>{}</a>", "<{}>")
    texts = [text[:80] for text in WORDS.values()]
    tables = "\n".join(f"| {line} | `{line}` |" for text in texts for line in text.splitlines())
    blocks = [place.replace("{}", text) for text in texts for place in places]
    fences = [f"```{text.split()[0]}\n{text}\n\n```" for text in texts]
    return "\n\n".join((*blocks, f"| a | b |\n|---|---|\n{tables}", *fences))


def answered(screen: Screen[object], ending: str) -> bool:
    """Whether the last answer has ended so."""
    answers = screen.query_one(Transcript).answers
    return bool(answers) and answers[-1].settled and ending in answers[-1].figures


async def test_an_answer_is_text_in_every_place_of_its_markdown() -> None:
    fleet = FakeFleet({"studio": (a_snapshot(),)})
    app = fleet.app()

    async def chat(request: ChatRequest) -> AsyncGenerator[ChatChunk, None]:
        yield ChatChunk(thinking="".join(WORDS.values())[-5000:])
        if request.messages[-1].content.startswith("fail"):
            raise Refused(TEXTS["title"], TEXTS["clipboard"], code="failed", status=500)
        for start in range(0, len(text := an_answer()), 997):
            yield ChatChunk(text=text[start : start + 997])
        yield ChatChunk(finish_reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=7))

    opened: list[str] = []
    app.open_url = lambda url, **_: opened.append(url)  # type: ignore[method-assign] # a browser is no part of a test
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        fleet.links["studio"].chat = chat  # type: ignore[method-assign] # it answers what this test is about
        app.post_message(ChatRequested("studio", "llamacpp", TEXTS["title"]))
        screen = await shown(pilot, ChatScreen)
        for prompt, ending in (("".join(WORDS.values())[-2500:], "7 tokens"), ("fail", "0;t")):
            screen.query_one(Prompt).insert(visible(prompt))
            await pilot.press("enter")
            await until(pilot, partial(answered, screen, ending))
        transcript = screen.query_one(Transcript)
        pages = range(0, transcript.virtual_size.height, transcript.size.height)
        for place in pages:
            transcript.scroll_to(y=place, animate=False)
            await pilot.pause()
            assert_harmless(app, f"line {place}", joined_characters=True)
            await pilot.click(Transcript, offset=(4, 5))
        assert len(pages) > 10
        assert opened == []


async def test_what_is_pasted_is_text() -> None:
    app = FakeFleet({"studio": (a_snapshot(),)}).app()
    everything = "\n".join(TEXTS.values())
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        app.post_message(ChatRequested("studio", "llamacpp", "small"))
        prompt = (await shown(pilot, ChatScreen)).query_one(Prompt)
        app.post_message(Paste(everything))
        await until(pilot, lambda: prompt.text != "")
        for _ in range(prompt.document.line_count // 8):
            await pilot.pause()
            assert_harmless(app, "the prompt", joined_characters=True)
            prompt.action_cursor_page_up()
        await app.action_fleet()
        await pilot.press("slash")
        app.post_message(Paste(everything.replace("\n", "").replace("long-", "")))
        line = app.screen.query_one("#filter", Input)
        await until(pilot, lambda: line.value != "")
        for _ in range(5):
            await pilot.pause()
            assert_harmless(app, "the filter", joined_characters=True)
            line.cursor_position -= 60


async def test_questions_of_ssh_show_what_a_server_calls_itself_as_text() -> None:
    app = FakeFleet({"studio": (a_snapshot(),)}).app()
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for kind in ("title", "marks", "very long"):
            text = TEXTS[kind]
            for dialog in (TrustHost(text, text, text, text, text), Passphrase(text, text, wrong=True)):
                app.push_screen(dialog)
                await shown(pilot, type(dialog))
                assert_harmless(app, kind)
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app.screen, FleetScreen))


async def test_plans_and_names_of_engines_are_shown_as_text() -> None:
    fleet = FakeFleet({"studio": (a_snapshot(),)})
    app = fleet.app()

    async def plan(text: str) -> Plan:
        return poisoned(a_plan(supervisor="launchd", commands=("stop",), refusal="no"), text)

    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        node = app.fleet["studio"]
        for kind in ("click", "unbalanced", "marks", "title", "lines", "turned around", "very long"):
            text = TEXTS[kind]
            for dialog in (ShowPlan(text, node, partial(plan, text)), TypeName(text, (text,), "its name", text)):
                app.push_screen(dialog)
                await shown(pilot, type(dialog))
                await pilot.press(*(("x", "enter") if isinstance(dialog, TypeName) else ()))
                await pilot.pause()
                assert_harmless(app, kind)
                await pilot.press("escape")
                await until(pilot, lambda: isinstance(app.screen, FleetScreen))
