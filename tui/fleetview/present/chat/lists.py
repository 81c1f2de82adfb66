"""Lists of chats, prompts and targets, line by line. Pure."""

from __future__ import annotations

from fleetview.chats.records import Chat, FormerChat, FormerPrompt, Target
from fleetview.models.offers import Offer
from fleetview.present.numbers import age, count, moment, rate
from fleetview.present.text import (
    DASH,
    ELLIPSIS,
    Line,
    Tone,
    cut_line,
    joined,
    left,
    plain,
    right,
    spread,
    visible,
    width_of,
)
from fleetview.present.wrapping import wrapped

_NODE, _NARROW_NODE, _RATE, _IN_FLIGHT = 16, 10, 7, 9
_WIDE = 56
"""Cells from which on the figures of a target have columns."""
_MARKS = {"writing": "◐ ", "failed": "! ", "interrupted": "! ", "stopped": "", "done": ""}
_TONES: dict[str, Tone] = {"failed": "hot", "interrupted": "warm", "writing": "accent"}
_DAY = 86_400.0


def ago(at: float, now: float) -> str:
    """When it was: how long ago, or after a week the date."""
    return f"{age(now - at)} ago" if now - at < 7 * _DAY else moment(at)[: len("2026-01-01")]


def targets_words(targets: tuple[Target, ...]) -> str:
    """Who was asked, in a few words."""
    if not targets:
        return DASH
    first = plain(f"{targets[0].model} on {targets[0].node}")
    return first if len(targets) == 1 else f"{first} +{len(targets) - 1}"


def chat_line(chat: FormerChat, now: float, width: int, *, here: bool) -> Line:
    """A former chat: its title, who was asked, how much, when."""
    title: Line = ((_mark(here=here), "accent"), (plain(chat.title) or DASH, "strong" if here else "plain"))
    state: Line = ()
    if chat.state not in {"done", "stopped"}:
        state = ((f"{_MARKS[chat.state]}{chat.state}", _TONES[chat.state]),)
    prompts: Line = ((count(chat.turns, "prompt"), "dim"),) if width >= _WIDE else ()
    facts = joined((state, prompts, ((ago(chat.changed_at, now), "dim"),)))
    who: Line = ((targets_words(chat.targets), "dim"),)
    if width >= _WIDE * 2:
        facts = joined((cut_line(who, width // 3), facts))
    return spread(title, ((" ", "plain"), *facts), width)


def prompt_line(prompt: FormerPrompt, now: float, width: int, *, here: bool) -> Line:
    """A former prompt: its first line, how many it has, when."""
    lines = [line for line in prompt.text.splitlines() if line.strip()]
    text: Line = ((_mark(here=here), "accent"), (plain(lines[0]) if lines else DASH, "strong" if here else "plain"))
    more: Line = ((count(len(lines), "line"), "dim"),) if len(lines) > 1 else ()
    return spread(text, ((" ", "plain"), *joined((more, ((ago(prompt.at, now), "dim"),)))), width)


def target_heading(width: int) -> Line:
    """The titles of the columns."""
    return _target_row("      ", ("NODE", "MODEL", "TOK/S", "IN FLIGHT"), ("heading",) * 4, width)


def target_line(offer: Offer, width: int, *, ticked: bool, here: bool) -> Line:
    """A model that can be asked, with its figures; why it cannot takes their place."""
    box = f"{_mark(here=here)}{'[x]' if ticked else '[ ]'} "
    node, model = plain(offer.target.node), plain(offer.target.name)
    if offer.refusal is not None:
        start: Line = ((box, "dim"), *left(((node, "dim"),), _node_width(width)), (f" {model}", "dim"))
        reason: Line = ((f" {plain(offer.refusal)}", "dim"),)
        return spread(start, cut_line(reason, max(width // 3, width - width_of(start))), width)
    in_flight = DASH if offer.in_flight is None else str(offer.in_flight)
    cells = (node, model, rate(offer.tokens_per_second), in_flight)
    return _target_row(box, cells, ("plain", "strong" if here else "plain", "plain", "plain"), width)


def preview(chat: Chat | None, width: int, height: int) -> tuple[Line, ...]:
    """The end of a chat: its last prompt, and the beginning of what was answered."""
    if chat is None or not chat.turns:
        return ()
    turn = chat.turns[-1]
    lines: list[Line] = [((targets_words(tuple(reply.target for reply in turn.replies)), "heading"),)]
    lines += _beginning((("> ", "accent"),), turn.prompt, width, max(1, height // 3))
    for place, reply in enumerate(turn.replies):
        if len(lines) >= height:
            break
        text = reply.text.strip() or reply.failure or DASH
        share = max(1, (height - len(lines)) // (len(turn.replies) - place))
        lines += _beginning((), text, width, share)
    return tuple(cut_line(line, width) for line in lines[:height])


def prompt_preview(prompt: FormerPrompt | None, width: int, height: int) -> tuple[Line, ...]:
    """The beginning of a prompt."""
    nothing: Line = (("No former prompt has these words; esc clears them.", "dim"),)
    return tuple(_beginning((), prompt.text, width, height)) if prompt else (cut_line(nothing, width),)


def found(shown: int, limit: int, noun: str) -> str:
    """How many there are."""
    return f"{limit} newest {noun}s" if shown >= limit else count(shown, noun)


def _mark(*, here: bool) -> str:
    """What stands before the row that keys act on."""
    return "▸ " if here else "  "


def _beginning(start: Line, text: str, width: int, height: int) -> list[Line]:
    """As much of a text as there is room for; an ellipsis says that there is more."""
    lines: list[Line] = []
    for one in visible(text).splitlines():
        if one.strip():
            lines += wrapped((*(start if not lines else ()), (plain(one), "plain")), width, 0)
        if len(lines) > height:
            return [*lines[: height - 1], (*_clipped(lines[height - 1], width - 1), (ELLIPSIS, "plain"))]
    return lines


def _clipped(line: Line, width: int) -> Line:
    """The line in at most so many cells, without a sign that something is missing."""
    return tuple((text.removesuffix(ELLIPSIS), tone) for text, tone in cut_line(line, width))


def _node_width(width: int) -> int:
    """Cells of the column of nodes."""
    return _NODE if width >= _WIDE else _NARROW_NODE


def _target_row(box: str, cells: tuple[str, str, str, str], tones: tuple[Tone, ...], width: int) -> Line:
    """One row of the table of targets; figures go first where it is narrow."""
    node, model, tokens, flying = (((text, tone),) for text, tone in zip(cells, tones, strict=True))
    start: Line = ((box, "accent"), *left(node, _node_width(width)), (" ", "plain"), *model)
    if width < _WIDE:
        return cut_line(start, width)
    return spread(start, (*right(tokens, _RATE), (" ", "plain"), *right(flying, _IN_FLIGHT)), width)
