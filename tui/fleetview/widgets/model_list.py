"""The models that can be picked, one row each; the filter above keeps the focus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.reactive import var
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from fleetview.picking import Choice
from fleetview.present import DASH, ELLIPSIS, plain, size
from fleetview.present.plans import fits, sure
from fleetview.present.text import Line, cut_line, joined, left, right, width_of
from fleetview.widgets.toned import content
from fleetview_agent.wire import Plan

_SIZE, _QUANTIZATION, _FITS, _SURE = range(4)
_WIDTHS = (5, 8, 17, 8)
_SHORTEST = 12
"""Cells in which a beginning and an end still say something."""
_SHORTEST_BESIDE = 22
"""Cells that a name gets at least, or nothing stands beside it."""
_LAYOUTS = ((64, (_SIZE, _QUANTIZATION, _FITS, _SURE)), (46, (_SIZE, _FITS)), (0, (_FITS,)))
"""From which width on there is room for which columns."""


MARKS = {"ready": "● ", "failed": "! "}
"""What stands before a model that is in memory, or has fallen out of it."""


class Awaited:
    """Stands for a plan that has been asked for, or will be."""


AWAITED = Awaited()


class ListHeading(Widget):
    """The titles above the rows."""

    DEFAULT_CSS = """
    ListHeading { height: 1; padding-right: 1; }
    """

    def render(self) -> Content:
        """Each title above its column."""
        return content(heading(self.size.width))


class ModelList(OptionList, can_focus=False):
    """Rows of name, size, quantisation, and whether each fits."""

    DEFAULT_CSS = """
    ModelList {
        border: none;
        padding: 0;
        background: transparent;
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & > .option-list--option-highlighted { background: $panel; color: $foreground; text-style: bold; }
    }
    """

    rows: var[tuple[Choice, ...]] = var(())
    """What to show, in order."""
    plans: var[Mapping[str, Plan | None]] = var(dict)
    """`BACKEND/MODEL` → its plan; None where none could be had, no entry where it is awaited."""

    class Picked(Message):
        """Another row is highlighted, or none."""

        def __init__(self, choice: Choice | None) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self) -> None:
        self._marked: int | None = None
        """The row that carries the mark of the highlight."""
        super().__init__(markup=False, compact=True)

    @property
    def choice(self) -> Choice | None:
        """The highlighted row."""
        return None if self.highlighted is None else self.rows[self.highlighted]

    def watch_rows(self, old: tuple[Choice, ...], new: tuple[Choice, ...]) -> None:
        """Show other rows; the highlight stays on its model where that is still there."""
        kept = self._kept(old, new)
        self._marked = None
        options = (Option(self._prompt(index), disabled=row.refusal is not None) for index, row in enumerate(new))
        self.set_options(options)
        self.highlighted = kept
        if kept is None:
            self.post_message(self.Picked(None))

    def _kept(self, old: Sequence[Choice], new: Sequence[Choice]) -> int | None:
        """Where the highlight goes when the rows change."""
        usable = [index for index, row in enumerate(new) if row.refusal is None]
        name = old[self.highlighted].name if self.highlighted is not None and self.highlighted < len(old) else None
        return next((index for index in usable if new[index].name == name), usable[0] if usable else None)

    def watch_plans(self, old: Mapping[str, Plan | None], new: Mapping[str, Plan | None]) -> None:
        """Show the verdicts that have come."""
        for index, row in enumerate(self.rows):
            if old.get(row.name, AWAITED) is not new.get(row.name, AWAITED):
                self._renew(index)

    def on_resize(self, event: Resize) -> None:
        """Lay the columns out for another width."""
        if event.size.width:
            for index in range(len(self.rows)):
                self._renew(index)

    def watch_highlighted(self, highlighted: int | None) -> None:
        """Tell which row it is, and mark it."""
        super().watch_highlighted(highlighted)
        marked, self._marked = self._marked, highlighted
        for index in (marked, highlighted):
            if index is not None and index < len(self.options):
                self._renew(index)
        if highlighted is not None:
            self.post_message(self.Picked(self.rows[highlighted]))

    def _renew(self, index: int) -> None:
        """Draw a row again."""
        self.replace_option_prompt_at_index(index, self._prompt(index))

    def _prompt(self, index: int) -> Content:
        """The row as it is drawn."""
        row, width = self.rows[index], self.scrollable_content_region.width
        return content(row_line(row, self.plans.get(row.name, AWAITED), width, marked=index == self._marked))


def heading(width: int) -> Line:
    """The titles of the columns."""
    titles = (_SIZE, "SIZE"), (_QUANTIZATION, "QUANT"), (_FITS, "FITS"), (_SURE, "")
    return _row((("    MODEL", "heading"),), {column: ((title, "heading"),) for column, title in titles}, width)


def row_line(row: Choice, plan: Plan | Awaited | None, width: int, *, marked: bool = False) -> Line:
    """One model; why it cannot be picked takes the place of its figures."""
    mark = ("▸ " if marked else "  ") + MARKS.get(row.resident or "", "◐ " if row.resident else "  ")
    name: Line = ((mark, "accent"), (plain(row.name), "plain"))
    if row.refusal is not None:
        quiet: Line = ((mark + plain(row.name), "plain"),)
        return joined((cut_line(quiet, width // 2), ((plain(row.refusal), "plain"),)))
    cells: dict[int, Line] = {
        _SIZE: ((size(row.file.size_bytes), "plain"),),
        _QUANTIZATION: ((plain(row.file.quantization or DASH), "dim"),),
        _FITS: fits(plan) if isinstance(plan, Plan) else ((DASH if plan is None else ELLIPSIS, "dim"),),
        _SURE: ((sure(plan) if isinstance(plan, Plan) else "", "dim"),),
    }
    return _row(name, cells, width, _where(row))


def _where(row: Choice) -> str:
    """What else there is to know of a file: it is in memory, or is another engine's too."""
    words = [] if row.resident is None else ["in memory" if row.resident == "ready" else row.resident]
    return ", ".join((*words, "same file") if row.same_file else words)


def _middle_cut(line: Line, room: int) -> Line:
    """The line in so many cells, with the end of its last part, by which models of one family differ."""
    *front, (text, tone) = line
    cells = room - width_of(tuple(front))
    if width_of(line) <= room or cells < _SHORTEST:
        return line
    tail = cells // 3
    return (*front, (f"{text[: cells - tail - 1]}{ELLIPSIS}{text[-tail:]}", tone))


def _row(name: Line, cells: Mapping[int, Line], width: int, where: str = "") -> Line:
    """Name and columns; the least important ones go first when the pane is narrow, and what is beside the name."""
    shown = next(columns for least, columns in _LAYOUTS if width >= least)
    room = max(width - sum(_WIDTHS[column] + 1 for column in shown), 0)
    aside: Line = ((f" {where}", "dim"),) if where else ()
    if width_of(name) + width_of(aside) > room and room - width_of(aside) < _SHORTEST_BESIDE:
        aside = ()
    line = left((*_middle_cut(name, room - width_of(aside)), *aside), room)
    for column in shown:
        aligned = right if column == _SIZE else left
        line = (*line, (" ", "plain"), *aligned(cells[column], _WIDTHS[column]))
    return cut_line(line, max(width, 0))
