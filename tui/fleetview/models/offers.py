"""Which models of the fleet can be asked, and those that are meant by what is typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fleetview.chats.records import Target
from fleetview.fleet import Fleet, NodeState, unconnected

_NO_CHAT = re.compile(r"(^|[-_.])(bert|t5encoder|clip|wavtokenizer)|gemma-?embedding", re.IGNORECASE)
"""Architectures that make vectors, or parts of others: bert, nomic-bert, jina-bert-v2, modern-bert …"""
_NO_CHAT_NAME = re.compile(r"embed|rerank", re.IGNORECASE)
"""Names of models that make vectors out of the architecture of a model that chats."""


@dataclass(frozen=True)
class Offer:
    """A model in memory, or one that is asked though it has left it."""

    target: Target
    role: str | None = None
    tags: tuple[str, ...] = ()
    """Of its node."""
    tokens_per_second: float | None = None
    """Just now; None while it generates nothing, or nobody tells."""
    in_flight: int | None = None
    refusal: str | None = None
    """Why it cannot be asked; None for one that can."""


def cannot_chat(architecture: str | None, name: str) -> str | None:
    """Why a model cannot answer prompts; None for one that may."""
    embeds = (architecture is not None and _NO_CHAT.search(architecture)) or _NO_CHAT_NAME.search(name)
    return "it is an embedding model" if embeds else None


def no_chat(node: NodeState, backend: str, model: str) -> str | None:
    """Why a model of the node cannot answer prompts; None for one that may, or that only the node knows."""
    state = node.backends.get(backend)
    files = state.models if state else ()
    return cannot_chat(next((file.architecture for file in files if file.name == model), None), model)


def offers(fleet: Fleet, chosen: Iterable[Target] = ()) -> tuple[Offer, ...]:
    """Every model that is ready, node by node, and the chosen ones that are not."""
    ready = tuple(offer for node in fleet.values() for offer in _of_node(node))
    known = {offer.target for offer in ready}
    gone = (_gone(fleet.get(target.node), target) for target in chosen if target not in known)
    return (*ready, *gone)


def matching(some: Iterable[Offer], typed: str) -> tuple[Offer, ...]:
    """The offers that have every word in their names; `@all`, `@role:x` and `@tag:x` are those of such nodes."""
    words = typed.casefold().split()
    return tuple(offer for offer in some if all(_matches(offer, word) for word in words))


def is_group(typed: str) -> bool:
    """Whether what is typed means several models at once."""
    return typed.strip().startswith("@")


def _of_node(node: NodeState) -> Iterable[Offer]:
    """What the node has in memory."""
    for backend, model in node.ready:
        traffic = node.traffic(backend, model.name) if node.current else None
        yield Offer(
            Target(node.name, backend, model.name),
            node.role,
            node.tags,
            traffic.generation_tokens_per_second if traffic else None,
            traffic.in_flight if traffic else None,
            no_chat(node, backend, model.name)
            if node.current
            else f"{node.name} is not connected: {unconnected(node)}",
        )


def _gone(node: NodeState | None, target: Target) -> Offer:
    """A chosen model that is not ready."""
    if node is None:
        return Offer(target, refusal="the node is no longer in the fleet")
    return Offer(target, node.role, node.tags, refusal="it is not in memory")


def _matches(offer: Offer, word: str) -> bool:
    """Whether a word means the offer."""
    if word.startswith("@"):
        return _in_group(offer, word[1:])
    names = (offer.target.node, offer.target.name, offer.role or "", *offer.tags)
    return any(word in name.casefold() for name in names)


def _in_group(offer: Offer, group: str) -> bool:
    """Whether the offer is one of `all`, `role:x` or `tag:x`, which may be half typed."""
    kind, colon, name = group.partition(":")
    if not colon:
        return any(known.startswith(kind) for known in ("all", "role:", "tag:"))
    of_kind = {"role": (offer.role or "",), "tag": offer.tags}.get(kind, ())
    return any(one.casefold().startswith(name) for one in of_kind if one)
