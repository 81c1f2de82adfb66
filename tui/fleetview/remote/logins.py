"""What all connections of a program have in common: what the operator has told, and how many log in at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fleetview.remote.errors import HostKeyUnknown, IdentityLocked, RemoteError
from fleetview.remote.host_key import HostKey
from fleetview.remote.questions import Nobody, Questions

if TYPE_CHECKING:
    from asyncssh import SSHKey

AT_ONCE = 8
"""Logins in hand at a time: each keeps a core busy for a while, and an sshd drops newcomers above ten (MaxStartups)."""
TURN_SECONDS = 0.5
"""How long a login counts as in hand: one that takes longer waits for its machine, and keeps no core busy."""


class Logins:
    """What was told is kept here, in memory alone; only trusted host keys are written, to known_hosts."""

    def __init__(self, questions: Questions | None = None) -> None:
        self.unlocked: dict[Path, SSHKey] = {}
        """Private keys whose passphrases were told, by their files."""
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._at_place = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE))
        self._questions = questions or Nobody()
        self._asking = asyncio.Lock()
        self._answered: dict[HostKey | Path, bool] = {}
        """Whether the operator has trusted a key, or told a passphrase."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One of the few logins in hand; a machine that lets it hang holds the others back for a moment at most."""
        await self._gate.acquire()
        with ExitStack() as held:
            held.callback(self._gate.release)
            over = asyncio.get_running_loop().call_later(TURN_SECONDS, held.close)
            held.callback(over.cancel)
            yield

    def at(self, place: str) -> asyncio.Semaphore:
        """Held while one server is logged in to: a jump host sees the logins of all machines behind it."""
        return self._at_place[place]

    def ask_again(self) -> None:
        """Forget what the operator did not want to answer."""
        self._answered = {question: answer for question, answer in self._answered.items() if answer}

    async def solve(self, node: str, problem: RemoteError) -> bool:
        """Whether a word of the operator has taken the problem away; each is asked for once. Raises Unreachable."""
        match problem:
            case HostKeyUnknown(key=question) | IdentityLocked(file=question):
                async with self._asking:
                    if question not in self._answered:
                        self._answered[question] = await self._ask(node, question)
                    return self._answered[question]
        return False

    async def _ask(self, node: str, question: HostKey | Path) -> bool:
        """Whether the operator has an answer."""
        if isinstance(question, HostKey):
            from fleetview.remote.known_hosts import remember  # brings asyncssh, which start-up must not pay for

            trusted = await self._questions.trust(node, question)
            if trusted:
                remember(question)
            return trusted
        from fleetview.remote.identities import unlock  # as above

        wrong = False
        while (passphrase := await self._questions.passphrase(node, question, wrong=wrong)) is not None:
            if key := unlock(question, passphrase):
                self.unlocked[question] = key
                return True
            wrong = True
        return False
