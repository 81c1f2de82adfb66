"""What a chat asks its operator before it does something, and what it does with files, editor and clipboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from fleetview.chats.attachments import NotAttached, dropped, path_of
from fleetview.chats.attachments import attach as attachment
from fleetview.chats.editor import NotEdited, argv
from fleetview.chats.editor import edit as edited
from fleetview.chats.export import NotExported
from fleetview.chats.export import export as exported
from fleetview.chats.records import Settings, Target
from fleetview.conversation.blocks import code_blocks
from fleetview.conversation.files import chip, mentions
from fleetview.fleet import Fleet
from fleetview.models.offers import cannot_chat, no_chat, offers
from fleetview.paths import tilde
from fleetview.present import count, plain
from fleetview.screens.choose import Choose
from fleetview.screens.copied import copied
from fleetview.widgets.prompt import Prompt

if TYPE_CHECKING:
    from fleetview.screens.chat.screen import ChatScreen


async def copy(screen: ChatScreen, text: str) -> None:
    """Copy an answer; where there are blocks of code in it, one of them may be meant."""
    blocks = code_blocks(text)
    texts = (text, *(block.text for block in blocks))
    labels = (f"the whole answer, {count(len(text.split()), 'word')}", *(block.summary for block in blocks))
    chosen = await screen.app.push_screen_wait(Choose("Copy what?", labels)) if blocks else 0
    if chosen is None:
        return
    await copied(screen.app, texts[chosen], f"Copied, {count(len(texts[chosen]), 'character')}.")


def attach(screen: ChatScreen, prompt: Prompt, typed: str, *, pasted: bool = False) -> None:
    """Put a file into the prompt, or say why not; what was pasted and is no file is text."""
    folder = Path.cwd()
    if not typed:
        screen.notify("/file needs the path of a text file, as in /file notes.md", severity="warning", markup=False)
        return
    paths = dropped(typed, folder) if pasted else ()
    if pasted and not paths:
        prompt.insert(typed)
        return
    for named in paths if pasted else (typed,):
        try:
            file = attachment(named, folder)
        except NotAttached as wrong:
            screen.notify(f"{wrong}.", severity="warning", markup=False)
        else:
            prompt.attach(chip(file.name, file.lines), file.fenced)


def attach_mentioned(screen: ChatScreen, prompt: Prompt) -> bool:
    """Put the files in that are named as @PATH; words that name none stay. False: one was refused."""
    folder = Path.cwd()
    for word, path in mentions(prompt.text):
        try:
            if not path_of(path, folder).is_file():
                continue
            file = attachment(path, folder)
        except NotAttached as wrong:
            screen.notify(f"{wrong}.", severity="warning", markup=False)
            return False
        except OSError:
            continue
        prompt.attach(chip(file.name, file.lines), file.fenced, instead=word)
    return True


async def edit(screen: ChatScreen, prompt: Prompt) -> None:
    """Edit the prompt in the operator's editor, which has the terminal until it ends; answers go on meanwhile."""
    try:
        command = argv(os.environ)
        with screen.app.suspend(), screen.app.batch_update():  # nothing is drawn over the editor
            text = await edited(prompt.text, command)
    except SuspendNotSupported:
        screen.notify("An editor needs a terminal of its own, which this is not.", severity="warning", markup=False)
        return
    except NotEdited as wrong:
        screen.notify(f"{wrong}.", severity="warning", markup=False)
        return
    prompt.put(text)
    prompt.focus()


def export(screen: ChatScreen, chat_id: int) -> None:
    """Write the chat into the folder in which fleetview was started."""
    if (chat := screen.desk.chats.chat(chat_id)) is None:
        screen.notify("This chat was deleted meanwhile.", severity="warning", markup=False)
        return
    try:
        path = exported(chat, Path.cwd())
    except NotExported as wrong:
        screen.notify(f"{wrong}.", severity="warning", markup=False)
    else:
        screen.notify(f"Written to {tilde(path)}.", markup=False)


def objection(fleet: Fleet, targets: tuple[Target, ...]) -> str | None:
    """Why these cannot be asked, in a sentence; None when they can, or when only their node knows."""
    for target in targets:
        node = fleet.get(target.node)
        if why := no_chat(node, target.backend, target.model) if node else cannot_chat(None, target.model):
            return f"{plain(target.model, 60)} on {target.node} cannot be asked: {why}; ctrl+t chooses another model"
    return None


async def whom(screen: ChatScreen, meant: Target, targets: tuple[Target, ...]) -> tuple[Target, ...] | None:
    """Who is asked again: the model of a column, all of them, or another one of the fleet. None: nobody."""
    others = tuple(one.target for one in offers(screen.fleet) if one.refusal is None and one.target not in targets)
    choices: list[tuple[str, tuple[Target, ...]]] = [(f"again: {_named(meant)}", (meant,))]
    if len(targets) > 1:
        choices.append((f"again: all {len(targets)}", targets))
    choices += [(f"also: {_named(target)}", (target,)) for target in others]
    if len(choices) == 1:
        return (meant,)
    chosen = await screen.app.push_screen_wait(
        Choose("Generate the last answer again", [label for label, _ in choices])
    )
    return None if chosen is None else choices[chosen][1]


def _named(target: Target) -> str:
    """A model and its node."""
    return f"{target.name} on {target.node}"


async def choose_targets(screen: ChatScreen, targets: tuple[Target, ...]) -> tuple[Target, ...] | None:
    """Who is asked from now on; None: as before."""
    from fleetview.screens.chat.targets import ChatTargets  # a chat does not wait for its dialogs

    dialog = ChatTargets(screen.fleet, targets)
    screen.aiming = dialog
    chosen = await screen.app.push_screen_wait(dialog)
    screen.aiming = None
    return chosen


async def choose_settings(screen: ChatScreen, settings: Settings) -> Settings | None:
    """How models are asked from now on; None: as before."""
    from fleetview.screens.chat.settings import ChatSettings  # a chat does not wait for its dialogs

    return await screen.app.push_screen_wait(ChatSettings(settings))


async def search_prompts(screen: ChatScreen) -> str | None:
    """A former prompt; None: none of them."""
    from fleetview.screens.chat.prompt_search import PromptSearch  # a chat does not wait for its dialogs

    return await screen.app.push_screen_wait(PromptSearch(screen.desk.chats))


async def former_chat(screen: ChatScreen, answering: Callable[[], int]) -> int | None:
    """The id of a former chat; None: none of them. `answering`: how many answers are being written."""
    from fleetview.screens.chat.chat_list import ChatList  # a chat does not wait for its dialogs

    return await screen.app.push_screen_wait(ChatList(screen.desk.chats, answering=answering))
