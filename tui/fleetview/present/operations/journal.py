"""The journal of the fleet: operations in hand and ended, as rows, as a glance, and whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fleetview.present.figures import bar
from fleetview.present.filtering import Fields
from fleetview.present.numbers import duration, moment, percent
from fleetview.present.operations.command_lines import command_line
from fleetview.present.operations.progress import (
    PHASES,
    did,
    done_ratio,
    named,
    outcome,
    subject,
    times,
    tone,
    transferred,
)
from fleetview.present.text import Line, Tone, cut_line, fitting, joined, plain
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import DeleteRequest, Operation, target

_LABEL = 9
_BAR = 12
_ENDINGS: dict[str, tuple[str, Tone]] = {
    "done": ("✓ done", "good"),
    "failed": ("✗ failed", "hot"),
    "refused": ("✗ refused", "hot"),
    "rolled_back": ("↶ rolled back", "warm"),
    "interrupted": ("◌ interrupted", "warm"),
}


@dataclass(frozen=True)
class Entry:
    """One operation of one node."""

    node: str
    operation: Operation
    taken_back: str | None = None
    """The id of the operation that undid it, where that is known."""

    @property
    def key(self) -> tuple[str, str]:
        """By what it is known, in hand and afterwards."""
        return (self.node, self.operation.id)

    @property
    def at(self) -> float:
        """When it ended, or else was asked for, by the clock of its node."""
        return self.operation.ended_at or self.operation.queued_at

    @property
    def seconds(self) -> float | None:
        """How long it took from being asked for; None while it goes on."""
        ended = self.operation.ended_at
        return None if ended is None else ended - self.operation.queued_at


def newest_first(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries by when they ended."""
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))


