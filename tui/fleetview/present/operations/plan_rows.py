"""What a plan would do, row by row: a label, and words. Pure; knows no Textual."""

from __future__ import annotations

from fleetview.present.numbers import context, count, size
from fleetview.present.operations.loading import options
from fleetview.present.operations.plans import need, verdict
from fleetview.present.operations.progress import stays
from fleetview.present.text import Line, Tone, plain, text_of
from fleetview.present.wrapping import wrapped
from fleetview_agent.wire import CopyRequest, CreateRequest, KeepRequest, LoadRequest, Plan, SwapRequest, target

_LABEL = 9
Rows = tuple[tuple[str, str], ...]


def plan_rows(plan: Plan) -> Rows:
    """Everything that would be done, and what speaks for and against it."""
    rows = load_rows(plan) if isinstance(plan.request, LoadRequest | SwapRequest) else change_rows(plan)
    return (*_taken_back(plan), *rows)


def _taken_back(plan: Plan) -> Rows:
    """What an undo is about."""
    if plan.cancels:
        return (("cancels", f"{plain(plan.cancels)}, which is still in hand"),)
    if not plan.undoes:
        return ()
    if not plan.undone:
        return (("undoes", plain(plan.undoes)),)
    what = f"{plan.undone.verb} of {target(plan.undone)} by {plan.undone.author}"
    return (("undoes", plain(f"{what} (operation {plan.undoes})")),)


def load_rows(plan: Plan) -> Rows:
    """What putting a model into memory takes."""
    if plan.already_resident:
        return (("now", "in memory in this way already; nothing would be loaded, and nothing leaves"),)
    before, after, limit = map(size, (plan.memory_before_bytes, plan.memory_after_bytes, plan.memory_limit_bytes))
    leaves = plain(", ".join(plan.evictions) or "nothing")
    waits = f", after {count(plan.waits_for, 'answer')} in progress" if plan.waits_for else ""
    rows = (
        *(("and", plain(target(other))) for other in _beside(plan)),
        ("with", options(plan.request.options) if isinstance(plan.request, LoadRequest | SwapRequest) else ""),
        ("leaves", f"{leaves}{waits}"),
        ("verdict", text_of(verdict(plan))),
        ("needs", text_of(need(plan))),
        ("room", plain(plan.room_evidence or "")),
        ("memory", f"{before} now, {after} after, of {limit}"),
    )
    return tuple(row for row in rows if row[1])


def _beside(plan: Plan) -> tuple[LoadRequest, ...]:
    """The models that come together with the first."""
    return plan.request.beside if isinstance(plan.request, SwapRequest) else ()


def change_rows(plan: Plan) -> Rows:
    """What a change of a server, or of the disk, would do: who runs it, who leaves, and every command."""
    rows = [("run by", plain(plan.supervisor))] if plan.supervisor else []
    match plan.request:
        case KeepRequest():
            rows.append(("then it", stays(plan.request)))
        case CreateRequest(source=source):
            rows.append(("from", plain(source)))
        case CopyRequest(source=source, parts=parts):
            amount = size(sum(part.size_bytes for part in parts))
            rows.append(("from", f"{plain(source)}, {amount} in {count(len(parts), 'file')}"))
    if plan.evictions:
        label = "reloads" if plan.request.verb == "restart" else "leaves"
        rows.append((label, plain(", ".join(plan.evictions))))
    if plan.waits_for:
        rows.append(("waits", f"for {count(plan.waits_for, 'answer')} in progress"))
    before, after = plan.memory_before_bytes, plan.memory_after_bytes
    if before is not None and after is not None and before != after:
        rows.append(("memory", f"{size(before)} now, {size(after)} after, of {size(plan.memory_limit_bytes)}"))
    labels = ("runs", *("" for _ in plan.commands))
    return (*rows, *((label, plain(command)) for label, command in zip(labels, plan.commands, strict=False)))


def plan_lines(plan: Plan, width: int) -> tuple[Line, ...]:
    """The same for a dialog, with the refusal where there is one."""
    tones: dict[str, Tone] = {"runs": "accent", "": "accent"}
    rows: list[Line] = []
    for label, words in (*_subject(plan), *plan_rows(plan)):
        row: Line = ((label.ljust(_LABEL), "dim"), (words, tones.get(label, "plain")))
        rows += wrapped(row, width, indent=_LABEL)
    if plan.refusal:
        rows += [*(((("", "plain"),),) if rows else ()), ((plain(plan.refusal), "hot"),)]
    return tuple(rows) or ((("The agent does it itself; no command is run.", "dim"),),)


def _subject(plan: Plan) -> Rows:
    """What is done to what, where the title of the dialog cannot know it: an undo becomes something else."""
    if not (plan.undoes or plan.cancels):
        return ()
    return ((plan.request.verb, headline(plan)),)


def headline(plan: Plan) -> str:
    """What it is about: `BACKEND/MODEL`, and with which context where one is loaded."""
    name = plain(target(plan.request))
    return f"{name}, context {context(plan.context)}" if isinstance(plan.request, LoadRequest | SwapRequest) else name
