"""Prompts that nobody has read before, of about as many tokens as are wanted."""

from __future__ import annotations

import secrets

_COMMON = """
time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work night point home water room mother area money
story fact month lot right study book eye job word business issue side kind head house service friend father
power hour game line end member law car city name president team minute idea body information back parent face
others level office door health person art war history party result change morning reason research girl guy
moment air teacher force
"""
WORDS = tuple(_COMMON.split())
"""One token each for nearly every vocabulary, so that a prompt is about as long as it is meant to be."""


def prompt_of(words: int) -> str:
    """So many words in no order, of which not even the first ones were ever read together."""
    return " ".join(secrets.choice(WORDS) for _ in range(words))


def rescaled(words: int, tokens: float, wanted: int) -> int:
    """How many words make the wanted tokens, when `words` of them made `tokens`."""
    return max(1, round(words * wanted / tokens)) if tokens > 0 else words
