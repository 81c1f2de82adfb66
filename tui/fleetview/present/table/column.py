"""What a column of the table of nodes is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from fleetview.fleet import NodeState
from fleetview.present.table.cells import Cell

Key = tuple[float, str]
"""What rows are put in order by: a number, or a text."""
SortKey = Callable[[NodeState], Key | None]
"""None: unknown, and so last in every order."""


@dataclass(frozen=True)
class Frame:
    """What all columns of a table have in common."""

    width: int
    gauge: int
    """Cells for a bar; 0: numbers take the place of bars."""
    roomy: bool
    """Whether words may take the place of signs."""
    name: int
    """Cells of the longest name."""
    history: int
    """Cells for a history."""


@dataclass(frozen=True)
class Column:
    """One column: what stands over it and in it, how wide it is, and when it is there."""

    name: str
    """As `[ui] columns` of the fleet file and `sort` have it."""
    title: str
    cells: Callable[[Frame], int]
    """How many cells it needs; of the column that takes what is left, the fewest."""
    cell: Cell
    _: KW_ONLY
    level: Literal[0, 1, 2, 3, 4]
    """The width class from which it is there without being asked for."""
    importance: int
    """Columns with a larger number give way first."""
    sort: SortKey | None = None
    near: float = 0.0
    """Figures nearer to each other than this do not change the order of rows."""
    ascending: bool = False
    """Whether the smallest comes first, before the order is turned around."""
    align: Literal["left", "right", "numbers"] = "left"
    """`numbers`: right where there are no bars."""
    short: str = ""
    """What stands over it where there is no room for the title."""
    apart: bool = False
    """Whether it stands two cells from its neighbour, where there is room."""
    elastic: bool = False
    """Whether it takes what is left."""
    of_now: bool = True
    """Whether its figure is not known of a node that is down."""
    from_width: int = 0
    """Cells of the pane from which it is there without being asked for."""
