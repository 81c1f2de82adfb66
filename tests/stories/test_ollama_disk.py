"""Models fetched and deleted by Ollama: seen on their way, broken off, gone on with, and kept at the last moment."""

from __future__ import annotations

from pathlib import Path

from tests.gguf_files import write_tiny
from tests.ollama.store import Store
from tests.stories.conftest import command, needs_tmux, until
from tests.stories.ollamas import NAME, STAND_IN, a_home_with_ollama
from tests.stories.terminal import Terminal, terminal

pytestmark = needs_tmux
PULL_SECONDS = 4


def test_a_pull_is_watched_cancelled_and_gone_on_with_and_a_delete_is_thought_better_of(tmp_path: Path) -> None:
    far = Store(tmp_path / "registry")
    digest = far.create(NAME, write_tiny(tmp_path / "tiny.gguf"))
    speed = far.blob(digest).stat().st_size // PULL_SECONDS
    variables = f'STANDIN_REGISTRY = "{far.folder}", STANDIN_PULL_BYTES_PER_SECOND = "{speed}"'
    with a_home_with_ollama(STAND_IN, settings=f"environment = {{ {variables} }}") as home:
        home.do("start", "here", "ollama")
        whole = home.path / "models" / "blobs" / digest.replace(":", "-")
        part = whole.with_name(f"{whole.name}-partial")
        with terminal(command("fleetview"), environment=home.environment) as pane:
            pane.wait_for("● here", "s loads one")
            pull(pane)
            pane.wait_for(f"pull ollama/{NAME}", "%", "/s", " left")
            cancel(pane, f"Cancel the pull of {NAME} on here", "What has come stays on the disk")
            until(lambda: len(home.journal) == 2, "the end of the pull")
            assert home.journal[0]["result"] == "rolled_back"
            assert "pull it again to go on where it was" in home.journal[0]["cause"]
            former = part.stat()
            assert 0 < former.st_size < far.blob(digest).stat().st_size
            assert home.state["models"] == []

            pull(pane)
            pane.wait_for(f"✓ ollama/{NAME} pulled")
            assert whole.stat().st_ino == former.st_ino  # it was gone on with, not fetched anew
            assert [model["name"] for model in home.state["models"]] == [f"{NAME}:latest"]

            pane.press("D")
            pane.choose("Delete on here", f"ollama/{NAME}:latest")
            pane.wait_for(f"Delete {NAME}:latest from here", "For 30 s it can still be cancelled")
            pane.type(f"{NAME}:latest")
            pane.press("Enter")
            pane.wait_for(f"delete ollama/{NAME}:latest", "wait")
            cancel(pane, f"Cancel the delete of {NAME}:latest on here", "Nothing is deleted")
            until(lambda: len(home.journal) == 4, "the end of the delete")
        assert [(row["request"]["verb"], row["result"]) for row in home.journal] == [
            ("delete", "rolled_back"),
            ("pull", "done"),
            ("pull", "rolled_back"),
            ("start", "done"),
        ]
        assert whole.exists()
        assert [model["name"] for model in home.state["models"]] == [f"{NAME}:latest"]


def pull(pane: Terminal) -> None:
    """Ask for the model by its name."""
    pane.press("P")
    pane.wait_for("Pull to here")
    pane.type(NAME)
    pane.press("Enter")
    pane.wait_gone("Pull to here")


def cancel(pane: Terminal, title: str, consequence: str) -> None:
    """Break off what goes on."""
    pane.press("C-x")
    pane.wait_for(title, consequence)
    pane.press("y")
    pane.wait_gone(title)
