"""The keys of dialogs that ask where a model goes."""

from __future__ import annotations

from fleetview.models.inventory import Inventory
from fleetview.screens.models.copy import CopyModel, Source
from fleetview.screens.models.places import Chosen, Places
from tests.builders import a_backend_state, a_model_file, a_node
from tests.tui.keys.pressing import Row, Scene
from tests.tui.keys.staging import a_desk, answered, chooses, dialog, of_dialog, shows, the

FILE = a_model_file("gemma3:27b", context_length=40_960)
FLEET = {
    name: a_node(name, backends={"ollama": a_backend_state("ollama", models=(FILE,), resident=())})
    for name in (f"n{number:02}" for number in range(20))
}
NAMES = tuple(FLEET)
PAGE = 8


def places() -> Places:
    inventory = Inventory().renewed(FLEET)
    entry = next(iter(inventory.entries.values()))
    return Places(entry, inventory, FLEET, a_desk(FLEET), 100.0)


def place(scene: Scene) -> object:
    return of_dialog(scene, "at")


def all_asked(scene: Scene) -> bool:
    """Every node has answered."""
    return len(of_dialog(scene, "_places")) == len(FLEET) and bool(of_dialog(scene, "_able"))


def target(scene: Scene) -> int:
    return int(of_dialog(scene, "_at"))


def loads(scene: Scene) -> bool:
    """It is closed with a load on the second node."""
    answers = the(scene).answers
    return len(answers) == 1 and isinstance(answers[0], Chosen) and answers[0].node == NAMES[1]


def copies(scene: Scene) -> bool:
    """It is closed with a copy to the second of the other nodes."""
    answers = the(scene).answers
    return len(answers) == 1 and answers[0] is not None and answers[0][1] == (NAMES[2],)


PLACED = (
    dialog(
        "Places",
        places,
        all_asked,
        *chooses(place, lambda row: NAMES[row], len(NAMES) - 1),
        Row("pagedown", lambda scene: place(scene) == NAMES[PAGE], moves=True),
        Row("pageup", lambda scene: place(scene) == NAMES[1], first=("pagedown", "down"), moves=True),
        Row("left", lambda scene: of_dialog(scene, "_tokens") == 4096),
        Row("right", lambda scene: of_dialog(scene, "_tokens") == 16_384),
        Row("enter", loads, first=("down",)),
        Row("escape q f", answered(None)),
        size=(80, 24),
        home=lambda scene: of_dialog(scene, "action_move")(-len(NAMES)),
    ),
    dialog(
        "CopyModel",
        lambda: CopyModel(Source(NAMES[0], "ollama", FILE), FLEET, a_desk(FLEET)),
        lambda scene: of_dialog(scene, "_ready"),
        *chooses(target, lambda row: row, len(NAMES) - 2),
        Row("pagedown", lambda scene: target(scene) == PAGE, moves=True),
        Row("pageup", lambda scene: target(scene) == 1, first=("pagedown", "down"), moves=True),
        Row("space", shows("[x]")),
        Row("enter", copies, first=("down",)),
        Row("escape q", answered(None)),
        size=(80, 24),
        home=lambda scene: of_dialog(scene, "action_move")(-len(NAMES)),
    ),
)