def with_undoing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The same entries, each of which knows whether another one took it back."""
    rows = tuple(entries)
    undone = {
        (row.node, row.operation.undoes): row.operation.id
        for row in rows
        if row.operation.undoes and row.operation.result == "done"
    }
    return tuple(replace(row, taken_back=undone[row.key]) if row.key in undone else row for row in rows)


def result(operation: Operation) -> str:
    """How it ended, what it took back, and why it was begun where no operator asked for it."""
    parts = [did(operation) if operation.result == "done" else outcome(operation)]
    parts += [f"undoes {operation.undoes}"] if operation.undoes else []
    parts += [operation.reason] if operation.reason else []
    return "; ".join(parts)


def ending(operation: Operation) -> tuple[str, Tone]:
    """How it ended, or how far it is, as a symbol and a word."""
    if operation.result is None:
        ratio = done_ratio(operation)
        return f"◐ {PHASES[operation.phase]}{'' if ratio is None else ' ' + percent(ratio)}", tone(operation)
    return _ENDINGS["refused" if operation.refused else operation.result]


def fields() -> Fields[Entry]:
    """What a filter can ask of an entry."""

    def ended(entry: Entry) -> tuple[str, ...]:
        return (ending(entry.operation)[0].partition(" ")[2],)

    def model(entry: Entry) -> tuple[str, ...]:
        return (named(entry.operation.request), subject(entry.operation.request))

    return Fields(
        words=lambda entry: (
            entry.node,
            entry.operation.id,
            f"{entry.operation.request.verb} {named(entry.operation.request)}",
            plain(entry.operation.request.author),
            *ended(entry),
            plain(entry.operation.cause or ""),
            plain(entry.operation.reason or ""),
        ),
        texts={
            "node": lambda entry: (entry.node,),
            "verb": lambda entry: (entry.operation.request.verb,),
            "model": model,
            "by": lambda entry: (plain(entry.operation.request.author),),
            "result": ended,
        },
        numbers={"took": lambda entry: entry.seconds},
    )


def undo_refusal(entry: Entry) -> str | None:
    """Why an operation cannot be taken back, as far as can be told from here; None: ask its node."""
    operation = entry.operation
    if entry.taken_back is not None:
        return f"{plain(entry.taken_back)} took it back already"
    if operation.result is None:
        waits = isinstance(operation.request, DeleteRequest)
        return None if waits else "it is in hand still; ctrl+x cancels it"
    if operation.undoes is not None:
        return "it took another one back itself; ask for that anew"
    if operation.result != "done":
        return f"it ended as {operation.result.replace('_', ' ')}, so there is nothing to take back"
    return None if operation.inverse else "it changed nothing that could be brought back"


def remark(operation: Operation) -> str:
    """Why it ended so, why it was begun, or how far its bytes are."""
    if operation.transfer and operation.result is None:
        return transferred(operation.transfer)
    return plain(operation.cause or operation.reason or (f"undoes {operation.undoes}" if operation.undoes else ""))


def upshot(operation: Operation) -> str:
    """What an operation did, and what left for it; else why it ended so, or how far it is."""
    said = remark(operation)
    if operation.cause:
        return said
    done = did(operation) if operation.result == "done" else ""
    gone = f"{plain(', '.join(operation.evictions))} left" if done and operation.evictions else ""
    return ", ".join(filter(None, (done, gone, said)))


def glance(entry: Entry, width: int) -> tuple[Line, ...]:
    """The selected operation in a few lines, the most important first."""
    operation = entry.operation
    words, how = ending(operation)
    by: Line = ((f"by {plain(operation.request.author)}", "dim"),)
    head: Line = (
        (f"{operation.request.verb} ", "plain"),
        (named(operation.request), "strong"),
        (f" on {plain(entry.node)}", "plain"),
    )
    took: Line = ((duration(entry.seconds), "plain"),) if operation.result else _progress(operation)
    parts = (head, ((words, how),), took, by)
    lines = [fitting(parts, width), cut_line(times(operation), width)]
    if said := remark(operation):
        lines.append(cut_line(((said, "hot" if operation.cause else "plain"),), width))
    why_not = undo_refusal(entry)
    undo = f"cannot be undone: {why_not}" if why_not else f"u undoes it{_inverse(entry)}"
    lines += [cut_line(((undo, "dim" if why_not else "accent"),), width)]
    return (*lines, cut_line((("$ ", "dim"), (plain(command_line(entry.node, operation.request)), "plain")), width))


def _progress(operation: Operation) -> Line:
    """A bar, and how far the bytes have come."""
    if operation.result is not None:
        return ()
    ratio = done_ratio(operation)
    drawn = () if ratio is None else bar(ratio, _BAR)
    moved: Line = ((transferred(operation.transfer), "plain"),) if operation.transfer else ()
    return joined((drawn, moved))


def _inverse(entry: Entry) -> str:
    """What undoing it does."""
    inverse = entry.operation.inverse
    return f": {inverse.verb} {named(inverse)}" if inverse else ""


def whole(entry: Entry, width: int) -> tuple[Line, ...]:
    """Everything about one operation."""
    operation, request = entry.operation, entry.operation.request
    words, how = ending(operation)
    rows: list[tuple[str, Line]] = [
        ("what", ((f"{request.verb} ", "plain"), (plain(target(request)), "strong"))),
        ("result", joined((((words, how),), _ended_so(operation)))),
        ("undoes", ((plain(operation.undoes or ""), "plain"),)),
        ("asked", ((f"{moment(operation.queued_at)} by {plain(request.author)}", "plain"),)),
        ("took", joined((((duration(entry.seconds), "plain"),), _progress(operation)))),
        ("phases", times(operation)),
        ("why", ((plain(operation.reason or ""), "plain"),)),
        ("left", ((plain(", ".join(operation.evictions)), "plain"),)),
        ("undo", ((undo_refusal(entry) or plain(_inverse_line(entry)), "plain"),)),
        ("command", ((plain(command_line(entry.node, request), 2000), "accent"),)),
        ("id", ((plain(operation.id), "dim"),)),
    ]
    lines: list[Line] = []
    for label, words_of in rows:
        if any(text for text, _ in words_of):
            lines += wrapped(((label.ljust(_LABEL), "dim"), *words_of), width, indent=_LABEL)
    if operation.log:
        lines += [(), (("the engine's last lines", "heading"),)]
        lines += [part for text in operation.log for part in wrapped(((plain(text), "plain"),), width)]
    return tuple(lines)


def _ended_so(operation: Operation) -> Line:
    """What it has done, or why not."""
    told = did(operation) if operation.result == "done" else plain(operation.cause or "")
    return ((told, "plain"),) if told else ()


def _inverse_line(entry: Entry) -> str:
    """The command line of what undoes it."""
    inverse = entry.operation.inverse
    return command_line(entry.node, inverse) if inverse else "its node says how"


def nothing(filtered: bool, only: str | None, lack: str | None = None) -> str:
    """Why there is no row; `lack`: why the journal of the `only` node could not be read."""
    if lack:
        return f"{plain(lack)}; its journal is read as soon as it answers"
    if filtered:
        return "nothing matches; esc shows all again"
    return f"no operation of {plain(only) if only else 'this fleet'} has ended yet"


def summary(title: str, view: tuple[str | None, str, int], silent: tuple[str, ...], width: int, *, demo: bool) -> Line:
    """The line on top: what is shown, and of which nodes there is no journal."""
    only, typed, amount = view
    parts: list[Line] = [((plain(title), "strong"),)]
    parts += [(("DEMO", "accent"),)] if demo else []
    parts += [(("journal of ", "plain"), (plain(only) if only else "all nodes", "strong"))]
    parts.append(((f"{amount} operations" if amount != 1 else "1 operation", "plain"),))
    if typed:
        parts.append(((f"/{plain(typed)}", "accent"),))
    if silent:
        more = f" +{len(silent) - 1}" if len(silent) > 1 else ""
        parts.append(((f"○ no answer: {plain(silent[0])}{more}", "warm"),))
    return cut_line(((" ", "plain"), *joined(tuple(parts))), width)
