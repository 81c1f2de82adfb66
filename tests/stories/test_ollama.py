"""Ollama from its start to its end, by command line and by keys, and to llama.cpp on the same file and back."""

from __future__ import annotations

import re

from tests.stories.conftest import SHORT, command, needs_engine, needs_tmux, until
from tests.stories.ollamas import MODEL, NAME, SAME_FILE, OllamaHome, a_home_with_ollama, both_ollamas, is_gone
from tests.stories.terminal import Terminal, terminal

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
        assert is_gone(runner)
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
    with (
        a_home_with_ollama(ollama) as home,
        terminal(command("fleetview"), environment=home.environment) as pane,
    ):
        pane.wait_for("● here", "ollama is stopped")
        change_server(pane, "Start ollama", "OLLAMA_HOST=127", "ollama serve")
        until(lambda: len(home.servers()) == 1, "the server")
        home.create()

        swap(pane, "ollama", "leaves   nothing")
        until(lambda: settled(home) == [MODEL], "the model")
        (runner,) = home.runners()
        chat(pane)
        keep(pane, "pin: leaves only when named")
        until(lambda: home.state["resident"][0]["pinned"], "the pin")
        pane.wait_for("⚑ pinned")
        keep(pane, "unpin: it may make room again")
        until(lambda: not home.state["resident"][0]["pinned"], "the end of the pin")

        swap(pane, "llamacpp", f"leaves   {NAME}:latest", to_shortest=True)
        until(lambda: settled(home) == [SAME_FILE], "llama.cpp with the same file", 20)
        assert is_gone(runner)
        swap(pane, "ollama", f"leaves   {NAME}:latest")
        until(lambda: settled(home) == [MODEL], "Ollama with the same file", 20)

        pane.press("x")
        pane.wait_for(f"Unload {NAME}:latest from here", "It leaves ollama")
        pane.press("y")
        until(lambda: not home.runners(), "the model to be gone")
        pane.wait_for("no model is resident")
        change_server(pane, "Stop ollama", "run by")
        until(lambda: not home.servers(), "the server to be gone")
        pane.wait_for("ollama is stopped")


def settled(home: OllamaHome) -> list[str]:
    """What can answer, once no operation is in hand any more."""
    return [] if home.told("/api/snapshot")["operations"] else home.ready


def change_server(pane: Terminal, title: str, *shown: str) -> None:
    """Agree to what is shown of a line of the menu about servers."""
    pane.press("a")
    pane.choose("On here", title.lower())
    pane.wait_for(f"{title} on here", *shown)
    pane.press("Enter")
    pane.wait_gone(f"{title} on here")


def swap(pane: Terminal, engine: str, leaves: str, *, to_shortest: bool = False) -> None:
    """Agree to the plan of the model that Ollama has, run by that engine."""
    pane.press("s")
    pane.wait_for("Swap on here")
    pane.type(f"{engine}/{NAME}")
    if to_shortest:
        pane.wait_for("1 of", "◂ 8k ▸")
        pane.press("Left", "Left", "Left", "Left")
    pane.wait_for("1 of", f"◂ {SHORT} ▸", leaves, "verdict  fits")
    pane.press("Enter")
    pane.wait_gone("Swap on here")


def chat(pane: Terminal) -> None:
    """Ask the one model something, and come back."""
    pane.press("c")
    pane.wait_for("INSERT")
    pane.type("Say one word.")
    pane.press("Enter")
    pane.wait_for("esc stop")
    pane.wait_gone("esc stop", seconds=60)
    assert re.search(r"first \d.* tok/s · \d+ tokens", pane.wait_for(" tokens")), "once no message stands before it"
    pane.press("Escape")
    pane.wait_for("i to type")
    pane.press("q")
    pane.wait_for("here", "swap")


def keep(pane: Terminal, choice: str) -> None:
    """Take the first line of the menu about how long the model stays."""
    pane.press("t")
    pane.wait_for(f"Keep {NAME}:latest on here", choice)
    pane.press("Enter")
    pane.wait_gone("Keep ")
