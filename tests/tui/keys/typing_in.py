"""The keys of dialogs in which one types: letters are text there, and what is no text is obeyed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, cast

from textual.screen import Screen
from textual.widgets import Input

from fleetview.chats.records import Settings
from fleetview.chats.store import ChatStore
from fleetview.present.completion import Candidate, Completion
from fleetview.screens.chat.chat_list import ChatList, ChatSearchLine
from fleetview.screens.chat.prompt_search import PromptSearch
from fleetview.screens.chat.settings import ChatSettings, SettingLine
from fleetview.screens.chat.targets import ChatTargets
from fleetview.screens.command_line import CommandLine
from fleetview.screens.passphrase import Passphrase, Secret
from fleetview.screens.pick_model import PickModel
from fleetview.screens.type_name import TypeName
from fleetview.widgets.choices import Choices
from fleetview.widgets.model_list import ModelList
from fleetview.widgets.plan_view import PlanView
from tests.builders import AUTHOR, a_backend_state, a_model_file, a_node, a_resident
from tests.tui.chats.said import a_chat
from tests.tui.keys.pressing import Check, Opened, Row, Scene, Table, is_shown
from tests.tui.keys.staging import answered, dialog, drawn, of_dialog, part, shows, staged, the
from tests.tui.picker import Planner, planned

MANY = 40
NAMES = tuple(f"m{number:02}" for number in range(MANY))
WORDS = Completion(0, (Candidate("swap"), Candidate("sort")))
ROOMY = a_node(
    backends={
        "llamacpp": a_backend_state(
            models=tuple(a_model_file(name, context_length=40_960) for name in NAMES), resident=(a_resident(NAMES[0]),)
        )
    }
)
CROWD = {"studio": a_node(backends={"llamacpp": a_backend_state(resident=tuple(map(a_resident, NAMES)))})}
TYPED = ("a", "b")


def typed(text: str) -> Check:
    """This stands in the line, and nothing was done."""
    return lambda scene: scene.typed == text


def cursor(place: int) -> Check:
    """The cursor stands there."""
    return lambda scene: part(scene, Secret).cursor_position == place


def listed(scene: Scene) -> int:
    """The place of the chosen row."""
    return part(scene, Choices)._place


def rows_there(scene: Scene) -> bool:
    return bool(the(scene).shown.query(Choices)) and bool(part(scene, Choices).lines)


def at(row: int) -> Check:
    return lambda scene: listed(scene) == row


def first_row(scene: Scene) -> None:
    part(scene, Choices).end(last=False)


PAGES = (
    Row("pagedown", lambda scene: listed(scene) > 1, moves=True),
    Row("pageup", at(0), first=("pagedown",), moves=True),
)
ARROWS = (Row("down", at(1), moves=True), Row("up", at(1), first=("down", "down"), moves=True))


@asynccontextmanager
async def with_chats(make: Callable[[ChatStore], Screen[Any]]) -> Opened:
    """A dialog over forty chats."""
    with closing(ChatStore()) as store:
        for number in range(MANY):
            a_chat(store, (f"prompt {number}", "answer"))
        async with staged(lambda: make(store), rows_there, (80, 24), first_row) as scene:
            yield scene


def chats(
    owner: str, make: Callable[[ChatStore], Screen[Any]], *rows: Row, openings: tuple[tuple[str, ...], ...]
) -> Table:
    return Table(owner, cast("Any", partial(with_chats, make)), rows, openings)  # Any: a context manager


def chosen(scene: Scene) -> int:
    return NAMES.index(choice.file.name) if (choice := part(scene, ModelList).choice) else -1


def picked(row: int) -> Check:
    return lambda scene: chosen(scene) == row


def setting(name: str, value: object) -> Check:
    return lambda scene: getattr(of_dialog(scene, "_settings"), name) == value


def loaded(scene: Scene) -> bool:
    """It is closed with a swap of the second model."""
    answers = the(scene).answers
    return len(answers) == 1 and answers[0] is not None and answers[0].model == NAMES[1]


TYPED_IN = (
    dialog(
        "TypeName",
        lambda: TypeName("Pull", ("which?",), "a name"),
        drawn,
        Row("enter", answered("ab"), first=TYPED),
        Row("escape", answered(None), first=TYPED),
        Row("q y n x D question_mark 1", lambda scene: len(scene.typed) == 1),
        openings=((), TYPED),
    ),
    dialog(
        "Passphrase",
        lambda: Passphrase("studio", "~/.ssh/id", wrong=False),
        drawn,
        Row("enter", answered("ab"), first=TYPED),
        Row("escape", answered(None), first=TYPED),
        Row("left", cursor(1), first=TYPED),
        Row("home", cursor(0), first=TYPED),
        Row("right", cursor(1), first=(*TYPED, "home")),
        Row("end ctrl+e", cursor(2), first=(*TYPED, "home")),
        Row("backspace", typed("a"), first=TYPED),
        Row("delete", typed("b"), first=(*TYPED, "home")),
        Row("ctrl+u", typed(""), first=TYPED),
        openings=((), TYPED),
    ),
    dialog(
        "CommandLine",
        lambda: CommandLine(lambda _: WORDS, lambda _: None, ("first", "second")),
        drawn,
        Row("enter", answered("ab"), first=TYPED),
        Row("escape", answered(None), first=TYPED),
        Row("tab", typed("s"), first=()),
        Row("shift+tab", typed("sort"), first=("s",)),
        Row("up", typed("second")),
        Row("down", typed("second"), first=("up", "up")),
        openings=((), TYPED),
    ),
    dialog(
        "ChatTargets",
        lambda: ChatTargets(CROWD),
        rows_there,
        *ARROWS,
        *PAGES,
        Row("space", shows("1 ticked")),
        Row(
            "enter", lambda scene: [one.model for one in (the(scene).answers or [()])[0]] == [NAMES[1]], first=("down",)
        ),
        Row("escape", answered(None)),
        openings=((), TYPED),
        home=first_row,
    ),
    dialog(
        "ChatSettings",
        lambda: ChatSettings(Settings()),
        drawn,
        Row("tab", lambda scene: scene.app.focused is scene.app.screen.query(SettingLine).first()),
        Row("shift+tab", lambda scene: scene.app.focused is scene.app.screen.query(SettingLine).last()),
        Row("ctrl+j", typed("\n")),
        Row("enter", answered(Settings())),
        Row("escape", answered(None), first=TYPED),
        openings=((), TYPED, ("tab", "1")),
        size=(80, 24),
    ),
    dialog(
        "PickModel",
        lambda: PickModel(ROOMY, Planner(evictions=()), AUTHOR),
        lambda scene: bool(the(scene).shown.query(PlanView)) and planned(the(scene))(),
        Row("down", picked(1)),
        Row("up", picked(1), first=("down", "down")),
        Row("pagedown", lambda scene: chosen(scene) > 1),
        Row("pageup", picked(0), first=("pagedown",)),
        Row("tab", setting("evict", "none")),
        Row("ctrl+t", lambda scene: of_dialog(scene, "_settings").keep is not None),
        Row("right", lambda scene: of_dialog(scene, "_planned").context == 16_384),
        Row("left", lambda scene: of_dialog(scene, "_planned").context == 4096),
        Row("ctrl+l", is_shown("Leavers")),
        Row("enter", loaded, first=("down",)),
        Row("escape", answered(None)),
        openings=((), ("m", "0")),
        size=(80, 24),
    ),
    chats(
        "PromptSearch",
        PromptSearch,
        Row("down ctrl+r", at(1), moves=True),
        Row("up", at(1), first=("down", "down"), moves=True),
        *PAGES,
        Row("enter", answered(f"prompt {MANY - 2}"), first=("down",)),
        Row("escape", answered(None)),
        openings=((), ("p", "1")),
    ),
    chats(
        "ChatList",
        ChatList,
        Row("down j", at(1), moves=True),
        Row("up k", at(1), first=("down", "down"), moves=True),
        *PAGES,
        Row("end G", at(MANY - 1), moves=True),
        Row("home g", at(0), first=("down",), moves=True),
        Row("slash tab", lambda scene: isinstance(scene.app.focused, ChatSearchLine)),
        Row("tab", lambda scene: not isinstance(scene.app.focused, Input), first=("slash",)),
        Row("down", at(1), first=("slash",)),
        Row("R", is_shown("TypeName")),
        Row("D", is_shown("Confirm")),
        Row("enter", answered(MANY - 1), first=("down",)),
        Row("escape", answered(None)),
        openings=((), ("slash", "p", "1")),
    ),
)
