"""The keys of dialogs that ask: yes or no, which of these, in what order."""

from __future__ import annotations

from textual.widgets import OptionList

from fleetview.screens.choose import Choose
from fleetview.screens.confirm import Answers, Confirm
from fleetview.screens.leavers import Leavers
from fleetview.screens.sort_by import SortBy
from fleetview.screens.sort_models import SortModels
from fleetview.screens.trust_host import TrustHost
from tests.builders import a_backend_state, a_node, a_resident
from tests.tui.keys.pressing import Row, Scene
from tests.tui.keys.staging import answered, chooses, dialog, drawn, longer_than, of_dialog, part, scrolled, shows

LAST = 19
CROWD = a_node(backends={"llamacpp": a_backend_state(resident=tuple(map(a_resident, "abc")))})


def chosen(scene: Scene) -> bool:
    """Whether yes is chosen."""
    return part(scene, Answers).chosen


def seen(scene: Scene) -> bool:
    """Whether it stands on the screen."""
    return bool(of_dialog(scene, "_seen"))


def answers(previous: str, following: str) -> tuple[Row, ...]:
    """The keys of a question that Enter alone says no to."""
    return (
        Row("n escape enter", answered(False)),
        Row("y", answered(True)),
        Row(f"{following} tab shift+tab", chosen),
        Row("enter", answered(True), first=("right",)),
        Row(f"{previous} tab shift+tab", lambda scene: not chosen(scene), first=("right",)),
    )


ASKED = (
    dialog("Confirm", lambda: Confirm("Unload?", ("a", "b")), seen, *answers("left up h k", "right down l j")),
    dialog(
        "TrustHost",
        lambda: TrustHost("studio", "studio.local", "ssh-ed25519", "SHA256:9nQ3", "~/.ssh/known_hosts"),
        longer_than("#key", 3),
        *answers("left", "right"),
        Row("down pagedown", scrolled("#key", 3)),
        Row("up pageup", scrolled("#key", 0), first=("down",)),
        size=(40, 10),
    ),
    dialog(
        "Choose",
        lambda: Choose("Which?", tuple(f"thing {number}" for number in range(LAST + 1))),
        seen,
        *chooses(lambda scene: part(scene, OptionList).highlighted, lambda row: row, LAST),
        Row("enter", answered(1), first=("down",)),
        Row("escape q", answered(None)),
        home=lambda scene: part(scene, OptionList).action_first(),
    ),
    dialog(
        "Leavers",
        lambda: Leavers(CROWD, ()),
        shows("[ ] a ("),
        Row("down j", shows("▸ [ ] b (")),
        Row("up k", shows("▸ [ ] a ("), first=("down",)),
        Row("space x", shows("▸ [x] a (")),
        Row("enter", answered(("llamacpp/b",)), first=("down", "space")),
        Row("escape q", answered(None)),
    ),
    dialog(
        "SortBy",
        SortBy,
        drawn,
        *(
            Row(key, answered(column))
            for key, column in zip("ngmtpu", ("name", "gpu", "memory", "tps", "pressure", "uptime"), strict=True)
        ),
        Row("escape q o", answered(None)),
    ),
    dialog(
        "SortModels",
        SortModels,
        drawn,
        *(Row(key, answered(order)) for key, order in zip("nsmd", ("name", "size", "resident", "nodes"), strict=True)),
        Row("escape q o", answered(None)),
    ),
)
