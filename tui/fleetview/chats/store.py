"""Every chat on disk, token by token as they come; several dashboards may share the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from fleetview.chats.records import Chat, Ending, Figures, FormerChat, FormerPrompt, Settings, State, Target
from fleetview.chats.rows import (
    OF_CHAT,
    OF_FORMER_CHAT,
    OF_PROMPT,
    former_chat_of,
    settings_of,
    settings_text,
    sound,
    storable,
    targets_of,
    targets_text,
    title_of,
)
from fleetview.chats.searching import in_chats, in_prompts
from fleetview.paths import state_folder

if TYPE_CHECKING:
    from fleetview.chats.database import Database


def chats_file() -> Path:
    """Where the dashboards of this account keep their chats."""
    return state_folder() / "chats.db"


class ChatStore:
    """Keeps chats in a file that only its owner may read; without one, until it is closed.

    Nothing here raises for a disk that is full or a file that is damaged: chats go on in memory, and whoever listens
    is told once. The file is opened when it is first needed.
    """

    def __init__(self, file: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock
        self._places = count()
        """Of pieces of answers, in the order in which they come; nobody else writes to the same answer."""
        self._tell: Callable[[str], None] | None = None
        self._untold: list[str] = []

    @cached_property
    def _database(self) -> Database:
        """Where they are kept."""
        from fleetview.chats.database import Database  # brings SQLite, for which the first paint does not wait

        return Database(self._file, self._clock, self._say)

    def listen(self, tell: Callable[[str], None]) -> None:
        """Tell what is lost and why, also what was found before."""
        self._tell = tell
        for sentence in self._untold:
            tell(sentence)
        self._untold.clear()

    def _say(self, sentence: str) -> None:
        """Tell it now, or as soon as somebody listens."""
        if self._tell is None:
            self._untold.append(sentence)
        else:
            self._tell(sentence)

    def begin(self, targets: Sequence[Target], settings: Settings = Settings()) -> Chat:  # noqa: B008 -- frozen
        """A new chat, in which nothing was asked yet."""
        at = self._clock()
        number = self._database.change(
            lambda tables: tables.insert(
                "INSERT INTO chats (title, begun_at, changed_at, targets, settings) VALUES ('', ?, ?, ?, ?)",
                at,
                at,
                targets_text(targets),
                settings_text(settings),
            )
        )
        return Chat(number, "", at, at, tuple(targets), settings)

    def asked(self, chat_id: int, prompt: str, targets: Sequence[Target]) -> tuple[int, ...]:
        """One more turn of the chat, whose targets these are from now on; the ids of its answers, in their order."""
        at = self._clock()
        return self._database.change(
            lambda tables: tables.ask(chat_id, storable(prompt), at, targets, self._database.writer)
        )

    def again(self, turn_id: int, targets: Sequence[Target]) -> tuple[int, ...]:
        """The same turn, asked of these targets once more or for the first time; of each, the newest answer counts."""
        return self._database.change(lambda tables: tables.ask_again(turn_id, targets, self._database.writer))

    def turn_of(self, reply_id: int) -> int:
        """Which turn an answer belongs to; 0 for one that is not kept any more."""
        rows = self._database.read("SELECT turn FROM replies WHERE id = ?", reply_id)
        return int(rows[0][0]) if rows else 0

    def heard(self, reply_id: int, text: str, thinking: str = "") -> None:
        """More of an answer. It is on disk when this returns, for whoever comes after a killed dashboard."""
        if text or thinking:
            self._database.write(
                "INSERT INTO pieces (reply, place, text, thinking) VALUES (?, ?, ?, ?)",
                reply_id,
                next(self._places),
                storable(text),
                storable(thinking),
            )

    def ended(
        self,
        reply_id: int,
        state: State = "done",
        failure: str | None = None,
        figures: Figures = Figures(),  # noqa: B008 -- frozen
    ) -> None:
        """An answer is whole, or will never be. What has ended stays as it is."""
        self._database.change(lambda tables: tables.end(reply_id, Ending(state, failure, figures), self._clock()))

    def replaced(self, turn_id: int) -> None:
        """A turn was asked anew: it is kept, and no longer shown."""
        self._database.write("UPDATE turns SET replaced = 1 WHERE id = ?", turn_id)

    def set_settings(self, chat_id: int, settings: Settings) -> None:
        """How models are asked from now on."""
        self._database.write("UPDATE chats SET settings = ? WHERE id = ?", settings_text(settings), chat_id)

    def rename(self, chat_id: int, title: str) -> None:
        """Call a chat by a name of the operator's."""
        self._database.write("UPDATE chats SET title = ? WHERE id = ?", title_of(storable(title)), chat_id)

    def delete(self, chat_id: int) -> None:
        """Forget a chat for good."""
        self._database.change(lambda tables: tables.delete(chat_id))

    def chats(self, search: str = "", limit: int = 200) -> tuple[FormerChat, ...]:
        """Former chats, the one that changed last first; every word of the search is somewhere in each of them."""
        found = in_chats(storable(search), indexed=self._database.indexed)
        rows = self._database.read(
            f"""SELECT id, title, begun_at, changed_at, targets,
                (SELECT count(*) FROM turns WHERE chat = chats.id AND NOT replaced) AS said,
                (SELECT group_concat(DISTINCT state) FROM replies
                    WHERE turn = (SELECT max(id) FROM turns WHERE chat = chats.id AND NOT replaced))
                FROM chats WHERE said > 0 AND {found.sql} ORDER BY changed_at DESC, id DESC LIMIT ?""",  # noqa: S608 -- what was typed is bound
            *found.values,
            limit,
        )
        return tuple(map(former_chat_of, sound(rows, OF_FORMER_CHAT)))

    def chat(self, chat_id: int, *, replaced: bool = False) -> Chat | None:
        """A chat with all that was said in it, `replaced` turns too where they are wanted; None where there is none."""
        rows = self._database.read(
            "SELECT title, begun_at, changed_at, targets, settings FROM chats WHERE id = ?", chat_id
        )
        if not (found := sound(rows, OF_CHAT)):
            return None
        ((title, begun_at, changed_at, targets, settings),) = found
        return Chat(
            chat_id,
            title,
            begun_at,
            changed_at,
            targets_of(targets),
            settings_of(settings),
            self._database.look(lambda tables: tables.turns(chat_id, replaced=replaced)),
        )

    def prompts(self, search: str = "", limit: int = 200) -> tuple[FormerPrompt, ...]:
        """What was asked in any chat, newest first, each text once; every word of the search is a part of each."""
        found = in_prompts(storable(search), indexed=self._database.indexed)
        rows = self._database.read(
            f"SELECT prompt, max(at), chat FROM turns WHERE {found.sql}"  # noqa: S608 -- what was typed is bound
            " GROUP BY prompt ORDER BY max(at) DESC, max(id) DESC LIMIT ?",
            *found.values,
            limit,
        )
        return tuple(FormerPrompt(*row) for row in sound(rows, OF_PROMPT))

    def close(self) -> None:
        """Let go of the file; answers in hand were not ended."""
        if "_database" in self.__dict__:
            self._database.close()
