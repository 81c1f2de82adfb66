"""Ollama from its start to its end, by command line and by keys, and to llama.cpp on the same file and back."""

from __future__ import annotations

from tests.stories.conftest import SHORT, command, needs_engine, needs_tmux, until
from tests.stories.ollamas import MODEL, SAME_FILE, a_home_with_ollama, both_ollamas
from tests.stories.terminal import terminal

pytestmark = needs_engine


@both_ollamas
def test_start_create_load_chat_pin_swap_unload_and_stop_by_command(ollama: str) -> None:
    with a_home_with_ollama(ollama) as home:
        shown = home.do("start", "here", "ollama", "--dry-run")
        assert "ollama serve" in shown
        assert home.servers() == []

        home.made()
        assert home.state["phase"] == "ready"
        assert [len(home.servers()), len(home.runners())] == [1, 0]

        home.do("load", "here", MODEL, "--ctx", SHORT)
        assert home.ready == [MODEL]
        assert len(home.runners()) == 1
        asked = home.run("fleetview", "chat", "here", MODEL, "-p", "Say one word.")
        assert asked.returncode == 0, asked.stderr
        assert asked.stdout.strip()
        home.do("pin", "here", MODEL)
        assert home.state["resident"][0]["pinned"] is True

        refused = home.run("fleetview", "delete", "here", MODEL)
        assert refused.returncode == 4, refused.stderr

        (runner,) = home.runners()
        home.do("swap", "here", SAME_FILE, "--ctx", SHORT, "--evict", MODEL)
        assert home.ready == [SAME_FILE]
        assert not runner.is_running()
        home.do("swap", "here", MODEL, "--ctx", SHORT)
        assert home.ready == [MODEL]

        home.do("unload", "here", MODEL)
        assert home.runners() == []
        home.do("stop", "here", "ollama")
        assert home.servers() == []
        assert home.state["phase"] == "stopped"
        verbs = [row["request"]["verb"] for row in home.journal]
        assert verbs == ["stop", "unload", "swap", "swap", "delete", "pin", "load", "create", "start"]


@needs_tmux
@both_ollamas
def test_start_load_chat_pin_swap_unload_and_stop_by_keys(ollama: str) -> None:
    with a_home_with_ollama(ollama) as home:
        home.made()
        home.do("stop", "here", "ollama")
        with terminal(command("fleetview"), environment=home.environment, columns=120, rows=40) as pane:
            pane.wait_for("here", "swap", "stopped")
            pane.press("a")
            pane.wait_for("start ollama")
            pane.type("start ollama")  # TODO see the menu
            pane.press("Enter")
            pane.wait_for("ollama serve")
            pane.press("Enter")
            until(lambda: len(home.servers()) == 1, "the server")
