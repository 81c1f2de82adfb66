"""The chats of this run of the program, those that were left too."""

from __future__ import annotations

from fleetview.chats.records import Settings, Target
from fleetview.chats.store import ChatStore
from fleetview.config import FleetConfig
from fleetview.conversation.dialogue import Ask, Dialogue, Run
from fleetview.fleet import Fleet


class Dialogues:
    """Opens chats, and lets them go on while another one is looked at."""

    def __init__(self, ask: Ask, store: ChatStore, run: Run) -> None:
        self._ask = ask
        self._store = store
        self._run = run
        self._open: list[Dialogue] = []
        """The one that was looked at last is the last."""

    @property
    def last(self) -> Dialogue | None:
        """The chat that was open last: of this run, or of an earlier one."""
        if self._open:
            return self._open[-1]
        former = self._store.chats(limit=1)
        return self.reopen(former[0].id) if former else None

    @property
    def answering(self) -> int:
        """How many answers are being written."""
        return sum(len(dialogue.answering) for dialogue in self._open)

    def with_targets(self, targets: tuple[Target, ...]) -> Dialogue:
        """The chat that was open last with exactly these; a new one where there is none."""
        same = (one for one in reversed(self._open) if set(one.targets) == set(targets))
        return self._opened(next(same, None) or Dialogue(self._ask, self._store, self._run, targets))

    def begin(self, targets: tuple[Target, ...], settings: Settings) -> Dialogue:
        """A new chat; one of which nothing was asked yet is as good as new."""
        self._open = [one for one in self._open if one.said]
        return self._opened(Dialogue(self._ask, self._store, self._run, targets, settings))

    def reopen(self, chat_id: int) -> Dialogue | None:
        """A chat of the store; one that is open goes on. None: it is not there any more."""
        for dialogue in self._open:
            if dialogue.chat_id == chat_id:
                return self._opened(dialogue)
        if (chat := self._store.chat(chat_id)) is None:
            return None
        return self._opened(Dialogue(self._ask, self._store, self._run, chat.targets, chat.settings, chat))

    def follow(self, _config: FleetConfig, fleet: Fleet, _now: float) -> None:
        """Time has gone on: see what the machines draw."""
        for dialogue in self._open:
            dialogue.follow(fleet)

    def _opened(self, dialogue: Dialogue) -> Dialogue:
        """The chat, as the one that was looked at last."""
        self._open = [*(one for one in self._open if one is not dialogue), dialogue]
        return dialogue
