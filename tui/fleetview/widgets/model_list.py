"""The models that can be picked, one row each; the filter above keeps the focus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.content import Content
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from fleetview.models.picking import Choice
from fleetview.present import DASH, ELLIPSIS, plain, size
from fleetview.present.operations.plans import fits, sure
from fleetview.present.text import Line, cut_line, cut_middle, joined, left, right, width_of
from fleetview.widgets.lines import draw
from fleetview.widgets.toned import content
from fleetview_agent.wire import Plan

_SIZE, _QUANTIZATION, _WHERE, _WHERE_IN_SHORT, _FITS, _SURE, _SURE_IN_SHORT = range(7)
_WIDTHS = (5, 8, 20, 15, 17, 8, 5)
_SHORTEST_BESIDE = 22
"""Cells that a name gets at least, or nothing stands beside it."""
_LAYOUTS = (
    (90, (_SIZE, _QUANTIZATION, _WHERE, _FITS, _SURE)),
    (70, (_SIZE, _WHERE_IN_SHORT, _FITS, _SURE_IN_SHORT)),
    (60, (_SIZE, _FITS, _SURE_IN_SHORT)),
    (46, (_SIZE, _FITS)),
    (0, (_FITS,)),
)
"""From which width on there is room for which columns."""
_TITLES = {
    _SIZE: "SIZE",
    _QUANTIZATION: "QUANT",
    _WHERE: "WHERE",
    _WHERE_IN_SHORT: "WHERE",
    _FITS: "FITS",
    _SURE: "SURE",
    _SURE_IN_SHORT: "SURE",
}
_PLACES = {_WHERE, _WHERE_IN_SHORT}
_IN_SHORT = {"measured": "meas.", "computed": "comp."}


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


class ModelList(ScrollView, can_focus=False):
    """Rows of name, size, place, and whether each fits; only those in view are worded and drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"model-list--highlighted", "model-list--refused"}
    DEFAULT_CSS = """
    ModelList {
        background: transparent;
        height: 1fr;
        overflow-x: hidden;
        scrollbar-size: 1 1;
        scrollbar-gutter: stable;
        & > .model-list--highlighted { background: $row-selected; color: $foreground; text-style: bold; }
        & > .model-list--refused { color: $text-muted; }
    }
    """

    rows: var[tuple[Choice, ...]] = var((), init=False)
    """What to show, in order."""
    plans: var[Mapping[str, Plan | None]] = var(dict, init=False)
    """`BACKEND/MODEL` → its plan; None where none could be had, no entry where it is awaited."""
    highlighted: var[int | None] = var(None, init=False)
    """The place of the row that is meant."""

    class Picked(Message):
        """Another row is highlighted, or none."""

        def __init__(self, choice: Choice | None) -> None:
            super().__init__()
            self.choice = choice

    @property
    def choice(self) -> Choice | None:
        """The highlighted row."""
        at = self.highlighted
        return self.rows[at] if at is not None and at < len(self.rows) else None

    def near(self, most: int) -> tuple[Choice, ...]:
        """The rows that can be picked, the highlighted one first, then so many around it."""
        at, rows = self.highlighted or 0, self.rows
        places = sorted(range(max(0, at - most), min(len(rows), at + most + 1)), key=lambda place: abs(place - at))
        return tuple(rows[place] for place in places[:most] if rows[place].refusal is None)

    def move(self, way: str) -> None:
        """Move the highlight: down and up go round, page_down and page_up do not."""
        usable = [place for place, row in enumerate(self.rows) if row.refusal is None]
        if self.highlighted not in usable:
            return
        at, page = usable.index(self.highlighted), max(1, self.size.height - 1)
        match way:
            case "down" | "up":
                at = (at + (1 if way == "down" else -1)) % len(usable)
            case _:
                at = min(max(at + (page if way == "page_down" else -page), 0), len(usable) - 1)
        self.highlighted = usable[at]

    def watch_rows(self, old: tuple[Choice, ...], new: tuple[Choice, ...]) -> None:
        """Show other rows; the highlight stays on its model where that is still there."""
        at = self.highlighted
        name = old[at].name if at is not None and at < len(old) else None
        usable = [place for place, row in enumerate(new) if row.refusal is None]
        kept = next((place for place in usable if new[place].name == name), usable[0] if usable else None)
        self.virtual_size = Size(self.size.width, len(new))
        self.set_reactive(ModelList.highlighted, kept)
        self._turn_to(kept)
        self.refresh()

    def watch_plans(self, old: Mapping[str, Plan | None], new: Mapping[str, Plan | None]) -> None:
        """Show the verdicts that have come."""
        top = self.scroll_offset.y
        for place, row in enumerate(self.rows[top : top + self.size.height], top):
            if old.get(row.name, AWAITED) is not new.get(row.name, AWAITED):
                self.refresh_line(place)

    def watch_highlighted(self, old: int | None, new: int | None) -> None:
        """Mark another row."""
        for place in (old, new):
            if place is not None:
                self.refresh_line(place)
        self._turn_to(new)

    def _turn_to(self, place: int | None) -> None:
        """See to it that the highlighted row is in view, and tell which it is."""
        top, height = self.scroll_offset.y, self.size.height
        if place is not None and (place < top or (height and place >= top + height)):
            self.scroll_to(y=place if place < top else place - height + 1, animate=False, immediate=True)
        self.post_message(self.Picked(self.choice))

    def on_resize(self, _event: Resize) -> None:
        """Lay the columns out for another width, with the highlight in view."""
        self.virtual_size = Size(self.size.width, len(self.rows))
        place, top = self.highlighted, self.scroll_offset.y
        if place is not None and place >= top + self.size.height > top:
            self.scroll_to(y=place - self.size.height + 1, animate=False)
        self.refresh()

    def on_click(self, event: Click) -> None:
        """A click highlights a row that can be picked."""
        place = event.y + self.scroll_offset.y
        if place < len(self.rows) and self.rows[place].refusal is None:
            self.highlighted = place

    def render_line(self, y: int) -> Strip:
        """One row, if there is one."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        row, marked = self.rows[place], place == self.highlighted
        line = row_line(row, self.plans.get(row.name, AWAITED), width, marked=marked)
        if marked:
            return draw(self, line, width, self.get_visual_style("model-list--highlighted"))
        refused = row.refusal is not None
        return draw(self, line, width, self.get_visual_style("model-list--refused") if refused else None)


def heading(width: int) -> Line:
    """The titles of the columns."""
    return _row(
        (("    MODEL", "heading"),), {column: ((title, "heading"),) for column, title in _TITLES.items()}, width
    )


def row_line(row: Choice, plan: Plan | Awaited | None, width: int, *, marked: bool = False) -> Line:
    """One model; why it cannot be picked takes the place of its figures."""
    mark = ("▸ " if marked else "  ") + MARKS.get(row.resident or "", "◐ " if row.resident else "  ")
    if row.refusal is not None:
        quiet: Line = ((mark + plain(row.name), "plain"),)
        weighs: Line = ((size(row.file.size_bytes), "plain"),) if row.place else ()
        return cut_line(joined((cut_line(quiet, width // 2), weighs, ((plain(row.refusal), "plain"),))), width)
    certainty = sure(plan) if isinstance(plan, Plan) else ""
    aside = _where(row)
    where: Line = ((aside if row.resident else ", ".join(filter(None, ("here", aside))), "dim"),)
    cells: dict[int, Line] = {
        _SIZE: ((size(row.file.size_bytes), "plain"),),
        _QUANTIZATION: ((plain(row.file.quantization or DASH), "dim"),),
        _WHERE: where,
        _WHERE_IN_SHORT: where,
        _FITS: fits(plan) if isinstance(plan, Plan) else ((DASH if plan is None else ELLIPSIS, "dim"),),
        _SURE: ((certainty, "dim"),),
        _SURE_IN_SHORT: ((_IN_SHORT.get(certainty, certainty), "dim"),),
    }
    return _row(((mark, "accent"), (plain(row.name), "plain")), cells, width, aside)


def _where(row: Choice) -> str:
    """What else there is to know of a file: it is in memory, or is another engine's too."""
    words = [] if row.resident is None else ["in memory" if row.resident == "ready" else row.resident]
    return ", ".join((*words, "same file") if row.same_file else words)


def _middle_cut(line: Line, room: int) -> Line:
    """The line in so many cells, with the end of its last part, by which models of one family differ."""
    *front, (text, tone) = line
    return (*front, (cut_middle(text, max(0, room - width_of(tuple(front)))), tone))


def _row(name: Line, cells: Mapping[int, Line], width: int, where: str = "") -> Line:
    """Name and columns; the least important ones go first when the pane is narrow, and what is beside the name."""
    shown = next(columns for least, columns in _LAYOUTS if width >= least)
    room = max(width - sum(_WIDTHS[column] + 1 for column in shown), 0)
    aside: Line = ((f" {where}", "dim"),) if where and not _PLACES & {*shown} else ()
    if width_of(name) + width_of(aside) > room and room - width_of(aside) < _SHORTEST_BESIDE:
        aside = ()
    line = left((*_middle_cut(name, room - width_of(aside)), *aside), room)
    for column in shown:
        aligned = right if column == _SIZE else left
        line = (*line, (" ", "plain"), *aligned(cells[column], _WIDTHS[column]))
    return cut_line(line, max(width, 0))
