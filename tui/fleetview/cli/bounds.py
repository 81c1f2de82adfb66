"""How long a node may hold up a command that asks several; the way to it has bounds of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fleetview.remote.errors import Unreachable

ANSWER_SECONDS = 10.0
"""How long a node to which a connection stands may take to answer one question."""


def no_answer(node: str) -> str:
    """What is said of a node that took longer."""
    return f"{node} does not answer within {ANSWER_SECONDS:g} s"


@asynccontextmanager
async def answering(node: str) -> AsyncIterator[None]:
    """Give an answer its time. Raises Unreachable."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            yield
    except TimeoutError:
        raise Unreachable(no_answer(node)) from None
