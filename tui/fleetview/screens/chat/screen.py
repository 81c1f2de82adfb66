"""Talk to models, one or several side by side: ask, watch the answers come, stop them, ask again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from fleetview.chats.records import Settings, Target
from fleetview.conversation.dialogue import Dialogue, Said
from fleetview.conversation.dialogues import Dialogues
from fleetview.conversation.slash import obey
from fleetview.fleet import Fleet
from fleetview.present.chat.lines import place
from fleetview.screens.chat import flows
from fleetview.screens.desk import Desk
from fleetview.screens.following import FollowingScreen
from fleetview.widgets.columns import Columns
from fleetview.widgets.key_hints import KeyHints
from fleetview.widgets.lines import Lines
from fleetview.widgets.prompt import Prompt

if TYPE_CHECKING:
    from fleetview.screens.chat.targets import ChatTargets


class ChatScreen(FollowingScreen):
    """One chat, which goes on when the screen is left."""

    CSS_PATH = "chat.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (15, "-tall")]  # noqa: RUF012 -- as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "stop", id="chat.stop", tooltip="Stop the answers; what has come is kept."),
        Binding(
            "escape", "leave_input", "leave input", id="chat.leave_input", tooltip="Leave the input: letters are keys."
        ),
        Binding("ctrl+e", "edit", "editor", show=False, id="chat.edit", tooltip="Edit the prompt in $EDITOR."),
        Binding("ctrl+r", "search", show=False, id="chat.search", tooltip="Search what was asked before."),
        Binding("i,enter", "type", "type", id="chat.type", tooltip="Go back to typing."),
        Binding("n", "new", "new", id="chat.new", tooltip="Begin a new chat with the same models; this one is kept."),
        Binding("y", "copy", "copy", id="chat.copy", tooltip="Copy the last answer, or a block of code of it."),
        Binding("g", "regenerate", "again", id="chat.regenerate", tooltip="Ask again, here or another model."),
        Binding("f", "unfold", "thoughts", id="chat.thinking", tooltip="Unfold thoughts, or fold them."),
        Binding("h", "history", "chats", id="chat.history", tooltip="Former chats: search, open, export, delete."),
        Binding("x", "export", "export", id="chat.export", tooltip="Write the chat into a Markdown file."),
        Binding("ctrl+t", "aim", "targets", id="chat.targets", tooltip="Choose who is asked: one, or several."),
        Binding("ctrl+o", "settle", "settings", id="chat.settings", tooltip="System prompt and parameters."),
        Binding("left_square_bracket", "turn(-1)", "columns", id="chat.previous", tooltip="The columns before."),
        Binding("right_square_bracket", "turn(1)", "columns", id="chat.next", tooltip="The columns after these."),
        Binding("escape,q,backspace", "back", "back", id="chat.back", tooltip="Leave the chat; answers go on."),
    ]

    def __init__(
        self, desk: Desk, dialogue: Dialogue, dialogues: Dialogues, show: Callable[[Dialogue], Awaitable[None]]
    ) -> None:
        super().__init__(desk)
        self.dialogue = dialogue
        self._dialogues = dialogues
        self._show = show
        """Shows another chat instead."""
        self._waiting: Said | None = None
        """The turn that is being answered."""
        self.aiming: ChatTargets | None = None
        """The dialog that chooses who is asked, which follows the fleet."""

    def compose(self) -> ComposeResult:
        """Where we are, what was said, what is typed, which keys work."""
        yield Lines(id="place")
        yield Columns(self.dialogue)
        yield Prompt()
        yield KeyHints()

    def on_mount(self) -> None:
        """Begin with typing."""
        prompt = self._prompt
        prompt.focus()
        if self.dialogue.said:
            prompt.last = self.dialogue.said[-1].prompt

    def watch_fleet(self, fleet: Fleet) -> None:
        """Something is no longer what it was."""
        if self.aiming is not None:
            self.aiming.fleet = fleet

    @property
    def _prompt(self) -> Prompt:
        """Where one types."""
        return self.query_one(Prompt)

    @property
    def _columns(self) -> Columns:
        """Where answers are seen."""
        return self.query_one(Columns)

    @on(Columns.Changed)
    def entitle(self) -> None:
        """Say what this chat is, and which part of it is seen."""
        columns = self._columns
        lines = self.query_one("#place", Lines)
        lines.lines = (
            place(
                self.dialogue.title,
                self.dialogue.targets,
                self.dialogue.settings,
                max(1, self.size.width - 2),
                shown=columns.seen,
                below=columns.below,
            ),
        )
        self.refresh_bindings()

    @on(Columns.Settled)
    def answered(self) -> None:
        """All answers have ended; a prompt that nobody could answer can be sent again."""
        said, self._waiting = self._waiting, None
        if said is not None and all(answer.state == "failed" and not answer.text for answer in said.answers):
            prompt = self._prompt
            prompt.give_back(said.prompt)
            prompt.replacing = prompt.text == said.prompt
        self.refresh_bindings()

    @on(Prompt.Sent)
    async def take(self, event: Prompt.Sent) -> None:
        """Send a prompt, or obey a line that begins with a slash."""
        prompt = self._prompt
        if event.text.startswith("/") and prompt.text.startswith("/"):
            prompt.clear()
            await self._obey(event.text)
        elif self.dialogue.answering:
            self.notify("An answer is still being written; esc stops it.", severity="warning", markup=False)
        elif why := flows.objection(self.fleet, self.dialogue.targets):
            self.notify(why, severity="warning", markup=False)
        else:
            if not flows.attach_mentioned(self, prompt):
                return
            typed = prompt.text.strip()
            prompt.clear_sent(typed)
            await self._send(prompt.unpacked(typed), replaces=event.replaces)

    async def _obey(self, line: str) -> None:
        """Change a setting, or say why not."""
        word, _, rest = line.partition(" ")
        if word == "/file":
            flows.attach(self, self._prompt, rest.strip())
            return
        try:
            settings, said = obey(self.dialogue.settings, line)
        except ValueError as wrong:
            self._columns.meant.transcript.note(str(wrong), wrong=True)
            return
        self._settle(settings)
        self._columns.meant.transcript.note(said)

    @on(Prompt.Dropped)
    def take_file(self, event: Prompt.Dropped) -> None:
        """Put a file that was dropped on the terminal into the prompt, or else what was pasted."""
        flows.attach(self, self._prompt, event.text, pasted=True)

    async def _send(self, prompt: str, *, replaces: bool = False) -> None:
        """Ask, and let the answers come."""
        if replaces and self.dialogue.said:
            self._columns.forget(self.dialogue.said[-1], self.dialogue.targets)
            self.dialogue.take_back()
        await self._follow(self.dialogue.send(prompt), self.dialogue.targets)

    async def _follow(self, said: Said, targets: tuple[Target, ...]) -> None:
        """Show the answers of these targets as they come."""
        self._waiting = said
        self._columns.follow(said, targets)
        self.entitle()

    async def action_stop(self) -> None:
        """Stop the answers and keep what has come."""
        self.dialogue.stop()
        self._columns.draw_now()

    def action_leave_input(self) -> None:
        """Let letters be keys."""
        self._columns.meant.transcript.focus()

    def action_type(self) -> None:
        """Let letters be text."""
        self._prompt.focus()

    def action_back(self) -> None:
        """Leave the chat; answers go on."""
        self.dismiss(None)

    def action_page(self, pages: int) -> None:
        """Scroll what is seen."""
        self._columns.page(pages)

    def action_turn(self, places: int) -> None:
        """Show other columns."""
        self._columns.turn(places)

    def action_unfold(self) -> None:
        """Unfold all thoughts, or fold them."""
        self._columns.unfold()

    async def action_new(self) -> None:
        """Begin a new chat with the same models; this one is kept."""
        await self._show(self._dialogues.begin(self.dialogue.targets, self.dialogue.settings))

    @work(exclusive=True, group="dialog")
    async def action_copy(self) -> None:
        """Copy the last answer, or a block of code of it."""
        if answers := self._columns.meant.answers:
            await flows.copy(self, answers[-1].answering.text)

    @work(exclusive=True, group="dialog")
    async def action_regenerate(self) -> None:
        """Ask for the last answer again, here or elsewhere."""
        if (targets := await flows.whom(self, self._columns.meant.target, self.dialogue.targets)) is None:
            return
        last = self.dialogue.said[-1]
        known = self.dialogue.targets
        prompt = self._prompt
        if prompt.replacing:
            prompt.clear()
        if (said := self.dialogue.again(targets)) is None:
            return
        if self.dialogue.targets == known:
            self._columns.forget(last, targets)
            await self._follow(said, targets)
        else:
            self._waiting = said
            await self._columns.build()
            self._columns.last()

    @work(exclusive=True, group="dialog")
    async def action_aim(self) -> None:
        """Choose who is asked."""
        targets = await flows.choose_targets(self, self.dialogue.targets)
        if targets and targets != self.dialogue.targets:
            self.dialogue.aim(targets)
            await self._columns.build()

    @work(exclusive=True, group="dialog")
    async def action_settle(self) -> None:
        """Change system prompt and parameters."""
        if (settings := await flows.choose_settings(self, self.dialogue.settings)) is not None:
            self._settle(settings)

    def _settle(self, settings: Settings) -> None:
        """Ask in another way from now on."""
        self.dialogue.settle(settings)
        self.entitle()

    @work(exclusive=True, group="dialog")
    async def action_search(self) -> None:
        """Look for a former prompt."""
        if (text := await flows.search_prompts(self)) is not None:
            self._prompt.put(text)
            self._prompt.focus()

    @work(exclusive=True, group="dialog")
    async def action_edit(self) -> None:
        """Edit the prompt in the operator's editor."""
        await flows.edit(self, self._prompt)

    @work(exclusive=True, group="dialog")
    async def action_history(self) -> None:
        """Open a former chat."""
        chosen = await flows.former_chat(self, lambda: self._dialogues.answering)
        if chosen is not None and (dialogue := self._dialogues.reopen(chosen)) is not None:
            await self._show(dialogue)

    def action_export(self) -> None:
        """Write the chat into a Markdown file."""
        if self.dialogue.chat_id is not None:
            flows.export(self, self.dialogue.chat_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Which keys work now."""
        typing = any(prompt.has_focus for prompt in self.query(Prompt))
        answering = bool(self.dialogue.answering)
        match action:
            case "stop":
                return answering
            case "leave_input":
                return typing
            case "type" | "back" | "new" | "history":
                return not typing
            case "copy":
                return not typing and bool(self.dialogue.said)
            case "regenerate" | "export":
                return not typing and not answering and bool(self.dialogue.said)
            case "unfold":
                return not typing and any(answer.thinking for said in self.dialogue.said for answer in said.answers)
            case "turn":
                return not typing and any(columns.more for columns in self.query(Columns))
            case _:
                return True
